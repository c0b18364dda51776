// SPDX-License-Identifier: Apache-2.0

import Inet

// The picture of who reaches whom, and what follows from it.
extension MeshMachine {
  /// Our own entry changed, and something about these peers with it: soon the others hear of it.
  ///
  /// `isUrgent`: until they do, frames by VXLAN are lost.
  mutating func topologyChanged(about names: [PeerName], isUrgent: Bool = false) {
    routes.invalidate(now: now)
    channel.schedule(about: names, isUrgent: isUrgent, now: now)
  }

  /// Tells the others about us and these peers.
  mutating func announce(_ names: Set<PeerName>) {
    gossip(messages(about: names.union([options.name])), .topology, except: nil)
  }

  /// Forgets everybody who cannot be reached.
  mutating func collectGarbage() {
    channel.collected()
    let (forgotten, isOwnChanged) = topology.collectGarbage(random: &random)
    if isOwnChanged { topologyChanged(about: [], isUrgent: true) }
    guard !forgotten.isEmpty else { return }
    merged = SeenPayloads()
    routes.invalidate(now: now)
    effects.append(.peersForgotten(forgotten.sorted()))
  }

  // MARK: Routes

  /// Whatever is passed on has to take the ways of now.
  mutating func renewGossipRoutes() { routes.renewForGossip(topology) }

  mutating func calculateRoutes() {
    routes.calculate(topology, now: now)
    isForwardingStale = true
    isPlanNeeded = true
  }

  /// Works out what the data plane has to know of neighbours; of peers only if others can be
  /// reached than before, as overlays have news more often than the topology, and it is much.
  mutating func renewLinks() {
    let neighbours = forwardingNeighbours
    guard neighbours.elementsEqual(forwarding.neighbours, by: Self.areAlikeForRoutes) else {
      return renewForwarding()
    }
    areLinksStale = false
    guard neighbours != forwarding.neighbours else { return }
    forwarding.neighbours = neighbours
    effects.append(.forwardingChanged)
  }

  private static func areAlikeForRoutes(
    _ one: MeshForwarding.Neighbour, _ other: MeshForwarding.Neighbour
  ) -> Bool { one.name == other.name && one.isEstablished == other.isEstablished }

  /// Works out what the data plane has to know, and says so if it is something new.
  mutating func renewForwarding() {
    isForwardingStale = false
    areLinksStale = false
    let neighbours = forwardingNeighbours
    let usable = Set(neighbours.filter(\.isEstablished).map(\.name))
    var peers: [MeshForwarding.Peer] = []
    for (name, peer) in topology.peers.sorted(by: { $0.key < $1.key }) where name != options.name {
      let hop = routes.established.unicast[name].flatMap { usable.contains($0) ? $0 : nil }
      let shortID = peer.shortID.flatMap { topology.owner(of: $0) == name ? $0 : nil }
      // Frames of a peer without a way cannot come: their floods neither.
      let broadcast =
        hop != nil ? routes.established.broadcast(from: name).filter { usable.contains($0) } : []
      peers.append(
        MeshForwarding.Peer(name: name, shortID: shortID, nextHop: hop, broadcast: broadcast))
    }
    let own = routes.established.broadcast(from: options.name).filter { usable.contains($0) }
    let shortID = topology.own.shortID.flatMap { topology.owner(of: $0) == options.name ? $0 : nil }
    let renewed = MeshForwarding(
      shortID: shortID, neighbours: neighbours, peers: peers, broadcast: own)
    guard renewed != forwarding else { return }
    forwarding = renewed
    effects.append(.forwardingChanged)
  }

  private var forwardingNeighbours: [MeshForwarding.Neighbour] {
    linkOfPeer.sorted { $0.key < $1.key }.compactMap { name, link in
      guard let connection = connections[link], let peering = connection.peering else { return nil }
      let overlay = peering.overlay
      return MeshForwarding.Neighbour(
        name: name, connectionUID: peering.uid, local: connection.local,
        isSealed: overlay.key != nil, fastdp: overlay.fastdpLink,
        sleeve: overlay.sleeveLink, chosen: overlay.chosen)
    }
  }

  // MARK: What the connection maker has to know

  func makerView(withDiscovery: Bool) -> ConnectionMaker.View {
    var view = ConnectionMaker.View()
    view.connected = linkOfPeer
    if options.connectionCountMax > 0 {
      view.room = max(0, options.connectionCountMax - linkOfPeer.count)
    }
    guard withDiscovery else { return view }
    for link in linkOfPeer.values {
      guard let connection = connections[link], !connection.isOutbound else { continue }
      view.inboundHosts.insert(connection.remote.address)
    }
    if options.hasDiscovery, view.room > 0 { view.discovered = discovered }
    return view
  }

  /// Where other peers are connected with somebody we are not connected with.
  ///
  /// A peer may invent any number of others. So those behind each neighbour have one address after
  /// the other, first what the neighbour itself says, and then what the others do in turn.
  private var discovered: Set<SocketAddress> {
    var said: [PeerName: [[PeerDescription.Connection]]] = [:]
    var heard = said
    for (name, peer) in topology.peers.sorted(by: { $0.key < $1.key }) where name != options.name {
      let others = peer.connections.lazy.filter {
        $0.peer != options.name && linkOfPeer[$0.peer] == nil
      }.prefix(ConnectionMaker.discoveredCountMax)
      guard !others.isEmpty else { continue }
      if linkOfPeer[name] != nil {
        said[name] = [Array(others)]
      } else {
        heard[routes.all.unicast[name] ?? .unknown, default: []].append(Array(others))
      }
    }
    let neighbours = Set(said.keys).union(heard.keys).sorted()
    let lists = neighbours.map { (said[$0] ?? []).joined() + (heard[$0] ?? []).interleaved() }
    var found: Set<SocketAddress> = []
    for connection in lists.interleaved().prefix(Self.addressesLookedAtMax) {
      guard found.count < ConnectionMaker.discoveredCountMax else { return found }
      if let address = address(discovered: connection) { found.insert(address) }
    }
    return found
  }

  /// Most connections of others lead to the same peers, so more are looked at than are wanted.
  private static var addressesLookedAtMax: Int { 1 << 16 }

  /// Where to dial somebody whom another peer is connected with; nil if that is no address.
  private func address(discovered connection: PeerDescription.Connection) -> SocketAddress? {
    guard var address = SocketAddress(connection.address), address.address.isUnicast else {
      return nil
    }
    // Whoever dialled that peer had some port of its own; it listens where everybody does.
    if !connection.isOutbound { address.port = options.port }
    return address.port == 0 ? nil : address
  }
}
