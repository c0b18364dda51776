// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh

/// Section 10 of the wire notes, sentence by sentence, with sets and dictionaries and no thought of
/// speed: what `Routes` is compared with.
struct TextbookRoutes {
  /// What was reached when the widening came to a peer.
  typealias ReachedByPeer = [PeerName: Set<PeerName>]

  private var neighbours: [PeerName: Set<PeerName>] = [:]

  init(_ peers: [PeerName: PeerDescription], edges: Routes.Edges) {
    for (name, peer) in peers {
      for connection in peer.connections {
        let back = peers[connection.peer]?.connections.first { $0.peer == name }
        let isMutual = connection.isEstablished && back?.isEstablished == true
        guard edges == .all || isMutual else { continue }
        neighbours[name, default: []].insert(connection.peer)
      }
    }
  }

  /// Widens from a peer to the end.
  ///
  /// Stopping at a peer means to look at what was reached when it is taken, so that is noted for
  /// all of them.
  func widen(from start: PeerName) -> (firstHops: [PeerName: PeerName], ReachedByPeer) {
    var firstHops: [PeerName: PeerName] = [:]
    var reached: Set<PeerName> = [start]
    var reachedByPeer: ReachedByPeer = [:]
    var level = [start]
    while !level.isEmpty {
      var next: [PeerName] = []
      for current in level.sorted(by: { $0.bits < $1.bits }) {
        reachedByPeer[current] = reached
        for neighbour in neighbours[current] ?? [] where !reached.contains(neighbour) {
          reached.insert(neighbour)
          firstHops[neighbour] = current == start ? neighbour : firstHops[current]
          next.append(neighbour)
        }
      }
      level = next
    }
    return (firstHops, reachedByPeer)
  }

  func broadcast(at own: PeerName, _ reachedByPeer: ReachedByPeer) -> Set<PeerName> {
    guard let reached = reachedByPeer[own] else { return [] }
    return (neighbours[own] ?? []).subtracting(reached)
  }
}
