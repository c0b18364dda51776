// SPDX-License-Identifier: Apache-2.0

import Inet

/// A topology as widening walks over it: peers are indices in the order of their names, neighbours
/// are ranges of one array.
struct TopologyGraph: Sendable {
  /// Everybody, ascending, so that comparing indices compares names.
  let names: [PeerName]
  /// The neighbours of every peer, one peer after the other, each peer's ascending.
  private var neighbours: [Int32] = []
  /// Where the neighbours of each peer begin; at the end, where the last ones end.
  private var starts: [Int] = []

  init(_ peers: [PeerName: PeerDescription], edges: Routes.Edges) {
    names = peers.keys.sorted()
    starts.reserveCapacity(names.count + 1)
    for (index, name) in names.enumerated() {
      starts.append(neighbours.count)
      appendNeighbours(of: index, peers[name]?.connections ?? [], edges)
    }
    starts.append(neighbours.count)
    if edges == .established { keepMutual() }
  }

  /// The place of a name.
  func index(of name: PeerName) -> Int? {
    let index = firstIndex(notBelow: name, from: 0)
    return index < names.count && names[index] == name ? index : nil
  }

  private mutating func appendNeighbours(
    of index: Int, _ connections: [PeerDescription.Connection], _ edges: Routes.Edges
  ) {
    // Both lists ascend, so that each search goes on where the last one ended.
    var position = 0
    for connection in connections where edges == .all || connection.isEstablished {
      position = firstIndex(notBelow: connection.peer, from: position)
      guard position < names.count else { return }
      // A connection with oneself leads nowhere that was not reached before.
      guard names[position] == connection.peer, position != index else { continue }
      neighbours.append(Int32(truncatingIfNeeded: position))
    }
  }

  /// The first name that is not below `name`: steps of doubling length lead past it, halving finds
  /// it in the last one.
  private func firstIndex(notBelow name: PeerName, from start: Int) -> Int {
    var low = start
    var step = 1
    while low + step <= names.count, names[low + step - 1] < name {
      low += step
      step *= 2
    }
    var high = min(low + step - 1, names.count)
    while low < high {
      let middle = (low + high) / 2
      if names[middle] < name { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Leaves only the connections that both ends name.
  private mutating func keepMutual() {
    // Peers are asked for in ascending order, so that how far each one's neighbours were looked at
    // only grows.
    var cursors = Array(starts.dropLast())
    var mutual: [Int32] = []
    var mutualStarts: [Int] = []
    mutual.reserveCapacity(neighbours.count)
    mutualStarts.reserveCapacity(starts.count)
    for index in names.indices {
      mutualStarts.append(mutual.count)
      for position in starts[index]..<starts[index + 1] {
        let other = Int(neighbours[position])
        while cursors[other] < starts[other + 1], neighbours[cursors[other]] < index {
          cursors[other] += 1
        }
        if cursors[other] < starts[other + 1], neighbours[cursors[other]] == index {
          mutual.append(neighbours[position])
        }
      }
    }
    mutualStarts.append(mutual.count)
    neighbours = mutual
    starts = mutualStarts
  }
}

// MARK: - Widening

extension TopologyGraph {
  /// For each peer the first hop on the way to it, or nil if there is no way; `start` leads to
  /// itself.
  func firstHops(from start: Int) -> [Int?] {
    var firstHops = [Int?](repeating: nil, count: names.count)
    firstHops[start] = start
    var level = [start]
    var next: [Int] = []
    while !level.isEmpty {
      for peer in level {
        for position in starts[peer]..<starts[peer + 1] {
          let neighbour = Int(neighbours[position])
          guard firstHops[neighbour] == nil else { continue }
          firstHops[neighbour] = peer == start ? neighbour : firstHops[peer]
          next.append(neighbour)
        }
      }
      // The order within a level is all that makes the ways of every peer the same.
      next.sort()
      swap(&level, &next)
      next.removeAll(keepingCapacity: true)
    }
    return firstHops
  }

  private enum Standing: UInt8 { case other, wanted, reached }

  /// The neighbours of `stop` that are not reached yet when widening from `start` comes to it;
  /// none if it never does.
  ///
  /// `steps` grows by the connections that were walked over.
  func neighbours(of stop: Int, notReachedFrom start: Int, steps: inout Int) -> [Int] {
    var standings = [Standing](repeating: .other, count: names.count)
    let candidates = neighbours[starts[stop]..<starts[stop + 1]]
    for neighbour in candidates { standings[Int(neighbour)] = .wanted }
    var wantedCount = candidates.count - (standings[start] == .wanted ? 1 : 0)
    standings[start] = .reached
    var level = [start]
    var next: [Int] = []
    // Without a neighbour left the answer is none, whether `stop` is reached or not.
    while !level.isEmpty, wantedCount > 0 {
      for peer in level {
        if peer == stop {
          return candidates.map { Int($0) }.filter { standings[$0] == .wanted }
        }
        steps += starts[peer + 1] - starts[peer]
        for position in starts[peer]..<starts[peer + 1] {
          let neighbour = Int(neighbours[position])
          guard standings[neighbour] != .reached else { continue }
          if standings[neighbour] == .wanted { wantedCount -= 1 }
          standings[neighbour] = .reached
          next.append(neighbour)
        }
        if wantedCount == 0 { return [] }
      }
      next.sort()
      swap(&level, &next)
      next.removeAll(keepingCapacity: true)
    }
    return []
  }
}
