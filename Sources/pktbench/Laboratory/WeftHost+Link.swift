// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Inet
import Routing
import Sealing
import XDP

extension WeftHost {
  /// Where the data plane has the keys.
  typealias KeyPlaces = (sealing: UInt16, opening: UInt16)

  /// Adds the other host as a peer that is reached over a link.
  func addPeer(
    over link: WeftTransport.PeerLink, _ tunnel: Tunnel, keys: KeyPlaces?,
    to model: inout ForwardingModel
  ) throws -> EndpointIndex {
    let port = options.transport.usesSockets ? WeftHost.socketPort : WeftHost.farPort
    guard let peer = model.addPeer(named: link.remote, underlayPort: port),
      let place = model.addLink(to: link.remote, by: link.overlay, underlayPort: port),
      (keys == nil) == (link.keys == nil)
    else { throw ScenarioError(.unavailable, "the forwarding tables have no room for a peer") }
    let path = path(over: link, tunnel, sealing: keys?.sealing)
    let number = link.remote.laboratoryShortID
    model.setMesh(
      shortID: link.own.laboratoryShortID, port: WeftTransport.meshPort,
      sleevePort: WeftTransport.sleevePort, name: link.own)
    model.setLink(
      place, shortID: number, path: path,
      receives: LinkReception(
        isReceiving: true, opening: keys?.opening,
        identifiers: securityAssociations.map(\.identifier)))
    model.setPeer(peer, shortID: number, path: path, broadcast: [])
    model.setMeshFlood([peer])
    if link.overlay == .vxlan { model.setNeighbours([tunnel.remote: keys != nil]) }
    return peer
  }

  private func path(
    over link: WeftTransport.PeerLink, _ tunnel: Tunnel, sealing: UInt16?
  ) -> EndpointPath {
    var path = EndpointPath(
      sourceMAC: tunnel.localMAC, destinationMAC: tunnel.remoteMAC, source: tunnel.local,
      destination: tunnel.remote, destinationPort: options.transport.udpPort,
      network: VirtualNetwork(bits: 0),
      innerLengthMax: tunnel.frameLengthMax(by: link.overlay, isSealed: sealing != nil))
    path.sealing = sealing
    guard link.overlay == .sleeve else { return path }
    path.sleeve = EndpointPath.Sleeve(
      sourcePort: WeftTransport.sleevePort, datagramLengthMax: tunnel.wireMTU - 28,
      fragmentPort: WeftHost.socketPort, mayFragment: false)
    return path
  }

  /// By what the other host's ESP packets are known when they arrive.
  var securityAssociations: Set<SecurityAssociation> {
    guard let tunnel = options.tunnel, let link = options.transport.link,
      link.overlay == .vxlan, let keys = link.keys
    else { return [] }
    return [SecurityAssociation(address: tunnel.local, identifier: keys.opening.identifier)]
  }

  /// The sockets, if outer packets go through them.
  var socketSpecification: SocketPortSpecification? {
    guard options.transport.usesSockets, let tunnel = options.tunnel else { return nil }
    return SocketPortSpecification(
      port: WeftHost.socketPort, address: tunnel.local, udpPorts: [options.transport.udpPort],
      frameLengthMax: tunnel.wireMTU + 14)
  }
}
