// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Mesh
internal import Routing

extension ControlPlane {
  /// Makes the forwarding tables say what the mesh says.
  func followForwarding() {
    guard let forwarding = mesh?.machine.forwarding else { return }
    recoverEndpointIndices()
    // Frames name peers by their short numbers: without one there is nothing to tell.
    let peers = forwarding.peers.filter { $0.shortID != nil }
    removePeers(except: Set(peers.map(\.name)))
    addPeers(peers)
    let neighbours = forwarding.neighbours.filter(\.takesFrames)
    refreshNextHops(of: Set(neighbours.map(\.address.address)), onlyNew: true)
    tellModel(forwarding, neighbours)
    commit()
  }

  /// Asks the kernel again how neighbours are reached; called after news from it.
  func resolveMeshNeighbours() {
    guard let known = mesh?.nextHops, !known.isEmpty else { return }
    refreshNextHops(of: Set(known.keys), onlyNew: false)
    guard mesh?.nextHops != known, let forwarding = mesh?.machine.forwarding else { return }
    tellModel(forwarding, forwarding.neighbours.filter(\.takesFrames))
  }

  /// The underlay's port is closed, and with it went the ways to all peers.
  func forgetMeshNextHops() {
    // Their addresses stay, so that they are asked for as soon as it is open again.
    guard let known = mesh?.nextHops else { return }
    mesh?.nextHops = known.mapValues { _ in .unresolved(.noRoute) }
  }

  /// Tries again, once a second, what is not complete.
  func followPeersAgain() {
    guard let mesh else { return }
    if mesh.isShortOfRoom { followForwarding() }
    let isUnresolved = mesh.nextHops.values.contains {
      if case .resolved = $0 { false } else { true }
    }
    if isUnresolved { resolveMeshNeighbours() }
  }

  /// Addresses whose hardware addresses the mesh has the kernel keep.
  var meshNeighbourAddresses: Set<IPv4Address> {
    Set((mesh?.nextHops ?? [:]).values.compactMap(\.neighbour))
  }

  private func refreshNextHops(of addresses: Set<IPv4Address>, onlyNew: Bool) {
    guard var nextHops = mesh?.nextHops else { return }
    nextHops = nextHops.filter { addresses.contains($0.key) }
    for address in addresses where !onlyNew || nextHops[address] == nil {
      nextHops[address] =
        underlay.map { nextHop(of: address, on: $0) } ?? .unresolved(.noRoute)
    }
    mesh?.nextHops = nextHops
  }

  private func removePeers(except wanted: Set<PeerName>) {
    for peer in (mesh?.peers ?? [:]).values where !wanted.contains(peer.name) {
      model.removeEndpoint(peer.index)
      mesh?.peers[peer.name] = nil
    }
  }

  private func addPeers(_ peers: [MeshForwarding.Peer]) {
    var isShort = false
    for peer in peers where mesh?.peers[peer.name] == nil {
      guard let index = model.addPeer(underlayPort: ControlPlane.underlayPort) else {
        isShort = true
        break
      }
      mesh?.peers[peer.name] = MeshRun.Peer(name: peer.name, index: index)
    }
    if isShort, mesh?.isShortOfRoom == false {
      logger.error(
        "peers not added", metadata: ["problem": "the forwarding tables are full for now"])
    }
    mesh?.isShortOfRoom = isShort
  }

  private func tellModel(
    _ forwarding: MeshForwarding, _ neighbours: [MeshForwarding.Neighbour]
  ) {
    let byName = Dictionary(neighbours.map { ($0.name, $0) }) { first, _ in first }
    let indices = mesh?.peers ?? [:]
    func reachable(_ names: [PeerName]) -> [EndpointIndex] {
      names.filter { byName[$0] != nil }.compactMap { indices[$0]?.index }
    }
    model.setMesh(shortID: forwarding.shortID, port: meshVXLANPort)
    model.setNeighbours(Set(neighbours.map(\.address.address)))
    for peer in forwarding.peers {
      guard let index = indices[peer.name]?.index else { continue }
      model.setPeer(
        index, shortID: peer.shortID,
        path: peer.nextHop.flatMap { byName[$0] }.flatMap(path(to:)),
        broadcast: reachable(peer.broadcast))
    }
    model.setMeshFlood(reachable(forwarding.broadcast))
  }

  /// The port where frames of peers arrive: one above the mesh's own.
  var meshVXLANPort: UInt16 { (options.mesh?.port ?? 0) &+ 1 }

  private func path(to neighbour: MeshForwarding.Neighbour) -> EndpointPath? {
    guard let underlay, case .resolved(let hop)? = mesh?.nextHops[neighbour.address.address]
    else { return nil }
    // Neighbours take frames only from the address that our datagrams come from.
    let listen = options.mesh?.listenAddress ?? hop.sourceAddress
    return EndpointPath(
      sourceMAC: hop.sourceMAC, destinationMAC: hop.destinationMAC,
      source: listen.bits == 0 ? hop.sourceAddress : listen,
      destination: neighbour.address.address, destinationPort: neighbour.address.port &+ 1,
      network: VirtualNetwork(bits: 0), innerLengthMax: min(hop.mtu, underlay.mtu) - 36)
  }
}

extension MeshForwarding.Neighbour {
  /// Whether frames may be sent to it: VXLAN does not encrypt, so not where they have to be.
  fileprivate var takesFrames: Bool { isEstablished && hasVXLAN && !isEncrypted }
}
