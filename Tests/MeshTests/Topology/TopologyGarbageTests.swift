// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Who is forgotten.
struct TopologyGarbageTests {
  private var random = SeededGenerator(seed: 1)

  /// 1 lists 2, 2 lists 3, 3 lists 4 and 1; 8 and 9 list each other, and 8 lists us.
  private mutating func topology() throws -> Topology {
    var topology = Topology(own: described(peer(5)))
    topology.addConnection(to: described(peer(1)), address: "", isOutbound: true)
    let peers = [
      described(peer(1), version: 1, connectedWith: [peer(2)]),
      described(peer(2), version: 1, connectedWith: [peer(3)]),
      described(peer(3), version: 1, connectedWith: [peer(1), peer(4)]),
      described(peer(8), version: 1, connectedWith: [peer(5), peer(9)]),
      described(peer(9), version: 1, connectedWith: [peer(8)]),
    ]
    _ = topology.merge(TopologyUpdate(peers: peers), random: &random)
    return topology
  }

  @Test mutating func whoCannotBeReachedIsForgotten() throws {
    var topology = try topology()
    #expect(topology.collectGarbage(random: &random).forgotten == [peer(8), peer(9)])
    #expect(topology.peers.keys.sorted() == (1...5).map(peer))
    #expect(topology.connectionCount == 5)
    #expect(topology.collectGarbage(random: &random).forgotten == [])
  }

  @Test mutating func connectionThatIsNotEstablishedKeepsAPeer() throws {
    var topology = try topology()
    var second = described(peer(2), version: 2, connectedWith: [peer(3)])
    second.connections[0].isEstablished = false
    _ = topology.merge(TopologyUpdate(peers: [second]), random: &random)
    _ = topology.collectGarbage(random: &random)
    #expect(topology.peers[peer(4)] != nil)
  }

  @Test mutating func everybodyIsForgottenWithTheLastConnection() throws {
    var topology = try topology()
    topology.removeConnection(with: peer(1))
    let forgotten = topology.collectGarbage(random: &random).forgotten
    #expect(forgotten == [1, 2, 3, 4, 8, 9].map(peer))
    #expect(topology.peers.keys.sorted() == [peer(5)])
    #expect(topology.connectionCount == 0)
  }

  @Test mutating func forgottenPeerCanComeBackAsItWas() throws {
    var topology = try topology()
    topology.removeConnection(with: peer(1))
    _ = topology.collectGarbage(random: &random)
    let update = described(peer(1), version: 1, connectedWith: [peer(2)])
    let merge = topology.merge(TopologyUpdate(peers: [update]), random: &random)
    #expect(merge.changed == [peer(1)])
    #expect(topology.peers[peer(1)] == update)
  }

  @Test(arguments: fixedSeeds) func exactlyTheReachableStay(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      let picture = Picture.random(count: 1 + random.number(below: 30), &random)
      for own in picture.peers.keys {
        var topology = picture.topology(of: own)
        let textbook = TextbookRoutes(topology.peers, edges: .all)
        let reachable = Set(textbook.widen(from: own).firstHops.keys).union([own])
        let everybody = Set(topology.peers.keys)
        let forgotten = topology.collectGarbage(random: &random).forgotten
        #expect(Set(topology.peers.keys) == reachable, "\(random)")
        #expect(forgotten == everybody.subtracting(reachable).sorted(), "\(random)")
        let count = topology.peers.values.reduce(0) { $0 + $1.connections.count }
        #expect(topology.connectionCount == count, "\(random)")
      }
    }
  }
}
