// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// What is taken when as much is known as is kept, most of it perhaps invented.
struct TopologyLimitTests {
  private let own = described(peer(5), uid: 50, version: 10)
  private var random = SeededGenerator(seed: 1)

  private func topology(
    _ change: (inout Topology.Limits) -> Void
  ) -> Topology {
    var limits = Topology.Limits()
    limits.peerShare = 1
    limits.neighbourShare = 3
    change(&limits)
    return Topology(own: own, limits: limits)
  }

  private mutating func merge(
    _ peers: [PeerDescription], into topology: inout Topology
  ) -> Topology.Merge {
    topology.merge(TopologyUpdate(peers: peers), random: &random)
  }

  @Test mutating func knownPeersAreFollowedAndNewNamesLeftOut() {
    var topology = topology { $0.peerCount = 4 }
    let first = described(peer(1), version: 1, connectedWith: [peer(2), peer(3), peer(5)])
    #expect(merge([first], into: &topology).leftOutCount == 0)
    #expect(topology.peers.count == 4)
    let second = described(peer(1), version: 2, connectedWith: [peer(2), peer(4), peer(5)])
    let newcomer = described(peer(4), version: 1, connectedWith: [peer(1)])
    let merge = merge([second, newcomer], into: &topology)
    #expect(merge.changed == [peer(1)] && merge.leftOutCount == 1)
    // Others are to hear of it as it is.
    #expect(topology.peers[peer(1)] == second)
    #expect(topology.peers.keys.sorted() == [1, 2, 3, 5].map { peer($0) })
    // Nothing leads to 3 any more, so that there is room for 4.
    #expect(topology.collectGarbage(random: &random).forgotten == [peer(1), peer(2), peer(3)])
    topology.addConnection(to: described(peer(1)), address: "", isOutbound: true)
    #expect(self.merge([second, newcomer], into: &topology).leftOutCount == 0)
    #expect(topology.peers.keys.sorted() == [1, 2, 4, 5].map { peer($0) })
    #expect(Routes(topology, edges: .established).unicast[peer(4)] == nil)
    #expect(Routes(topology, edges: .all).unicast[peer(4)] == peer(1))
  }

  @Test mutating func whoeverConnectsWithUsIsTaken() {
    var topology = topology { $0.peerCount = 3 }
    _ = merge([described(peer(1), connectedWith: [peer(2)])], into: &topology)
    let guest = described(peer(9), version: 1, connectedWith: [peer(5)])
    #expect(merge([guest], into: &topology).leftOutCount == 1)
    topology.addConnection(to: described(peer(9)), address: "", isOutbound: false)
    topology.setEstablished(true, with: peer(9))
    let merge = merge([guest], into: &topology)
    #expect(merge.changed == [peer(9)] && merge.leftOutCount == 0)
    #expect(Routes(topology, edges: .established).unicast == [peer(9): peer(9)])
  }

  @Test mutating func ofManyNewNamesTheNearestAreTakenInTurn() {
    var topology = topology { $0.peerCount = 10 }
    topology.addConnection(to: described(peer(8)), address: "", isOutbound: true)
    // We know 8, which knows the liar 1 and 7; 7 knows 9 and 10, and 1 a crowd.
    let crowd = (100...200).map { peer($0) }
    let update =
      [
        described(peer(8), version: 1, connectedWith: [peer(1), peer(5), peer(7)]),
        described(peer(1), version: 1, connectedWith: [peer(8)] + crowd),
        described(peer(7), version: 1, connectedWith: [peer(8), peer(9), peer(10)]),
      ] + crowd.map { described($0, version: 1, connectedWith: [peer(1)]) }
    let merge = merge(update, into: &topology)
    let expected = [1, 5, 7, 8, 9, 10, 100, 101, 102, 103].map { peer($0) }
    #expect(topology.peers.keys.sorted() == expected)
    #expect(merge.leftOutCount == 97)
  }

  @Test mutating func whatNothingLeadsToIsTakenLast() {
    var topology = topology { $0.peerCount = 3 }
    topology.addConnection(to: described(peer(8)), address: "", isOutbound: true)
    let near = described(peer(8), version: 1, connectedWith: [peer(9)])
    let far = (1...4).map { described(peer($0), version: 1) }
    #expect(merge(far + [near], into: &topology).leftOutCount == 4)
    #expect(topology.peers.keys.sorted() == [peer(5), peer(8), peer(9)])
  }

  @Test mutating func atTheLimitOfConnectionsEachHasItsShare() {
    var topology = topology { $0.connectionCount = 5 }
    topology.addConnection(to: described(peer(8)), address: "", isOutbound: true)
    let four = (1...4).map { peer($0) }
    let fitting = described(peer(1), version: 1, connectedWith: four)
    #expect(merge([fitting], into: &topology).leftOutCount == 0)
    #expect(topology.connectionCount == 5)
    // One is a peer's share, three that of somebody we are connected with.
    let wide = described(peer(2), version: 1, connectedWith: [peer(1), peer(3)])
    let merged = merge([wide], into: &topology)
    #expect(merged.changed == [] && merged.leftOutCount == 1)
    let narrow = described(peer(2), version: 1, connectedWith: [peer(1)])
    #expect(merge([narrow], into: &topology).changed == [peer(2)])
    let neighbour = described(peer(8), version: 1, connectedWith: [peer(1), peer(2), peer(5)])
    #expect(merge([neighbour], into: &topology).changed == [peer(8)])
    #expect(topology.connectionCount == 9)
    // What makes room is taken, and at once what has room then.
    let less = described(peer(1), version: 2, connectedWith: [])
    topology.removeConnection(with: peer(8))
    let gone = described(peer(8), version: 2)
    let merge = merge([wide, less, gone].map { counted($0, 3) }, into: &topology)
    #expect(merge.changed == [peer(1), peer(2), peer(8)] && merge.leftOutCount == 0)
    #expect(topology.connectionCount == 2)
  }

  private func counted(_ peer: PeerDescription, _ version: UInt64) -> PeerDescription {
    var peer = peer
    peer.version = version
    return peer
  }

  @Test mutating func longListsAreCutTheSameEverywhere() {
    var topology = topology { $0.connectionCountOfPeer = 2 }
    _ = merge(
      [described(peer(1), version: 1, connectedWith: [peer(9), peer(3), peer(7)])],
      into: &topology)
    #expect(topology.peers[peer(1)]?.connections.map(\.peer) == [peer(3), peer(7)])
    #expect(topology.peers.count == 4)
  }
}
