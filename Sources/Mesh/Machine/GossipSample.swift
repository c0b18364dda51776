// SPDX-License-Identifier: Apache-2.0

import Inet

/// The neighbours that hear a piece of gossip (wire notes, section 8.2).
enum GossipSample {
  /// Neighbours with their weights, the number of peers that are reached through each; by name.
  typealias Weights = [(neighbour: PeerName, weight: Int)]

  /// The weights of all neighbours in the routes, without the one where the data came from.
  static func weights(_ unicast: [PeerName: PeerName], except: PeerName?) -> Weights {
    var weights: [PeerName: Int] = [:]
    for hop in unicast.values where hop != except { weights[hop, default: 0] += 1 }
    return weights.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
  }

  /// How many of them hear it in a mesh of so many peers, ourselves too: 2·log₂, rounded down.
  static func count(peers: Int) -> Int {
    let square = peers.multipliedReportingOverflow(by: peers)
    guard peers > 0, !square.overflow else { return 0 }
    return Int.bitWidth - 1 - square.partialValue.leadingZeroBitCount
  }

  /// Draws distinct neighbours, each with a probability in proportion to its weight.
  static func choose(
    _ count: Int, of weights: Weights, random: inout some RandomNumberGenerator
  ) -> [PeerName] {
    guard count < weights.count else { return weights.map(\.neighbour) }
    var left = weights
    var chosen: [PeerName] = []
    while chosen.count < count {
      var rest = Int.random(in: 0..<left.reduce(0) { $0 + $1.weight }, using: &random)
      let index = left.firstIndex { entry in
        rest -= entry.weight
        return rest < 0
      }
      guard let index else { return chosen }
      chosen.append(left.remove(at: index).neighbour)
    }
    return chosen
  }
}
