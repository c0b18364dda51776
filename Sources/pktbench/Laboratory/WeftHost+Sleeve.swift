// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Inet
import Routing
import Sealing

/// How frames travel between two hosts of ours.
struct WeftTransport: Sendable {
  /// The ends of a link by sleeve, as one of them sees it.
  struct Sleeve: Sendable {
    let own: PeerName
    let remote: PeerName
    /// Nil: nothing is sealed.
    let key: SessionKey?
    /// Whether this is the end that dialled.
    let isOutbound: Bool
  }

  /// Nil: VXLAN.
  var sleeve: Sleeve?
  /// Whether the kernel's UDP sockets carry the outer packets, with segmentation and reassembly.
  var usesSockets = false

  /// The UDP port that outer packets go to.
  var udpPort: UInt16 { sleeve == nil ? Tunnel.port : WeftTransport.sleevePort }

  static let sleevePort: UInt16 = 6783
}

extension WeftHost {
  /// Adds the other host as a peer that is reached by sleeve.
  func addPeer(
    _ sleeve: WeftTransport.Sleeve, _ tunnel: Tunnel, session: UInt16?,
    to model: inout ForwardingModel
  ) throws -> EndpointIndex {
    let port = options.transport.usesSockets ? WeftHost.socketPort : WeftHost.farPort
    guard let peer = model.addPeer(named: sleeve.remote, underlayPort: port),
      let link = model.addLink(to: sleeve.remote, by: .sleeve, underlayPort: port),
      (session == nil) == (sleeve.key == nil)
    else { throw ScenarioError(.unavailable, "the forwarding tables have no room for a peer") }
    let headers = 28 + 6 + 14 + 14 + (session == nil ? 0 : 8 + 16)
    var path = EndpointPath(
      sourceMAC: tunnel.localMAC, destinationMAC: tunnel.remoteMAC, source: tunnel.local,
      destination: tunnel.remote, destinationPort: WeftTransport.sleevePort,
      network: VirtualNetwork(bits: 0), innerLengthMax: tunnel.wireMTU - headers + 14)
    path.sleeve = EndpointPath.Sleeve(
      sourcePort: WeftTransport.sleevePort, datagramLengthMax: tunnel.wireMTU - 28,
      session: session, fragmentPort: WeftHost.socketPort, mayFragment: false)
    let number = ShortID(UInt16(truncatingIfNeeded: sleeve.remote.bits & 0xFFF))
    model.setMesh(
      shortID: ShortID(UInt16(truncatingIfNeeded: sleeve.own.bits & 0xFFF)),
      port: WeftTransport.sleevePort + 1, sleevePort: WeftTransport.sleevePort, name: sleeve.own)
    model.setLink(link, shortID: number, path: path)
    model.setPeer(peer, shortID: number, path: path, broadcast: [])
    model.setMeshFlood([peer])
    return peer
  }

  /// The sockets, if outer packets go through them.
  var socketSpecification: SocketPortSpecification? {
    guard options.transport.usesSockets, let tunnel = options.tunnel else { return nil }
    return SocketPortSpecification(
      port: WeftHost.socketPort, address: tunnel.local, udpPorts: [options.transport.udpPort],
      frameLengthMax: tunnel.wireMTU + 14)
  }
}
