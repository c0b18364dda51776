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
    removePeers(except: Set(forwarding.peers.map(\.name)))
    addPeers(forwarding.peers)
    followLinks(of: forwarding.neighbours)
    followOuterPorts()
    refreshWays(to: forwarding.neighbours.addresses, onlyNew: true)
    tellModel(forwarding)
    commit()
  }

  /// Asks the kernel again how neighbours are reached; called after news from it.
  func resolveMeshNeighbours() {
    guard let known = mesh?.ways, !known.isEmpty else { return }
    refreshWays(to: Set(known.keys), onlyNew: false)
    guard mesh?.ways != known, let forwarding = mesh?.machine.forwarding else { return }
    tellModel(forwarding)
  }

  /// The underlay's port is closed, and with it went the direct ways.
  func forgetMeshWays() {
    // Their addresses stay, so that they are asked for as soon as it is open again.
    guard let known = mesh?.ways else { return }
    refreshWays(to: Set(known.keys), onlyNew: false)
    if let forwarding = mesh?.machine.forwarding { tellModel(forwarding) }
  }

  /// Tries again, once a second, what is not complete.
  func followPeersAgain() {
    removeRetiredKeys()
    renewUsedKeys()
    guard let mesh else { return }
    if mesh.isShortOfRoom || mesh.hasKeysMissing { followForwarding() }
    tellSecurityIdentifiers()
    releaseKeys()
    let isIncomplete = mesh.ways.values.contains {
      if case .none = $0 { true } else { false }
    }
    if isIncomplete { resolveMeshNeighbours() }
  }

  /// Addresses whose hardware addresses the mesh has the kernel keep.
  var meshNeighbourAddresses: Set<IPv4Address> { mesh?.keptNeighbours ?? [] }

  private func refreshWays(to addresses: Set<IPv4Address>, onlyNew: Bool) {
    guard var ways = mesh?.ways, var kept = mesh?.kept else { return }
    ways = ways.filter { addresses.contains($0.key) }
    kept = kept.filter { addresses.contains($0.key) }
    for address in addresses where !onlyNew || ways[address] == nil {
      let (way, asked) = outerWay(to: address)
      ways[address] = way
      kept[address] = asked?.neighbour
    }
    mesh?.ways = ways
    mesh?.kept = kept
  }

  private func removePeers(except wanted: Set<PeerName>) {
    for peer in (mesh?.peers ?? [:]).values where !wanted.contains(peer.name) {
      model.removeEndpoint(peer.index)
      mesh?.peers[peer.name] = nil
    }
  }

  /// Adds peers that frames can come from; neighbours first, as who is far away may be invented.
  private func addPeers(_ peers: [MeshForwarding.Peer]) {
    var isShort = false
    let new = peers.filter {
      mesh?.peers[$0.name] == nil && ($0.shortID != nil || $0.nextHop != nil)
    }
    let neighbours = new.filter { $0.nextHop == $0.name }
    for peer in neighbours + new.filter({ $0.nextHop != $0.name }) {
      guard
        let index = model.addPeer(named: peer.name, underlayPort: ControlPlane.socketPort)
      else {
        isShort = true
        break
      }
      mesh?.peers[peer.name] = MeshRun.Peer(name: peer.name, index: index)
    }
    noteRoom(isShort: isShort)
  }

  /// Says once, and remembers, that the forwarding tables had no room for all of the mesh.
  func noteRoom(isShort: Bool) {
    if isShort, mesh?.isShortOfRoom == false {
      logger.error(
        "peers not added", metadata: ["problem": "the forwarding tables are full for now"])
    }
    mesh?.isShortOfRoom = isShort
  }

  private func tellModel(_ forwarding: MeshForwarding) {
    let neighbours = Dictionary(forwarding.neighbours.map { ($0.name, $0) }) { first, _ in first }
    let shortIDs = Dictionary(forwarding.peers.map { ($0.name, $0.shortID) }) { first, _ in first }
    let indices = mesh?.peers ?? [:]
    func reachable(_ names: [PeerName]) -> [EndpointIndex] {
      names.filter { neighbours[$0]?.isEstablished == true }.compactMap { indices[$0]?.index }
    }
    model.setMesh(
      shortID: forwarding.shortID, port: meshVXLANPort, sleevePort: options.mesh?.port ?? 0,
      name: options.mesh?.name ?? .unknown, otherPorts: otherMeshPorts)
    model.setNeighbours(forwarding.neighbours.sources)
    for neighbour in forwarding.neighbours {
      tellLinks(of: neighbour, shortID: shortIDs[neighbour.name] ?? nil)
    }
    for peer in forwarding.peers {
      guard let index = indices[peer.name]?.index else { continue }
      let next = peer.nextHop.flatMap { neighbours[$0] }
      let isNumbered = forwarding.shortID != nil && peer.shortID != nil
      model.setPeer(
        index, shortID: peer.shortID,
        path: next.flatMap { hop in
          carrier(of: hop, isNumbered: isNumbered).flatMap { path(to: hop, by: $0) }
        },
        broadcast: reachable(peer.broadcast))
    }
    model.setMeshFlood(reachable(forwarding.broadcast))
  }

  /// Ports where frames of peers arrive besides: one above that of peers which we dialled.
  ///
  /// There is room for four, in order that the choice stays the same.
  var otherMeshPorts: [UInt16] {
    let ports = Set((mesh?.machine.forwarding.neighbours ?? []).compactMap(\.fastdp?.localPort))
    let others: Set<UInt16> = [0, meshVXLANPort, options.mesh?.port ?? 0, options.vxlanPort]
    return Array(ports.subtracting(others).sorted().prefix(4))
  }

  /// The port where frames of peers arrive: one above the mesh's own.
  var meshVXLANPort: UInt16 { (options.mesh?.port ?? 0) &+ 1 }
}

extension [MeshForwarding.Neighbour] {
  /// Where packets of VXLAN come from, and whether they have to be sealed.
  fileprivate var sources: [IPv4Address: Bool] {
    let sources = filter { $0.fastdp != nil }.flatMap { neighbour in
      [neighbour.fastdp?.remote?.address, neighbour.sleeve?.remote?.address].compactMap(\.self)
        .map { ($0, neighbour.isSealed) }
    }
    // Of two neighbours with one address the stricter one counts.
    return Dictionary(sources) { $0 || $1 }
  }

  /// Where their datagrams come from, and ours go to.
  fileprivate var addresses: Set<IPv4Address> {
    Set(flatMap { [$0.fastdp?.remote?.address, $0.sleeve?.remote?.address] }.compactMap(\.self))
  }
}
