// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// The rules for taking an update, one by one.
struct TopologyMergeTests {
  private let own = described(peer(5), uid: 50, version: 10)
  private var random = SeededGenerator(seed: 1)

  private mutating func merge(
    _ peers: [PeerDescription], into topology: inout Topology
  ) throws -> Topology.Merge {
    topology.merge(TopologyUpdate(peers: peers), random: &random)
  }

  @Test mutating func newPeersAndWhomTheyMentionAreAdded() throws {
    var topology = Topology(own: own)
    let new = described(peer(1), version: 3, connectedWith: [peer(2), peer(3), peer(5)])
    let other = described(peer(2), version: 4)
    let merge = try merge([new, other], into: &topology)
    #expect(merge.changed == [peer(1), peer(2)])
    #expect(merge.all == [peer(1), peer(2)])
    #expect(!merge.isOwnChanged)
    #expect(topology.peers[peer(1)] == new)
    #expect(topology.peers[peer(2)] == other)
    #expect(topology.peers[peer(3)] == described(peer(3), uid: 0))
    #expect(topology.peers.count == 4)
    #expect(topology.connectionCount == 3)
  }

  @Test(
    arguments: [
      // version and UID of the update, whether it is taken; known are version 7 and UID 100.
      (6, 200, false), (7, 99, false), (7, 100, false), (7, 101, true), (8, 1, true),
    ] as [(UInt64, UInt64, Bool)])
  mutating func knownPeerIsReplacedByWhatIsNewer(version: UInt64, uid: UInt64, isTaken: Bool) throws
  {
    var topology = Topology(own: own)
    let known = described(peer(1), uid: 100, version: 7, connectedWith: [peer(2)])
    _ = try merge([known], into: &topology)
    let update = described(peer(1), uid: uid, version: version, connectedWith: [peer(3)])
    let merge = try merge([update], into: &topology)
    #expect(topology.peers[peer(1)] == (isTaken ? update : known))
    #expect(merge.changed == (isTaken ? [peer(1)] : []))
    #expect(merge.all == [peer(1)])
    #expect((topology.peers[peer(3)] != nil) == isTaken)
    #expect(topology.connectionCount == 1)
  }

  @Test mutating func shortIDMayArriveLate() throws {
    var topology = Topology(own: own)
    let without = described(peer(1), uid: 100, version: 7)
    let with = described(peer(1), uid: 100, version: 7, shortID: ShortID(9))
    _ = try merge([without], into: &topology)
    #expect(try merge([with], into: &topology).changed == [peer(1)])
    #expect(topology.owner(of: ShortID(truncating: 9)) == peer(1))
    #expect(try merge([without], into: &topology).changed == [])
    let another = described(peer(1), uid: 100, version: 7, shortID: ShortID(10))
    #expect(try merge([another], into: &topology).changed == [])
    #expect(topology.peers[peer(1)] == with)
  }

  @Test mutating func placeholderIsReplacedByADescription() throws {
    var topology = Topology(own: own)
    _ = try merge([described(peer(1), connectedWith: [peer(2)])], into: &topology)
    let described = described(peer(2), uid: 9, version: 0)
    #expect(try merge([described], into: &topology).changed == [peer(2)])
    #expect(topology.peers[peer(2)] == described)
  }

  @Test mutating func bestOfSeveralDescriptionsOfAPeerIsTaken() throws {
    var topology = Topology(own: own)
    let best = described(peer(1), version: 9)
    _ = try merge([described(peer(1), version: 8), best, described(peer(1))], into: &topology)
    #expect(topology.peers[peer(1)] == best)
  }

  @Test(
    arguments: [
      // version of the update, our version afterwards; ours was 10.
      (9, 10), (10, 11), (11, 12), (.max, .max),
    ] as [(UInt64, UInt64)])
  mutating func earlierIncarnationIsOutlived(version: UInt64, expected: UInt64) throws {
    var topology = Topology(own: own)
    let earlier = described(peer(5), uid: 49, version: version, connectedWith: [peer(1)])
    let first = try merge([earlier], into: &topology)
    #expect(topology.own.version == expected)
    #expect(topology.own.uid == 50 && topology.own.connections == [])
    #expect(first.isOwnChanged == (expected != 10))
    #expect(first.changed == [] && first.all == [peer(5)])
    #expect(topology.peers.count == 1)
    #expect(try !merge([earlier], into: &topology).isOwnChanged)
  }

  @Test mutating func ourselvesAreNotTakenFromOthers() throws {
    var topology = Topology(own: own)
    let impostor = described(peer(5), uid: 50, version: 99, connectedWith: [peer(1)])
    let merge = try merge([impostor], into: &topology)
    #expect(merge.changed == [] && merge.all == [peer(5)] && !merge.isOwnChanged)
    #expect(topology.peers == [peer(5): own])
  }

  @Test mutating func unknownNameIsNobody() throws {
    var topology = Topology(own: own)
    let merge = try merge(
      [described(.unknown, version: 4), described(peer(1), connectedWith: [.unknown, peer(5)])],
      into: &topology)
    #expect(merge.changed == [peer(1)] && merge.all == [peer(1)])
    #expect(topology.peers.keys.sorted() == [peer(1), peer(5)])
    #expect(topology.peers[peer(1)]?.connections.map(\.peer) == [peer(5)])
  }

  @Test mutating func connectionsAreSortedAndThoseWithTheSamePeerMerged() throws {
    var topology = Topology(own: own)
    var update = described(peer(1), connectedWith: [peer(9), peer(5), peer(9)])
    update.connections[2].address = "10.0.0.2:6783"
    _ = try merge([update], into: &topology)
    #expect(topology.peers[peer(1)]?.connections == [update.connections[1], update.connections[2]])
    #expect(topology.connectionCount == 2)
  }

  @Test mutating func longTextsAreLimited() throws {
    var topology = Topology(own: own)
    var update = described(peer(1), connectedWith: [peer(2), peer(3)])
    update.nickname = String(repeating: "ä", count: 1000)
    update.connections[0].address = String(repeating: "1", count: 48)
    update.connections[1].address = String(repeating: "1", count: 49)
    _ = try merge([update], into: &topology)
    let limited = topology.peers[peer(1)]
    #expect(limited?.nickname == String(repeating: "ä", count: 128))
    #expect(limited?.connections.map(\.address) == [update.connections[0].address, ""])
    update.name = peer(4)
    update.nickname = "a" + update.nickname
    _ = try merge([update], into: &topology)
    #expect(topology.peers[peer(4)]?.nickname.utf8.count == 255)
  }
}
