// SPDX-License-Identifier: Apache-2.0

import Inet

// What is taken of an update when more is known than is kept, or would be.
//
// Somebody may have invented most of it. So what is known goes on being followed, and so is
// whomever we are connected with; only names that are new are left out. Connections that lead to
// those stay in the descriptions, which everybody is to pass on as they are, and lead nowhere.
extension Topology {
  /// Leaves out descriptions and names that there is no room for; returns the names that become
  /// placeholders, and how much was left out.
  func admit(
    _ news: inout [PeerName: PeerDescription]
  ) -> (placeholders: Set<PeerName>, leftOutCount: Int) {
    var leftOutCount = leaveOutConnections(&news)
    let mentioned = namesMentionedFirst(by: news)
    let unknown = mentioned.union(news.keys.lazy.filter { !peers.keys.contains($0) })
    let room = max(0, limits.peerCount - peers.count)
    guard unknown.count > room else { return (mentioned, leftOutCount) }
    let admitted = nearest(room, of: unknown, news)
    leftOutCount += unknown.count - admitted.count
    news = news.filter { peers.keys.contains($0.key) || admitted.contains($0.key) }
    return (mentioned.intersection(admitted), leftOutCount)
  }

  // MARK: Names

  /// The names that become placeholders if there is room.
  ///
  /// Descriptions that are older than ours mention others in vain: nothing would lead to those, and
  /// the next garbage collection would remove them.
  private func namesMentionedFirst(by news: [PeerName: PeerDescription]) -> Set<PeerName> {
    var names: Set<PeerName> = []
    for peer in news.values {
      for name in peer.connections.lazy.map(\.peer) where !peers.keys.contains(name) {
        if !news.keys.contains(name) { names.insert(name) }
      }
    }
    return names
  }

  /// So many names, first those that the fewest connections lead to; of those equally near each
  /// peer has one after the other, as whoever invents peers is connected with all of them.
  private func nearest(
    _ room: Int, of unknown: Set<PeerName>, _ news: [PeerName: PeerDescription]
  ) -> Set<PeerName> {
    guard room > 0 else { return [] }
    var admitted: Set<PeerName> = []
    var reached: Set<PeerName> = [ownName]
    var level = [ownName]
    while !level.isEmpty, admitted.count < room {
      let lists = level.map { name in
        (news[name] ?? peers[name])?.connections.map(\.peer).filter { !reached.contains($0) } ?? []
      }
      level = lists.interleaved().filter { reached.insert($0).inserted }
      admitted.formUnion(level.lazy.filter(unknown.contains).prefix(room - admitted.count))
    }
    // What nothing leads to is collected soon; until then it must not be looked for again.
    admitted.formUnion(
      unknown.subtracting(admitted).sorted().prefix(room - admitted.count))
    return admitted
  }

  // MARK: Connections

  /// Leaves out descriptions with more connections than there is room for; returns how many.
  private func leaveOutConnections(_ news: inout [PeerName: PeerDescription]) -> Int {
    func growth(_ peer: PeerDescription) -> Int {
      peer.connections.count - (peers[peer.name]?.connections.count ?? 0)
    }
    let more = news.values.reduce(0) { $0 + growth($1) }
    guard more > 0, connectionCount + more > limits.connectionCount else { return 0 }
    let neighbours = Set(own.connections.lazy.map(\.peer))
    var count = connectionCount
    var leftOut: [PeerName] = []
    // What makes room comes first.
    for peer in news.values.sorted(by: { (growth($0), $0.name) < (growth($1), $1.name) }) {
      let share = neighbours.contains(peer.name) ? limits.neighbourShare : limits.peerShare
      let isTaken =
        growth(peer) <= 0 || peer.connections.count <= share
        || count + growth(peer) <= limits.connectionCount
      if isTaken { count += growth(peer) } else { leftOut.append(peer.name) }
    }
    for name in leftOut { news[name] = nil }
    return leftOut.count
  }
}
