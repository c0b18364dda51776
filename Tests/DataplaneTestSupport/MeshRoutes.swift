// SPDX-License-Identifier: Apache-2.0

/// Who sends what to whom in a mesh in which all connections are established.
///
/// Peers are numbers, ordered as their names are. Written from the description of Weave Net's
/// routes, without the product's code.
package struct MeshRoutes {
  /// Peers.
  package let count: Int
  /// By peer, in order.
  package let neighbours: [[Int]]

  /// Takes the connections, each once.
  package init(count: Int, edges: [(Int, Int)]) {
    self.count = count
    neighbours = (0..<count).map { peer in
      let ends = edges.compactMap { $0 == peer ? $1 : $1 == peer ? $0 : nil }
      return Set(ends).sorted()
    }
  }

  /// The neighbour of `peer` that frames for `target` go to.
  package func nextHop(from peer: Int, to target: Int) -> Int? {
    widen(from: peer, until: nil).firstHops[target]
  }

  /// The neighbours that `peer` passes floods of `source` on to; its own, if it is the source.
  package func broadcast(at peer: Int, from source: Int) -> [Int] {
    let widening = widen(from: source, until: peer)
    guard widening.isFound else { return [] }
    return neighbours[peer].filter { !widening.reached.contains($0) }
  }

  private struct Widening {
    var reached: Set<Int>
    var firstHops: [Int: Int] = [:]
    var isFound = false
  }

  /// Level after level, each in the order of names.
  private func widen(from start: Int, until end: Int?) -> Widening {
    var widening = Widening(reached: [start])
    var level = [start]
    while !level.isEmpty {
      var next: [Int] = []
      for peer in level.sorted() {
        if peer == end {
          widening.isFound = true
          return widening
        }
        for neighbour in neighbours[peer] where widening.reached.insert(neighbour).inserted {
          widening.firstHops[neighbour] = peer == start ? neighbour : widening.firstHops[peer]
          next.append(neighbour)
        }
      }
      level = next
    }
    return widening
  }
}
