// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Who has which short number, and who has to draw another.
struct ShortIDOwnershipTests {
  private var random = SeededGenerator(seed: 1)
  private let seven = ShortID(truncating: 7)
  private let eight = ShortID(truncating: 8)

  @Test mutating func lowestNameOwnsWhoeverComesFirst() throws {
    var topology = Topology(own: described(peer(50)))
    for (name, owner) in [(9, 9), (3, 3), (6, 3)] as [(UInt64, UInt64)] {
      let update = described(peer(name), version: 1, shortID: seven)
      _ = topology.merge(TopologyUpdate(peers: [update]), random: &random)
      #expect(topology.owner(of: seven) == peer(owner))
    }
    #expect(topology.owner(of: eight) == nil)
  }

  @Test mutating func nextLowestNameOwnsWhatTheOwnerLetsGo() throws {
    var topology = Topology(own: described(peer(50)))
    let all = [3, 6, 9].map { described(peer($0), version: 1, shortID: seven) }
    _ = topology.merge(TopologyUpdate(peers: all), random: &random)
    let moved = described(peer(3), version: 2, shortID: eight)
    _ = topology.merge(TopologyUpdate(peers: [moved]), random: &random)
    #expect(topology.owner(of: seven) == peer(6))
    #expect(topology.owner(of: eight) == peer(3))
    let silent = described(peer(6), version: 2)
    _ = topology.merge(TopologyUpdate(peers: [silent]), random: &random)
    #expect(topology.owner(of: seven) == peer(9))
    #expect(topology.collectGarbage(random: &random).forgotten == [peer(3), peer(6), peer(9)])
    #expect(topology.owner(of: seven) == nil && topology.owner(of: eight) == nil)
  }

  @Test mutating func higherNameDrawsAnother() throws {
    var topology = Topology(own: described(peer(5), version: 10, shortID: seven))
    let update = TopologyUpdate(peers: [described(peer(4), version: 1, shortID: seven)])
    #expect(topology.merge(update, random: &random).isOwnChanged)
    let drawn = try #require(topology.own.shortID)
    #expect(drawn != seven)
    #expect(topology.owner(of: drawn) == peer(5) && topology.owner(of: seven) == peer(4))
    #expect(topology.own.version == 11)
    #expect(!topology.merge(update, random: &random).isOwnChanged)
    #expect(topology.own.shortID == drawn && topology.own.version == 11)
  }

  @Test mutating func collisionWithANewNeighbourIsSettledByTheNextUpdate() throws {
    var topology = Topology(own: described(peer(5), shortID: seven))
    topology.addConnection(
      to: described(peer(4), shortID: seven), address: "", isOutbound: true)
    #expect(topology.owner(of: seven) == peer(4))
    #expect(topology.merge(TopologyUpdate(peers: []), random: &random).isOwnChanged)
    #expect(topology.own.shortID != seven && topology.own.version == 2)
  }

  @Test mutating func peerWithoutAShortIDDrawsNone() throws {
    var topology = Topology(own: described(peer(5)))
    let update = TopologyUpdate(peers: [described(peer(4), version: 1, shortID: seven)])
    #expect(!topology.merge(update, random: &random).isOwnChanged)
    #expect(topology.own.shortID == nil)
  }

  @Test(arguments: fixedSeeds) func lowestNameNeverDrawsAnother(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var topology = Topology(own: described(peer(1), shortID: seven))
    for version in 1...40 as ClosedRange<UInt64> {
      let others = (0..<20).map { _ in
        described(
          peer(2 + random.next() % 50), version: version,
          shortID: ShortID(truncating: UInt32(6 + random.number(below: 3))))
      }
      #expect(!topology.merge(TopologyUpdate(peers: others), random: &random).isOwnChanged)
      if random.number(below: 4) == 0 { _ = topology.collectGarbage(random: &random) }
      #expect(topology.own.shortID == seven && topology.own.version == 0, "\(random)")
      #expect(topology.owner(of: seven) == peer(1), "\(random)")
    }
  }

  /// Peers 1 to `count`, with short numbers from 0 on, connected with `other`.
  private func crowd(_ count: UInt64, connectedWith other: PeerName) -> [PeerDescription] {
    (1...count).map {
      described(peer($0), version: 1, shortID: ShortID($0 - 1), connectedWith: [other])
    }
  }

  @Test mutating func lastUnusedNumberIsFound() throws {
    var topology = Topology(own: described(peer(9999), shortID: seven))
    _ = topology.merge(
      TopologyUpdate(peers: crowd(4095, connectedWith: peer(9999))), random: &random)
    #expect(topology.own.shortID == ShortID(4095))
    #expect(topology.own.version == 1)
  }

  @Test mutating func withoutAnUnusedNumberACollisionWaitsForOneToBecomeFree() throws {
    var topology = Topology(own: described(peer(9999), shortID: seven))
    let crowd = crowd(4096, connectedWith: peer(9999))
    #expect(!topology.merge(TopologyUpdate(peers: crowd), random: &random).isOwnChanged)
    #expect(topology.own.shortID == seven && topology.own.version == 0)
    #expect(topology.owner(of: seven) == peer(8))
    // We are connected with 1, who is with everybody but 1235, who had number 1234.
    topology.addConnection(to: crowd[0], address: "", isOutbound: true)
    let others = (2...4096).filter { $0 != 1235 }.map { peer($0) }
    let hub = described(peer(1), version: 2, shortID: ShortID(0), connectedWith: others)
    #expect(!topology.merge(TopologyUpdate(peers: [hub]), random: &random).isOwnChanged)
    let (forgotten, isOwnChanged) = topology.collectGarbage(random: &random)
    #expect(forgotten == [peer(1235)] && isOwnChanged)
    #expect(topology.own.shortID == ShortID(1234) && topology.own.version == 2)
    #expect(topology.owner(of: ShortID(truncating: 1234)) == peer(9999))
  }
}
