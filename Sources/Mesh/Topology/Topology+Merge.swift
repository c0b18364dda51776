// SPDX-License-Identifier: Apache-2.0

public import Inet

extension Topology {
  /// Takes an update, as far as `limits` leave room for it; `random` draws short numbers.
  public mutating func merge(
    _ update: TopologyUpdate, random: inout some RandomNumberGenerator
  ) -> Merge {
    var taken = news(of: update)
    var merge = Merge()
    let (placeholders, leftOutCount) = admit(&taken)
    merge.leftOutCount = leftOutCount
    merge.changed = Set(taken.keys)
    merge.all = Set(update.peers.lazy.map(\.name).filter { $0 != .unknown })
    for peer in taken.values { replace(peer) }
    for name in placeholders { replace(PeerDescription(placeholderFor: name)) }
    owners.refresh(peers)
    let isOutlived = outliveEarlierSelves(in: update)
    merge.isRenumbered = resolveShortIDCollision(random: &random)
    merge.isOwnChanged = isOutlived || merge.isRenumbered
    return merge
  }

  /// Whether `peer` would replace what is known of it; never so for ourselves.
  public func isNews(_ peer: PeerDescription) -> Bool {
    guard peer.name != ownName, let known = peers[peer.name] else { return peer.name != ownName }
    return peer.isNewer(than: known)
  }

  /// What the update knows better than we do, limited; of several descriptions of a peer the best.
  private func news(of update: TopologyUpdate) -> [PeerName: PeerDescription] {
    var news: [PeerName: PeerDescription] = [:]
    for peer in update.peers where peer.name != ownName && peer.name != .unknown {
      if let known = news[peer.name] ?? peers[peer.name], !peer.isNewer(than: known) { continue }
      news[peer.name] = peer
    }
    return news.mapValues(limited)
  }

  /// Counts our version beyond that of a process before us with our name, which the others would
  /// otherwise believe rather than us.
  private mutating func outliveEarlierSelves(in update: TopologyUpdate) -> Bool {
    let own = own
    let earlier = update.peers.lazy.filter { [ownName] in $0.name == ownName && $0.uid != own.uid }
    guard let version = earlier.map(\.version).max(), version >= own.version else { return false }
    countVersionUp(beyond: version)
    return self.own.version != own.version
  }

  /// Draws another short number if ours belongs to somebody with a lower name; if all are taken,
  /// ours stays until a garbage collection frees one.
  mutating func resolveShortIDCollision(random: inout some RandomNumberGenerator) -> Bool {
    var own = own
    guard let shortID = own.shortID, owner(of: shortID) != ownName,
      let unused = owners.unused(random: &random)
    else { return false }
    own.shortID = unused
    replace(own)
    countVersionUp(beyond: own.version)
    return true
  }
}

// MARK: - Garbage collection

extension Topology {
  /// Forgets everybody who cannot be reached over connections in any state.
  ///
  /// Returns whom, by name, and whether our own short number changed because one became free.
  public mutating func collectGarbage(
    random: inout some RandomNumberGenerator
  ) -> (forgotten: [PeerName], isOwnChanged: Bool) {
    let graph = TopologyGraph(peers, edges: .all)
    let firstHops = graph.index(of: ownName).map { graph.firstHops(from: $0) } ?? []
    let forgotten = zip(graph.names, firstHops).filter { $1 == nil }.map(\.0)
    for name in forgotten {
      guard let peer = peers.removeValue(forKey: name) else { continue }
      connectionCount -= peer.connections.count
      owners.release(peer.shortID, by: name)
    }
    owners.refresh(peers)
    return (forgotten, resolveShortIDCollision(random: &random))
  }
}

// MARK: - What others say, made harmless

extension Topology {
  /// The description with connections by name, one for each peer (the last one counts) and the
  /// first so many, in memory of its own that is no larger than needed, and with texts no longer
  /// than allowed.
  func limited(_ peer: PeerDescription) -> PeerDescription {
    var limited = peer
    limited.nickname = peer.nickname.prefix(utf8Length: limits.nicknameLength)
    let connections = connectionsByName(peer.connections).prefix(limits.connectionCountOfPeer)
    limited.connections = connections.map { connection in
      guard connection.address.utf8.count > limits.addressLength else { return connection }
      var connection = connection
      connection.address = ""
      return connection
    }
    return limited
  }

  private func connectionsByName(
    _ connections: [PeerDescription.Connection]
  ) -> [PeerDescription.Connection] {
    let isInOrder = zip(connections, connections.dropFirst()).allSatisfy { $0.peer < $1.peer }
    if isInOrder, connections.first?.peer != .unknown { return connections }
    var byName: [PeerName: PeerDescription.Connection] = [:]
    for connection in connections where connection.peer != .unknown {
      byName[connection.peer] = connection
    }
    return byName.values.sorted { $0.peer < $1.peer }
  }
}

extension PeerDescription {
  /// What is known of a peer that was only mentioned.
  init(placeholderFor name: PeerName) {
    self.init(name: name, nickname: "", uid: 0, version: 0, shortID: nil, connections: [])
  }

  /// Whether this replaces `known`, which is about the same peer.
  fileprivate func isNewer(than known: PeerDescription) -> Bool {
    if version != known.version { return version > known.version }
    if uid != known.uid { return uid > known.uid }
    return shortID != nil && known.shortID == nil
  }
}

extension String {
  /// As many whole scalars as fit into that many bytes.
  fileprivate func prefix(utf8Length limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var end = utf8.index(startIndex, offsetBy: limit)
    while end > startIndex, String.Index(end, within: unicodeScalars) == nil {
      end = utf8.index(before: end)
    }
    return String(self[..<end])
  }
}
