// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Updates in any order, repeated and hostile.
struct TopologyConvergenceTests {
  private static let own = peer(0x100)

  /// What a dozen honest peers say in the course of time, some after a restart: no two descriptions
  /// with the same version and UID differ.
  private func history(_ random: inout SeededGenerator) -> [PeerDescription] {
    var history: [PeerDescription] = []
    for name in 1...12 as ClosedRange<UInt64> {
      var uid = random.next()
      for version in 0...6 as ClosedRange<UInt64> {
        if random.number(below: 4) == 0 { uid = random.next() }
        let others = (1...12).filter { $0 != name && random.number(below: 5) == 0 }.map(peer)
        history.append(
          described(
            peer(name), uid: uid, version: version,
            shortID: ShortID(truncating: UInt32(random.number(below: 5))), connectedWith: others))
      }
    }
    return history
  }

  /// A peer that hears all of `history`, in its own order, with repetitions, in updates of any
  /// size, and tells nobody.
  private func listener(
    _ history: [PeerDescription], _ random: inout SeededGenerator
  ) throws -> Topology {
    var topology = Topology(own: described(Self.own))
    for neighbour in 1...2 as ClosedRange<UInt64> {
      topology.addConnection(
        to: described(peer(neighbour), uid: 0), address: "", isOutbound: true)
    }
    let repeated = history + history.filter { _ in random.number(below: 3) == 0 }
    var rest = repeated.shuffled(using: &random)[...]
    while !rest.isEmpty {
      let update = TopologyUpdate(peers: Array(rest.prefix(1 + random.number(below: 9))))
      rest = rest.dropFirst(update.peers.count)
      let merge = topology.merge(update, random: &random)
      #expect(merge.changed.isSubset(of: merge.all))
      #expect(topology.merge(update, random: &random).changed == [], "\(random)")
    }
    return topology
  }

  @Test(arguments: fixedSeeds) func orderAndRepetitionMakeNoDifference(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<5 {
      let history = history(&random)
      var first = try listener(history, &random)
      for _ in 0..<4 {
        let other = try listener(history, &random)
        #expect(other.peers == first.peers, "\(random)")
      }
      let complete = first.update(about: nil)
      #expect(first.merge(complete, random: &random).changed == [], "\(random)")
      // Whoever hears only the result knows as much as who heard how it came about.
      var late = try listener(complete.peers.filter { $0.name != Self.own }, &random)
      _ = first.collectGarbage(random: &random)
      _ = late.collectGarbage(random: &random)
      #expect(late.peers == first.peers, "\(random)")
    }
  }

  @Test(arguments: fixedSeeds) func peersThatGossipComeToKnowTheSame(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let names = (1...10).map(peer)
    var topologies = names.map {
      // Numbers collide on purpose.
      Topology(own: described($0, uid: random.next(), shortID: ShortID(random.next() % 4)))
    }
    for index in names.indices {
      for other in names.indices where other + 1 == index || index + 1 == other {
        topologies[index].addConnection(
          to: described(names[other]), address: "", isOutbound: index < other)
      }
    }
    // Enough rounds for the last correction of a number to come to the other end of the chain.
    for _ in 0..<60 {
      for index in names.indices.shuffled(using: &random) {
        let update = topologies[index].update(about: nil)
        for other in names.indices where other + 1 == index || index + 1 == other {
          _ = topologies[other].merge(update, random: &random)
        }
      }
    }
    for topology in topologies {
      #expect(topology.peers == topologies[0].peers, "\(random)")
      #expect(topology.owner(of: try #require(topology.own.shortID)) == topology.ownName)
    }
    #expect(Set(topologies.map(\.own.shortID)).count == names.count, "\(random)")
  }

  /// Anything that fits the types, mostly about few names, versions and numbers.
  private func hostilePeer(_ random: inout SeededGenerator) -> PeerDescription {
    func name(_ random: inout SeededGenerator) -> PeerName {
      let kind = random.number(below: 20)
      return kind == 0 ? PeerName(bits: random.next()) : peer(kind == 1 ? 0x100 : random.next() % 8)
    }
    func number(_ random: inout SeededGenerator) -> UInt64 {
      [0, 1, 2, 50, .max - 1, .max, random.next()][random.number(below: 7)]
    }
    let connections = (0..<random.number(below: 8)).map { _ in
      PeerDescription.Connection(
        peer: name(&random), address: String(repeating: "é", count: random.number(below: 60)),
        isOutbound: random.number(below: 2) == 0, isEstablished: random.number(below: 2) == 0)
    }
    return PeerDescription(
      name: name(&random), nickname: String(repeating: "🕸", count: random.number(below: 400)),
      uid: number(&random), version: number(&random),
      shortID: random.number(below: 3) == 0
        ? nil : ShortID(truncating: UInt32(number(&random) & 7)),
      connections: connections)
  }

  @Test(arguments: fixedSeeds) func hostileUpdatesDoNoHarm(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var limits = Topology.Limits()
    limits.peerCount = 24
    limits.connectionCount = 60
    limits.peerShare = 2
    limits.neighbourShare = 4
    var topology = Topology(
      own: described(Self.own, uid: 50, shortID: ShortID(3)), limits: limits)
    var leftOut = 0
    for _ in 0..<1500 {
      let own = topology.own
      let update = (0..<random.number(below: 6)).map { _ in hostilePeer(&random) }
      let merge = topology.merge(TopologyUpdate(peers: update), random: &random)
      #expect(merge.isOwnChanged == (topology.own != own), "\(random)")
      if merge.leftOutCount > 0 {
        leftOut += merge.leftOutCount
        _ = topology.collectGarbage(random: &random)
      }
      if random.number(below: 30) == 0 { changeOwnConnections(&topology, &random) }
      #expect(topology.own.version >= own.version && topology.own.uid == 50, "\(random)")
      expectSound(topology, random)
      if random.number(below: 50) == 0 { expectSoundRoutes(topology, random) }
    }
    #expect(leftOut > 0, "\(random)")
  }

  private func changeOwnConnections(_ topology: inout Topology, _ random: inout SeededGenerator) {
    let name = peer(1 + random.next() % 8)
    switch random.number(below: 3) {
    case 0: topology.addConnection(to: described(name), address: "", isOutbound: true)
    case 1: topology.setEstablished(random.number(below: 2) == 0, with: name)
    default: topology.removeConnection(with: name)
    }
  }

  /// What holds for every picture.
  private func expectSound(_ topology: Topology, _ random: SeededGenerator) {
    var owners: [ShortID: PeerName] = [:]
    var connectionCount = 0
    for (name, peer) in topology.peers {
      let others = peer.connections.map(\.peer)
      #expect(peer.name == name && name != .unknown, "\(random)")
      #expect(others == Set(others).sorted(), "\(random)")
      #expect(peer.connections.allSatisfy { $0.address.utf8.count <= 48 }, "\(random)")
      #expect(peer.nickname.utf8.count <= 256, "\(random)")
      connectionCount += others.count
      if let shortID = peer.shortID { owners[shortID] = min(owners[shortID] ?? name, name) }
    }
    #expect(topology.connectionCount == connectionCount, "\(random)")
    // Our own few may come on top, and everybody's share.
    #expect(topology.peers.count <= 24 + 8, "\(random)")
    #expect(connectionCount <= 60 + 8 + 24 * 2 + 8 * 4, "\(random)")
    // What others claim is below 8; ours may be anything.
    for number in (0..<8).map({ ShortID(truncating: $0) }) + owners.keys {
      #expect(topology.owner(of: number) == owners[number], "\(random)")
    }
  }

  private func expectSoundRoutes(_ topology: Topology, _ random: SeededGenerator) {
    // Connections with those that there was no room for lead nowhere.
    let known = topology.peers.mapValues { peer in
      var peer = peer
      peer.connections.removeAll { topology.peers[$0.peer] == nil }
      return peer
    }
    let textbook = TextbookRoutes(known, edges: .all)
    var routes = Routes(topology, edges: .all)
    #expect(routes.unicast == textbook.widen(from: topology.ownName).firstHops, "\(random)")
    for source in topology.peers.keys {
      let (_, reached) = textbook.widen(from: source)
      let expected = textbook.broadcast(at: topology.ownName, reached).sorted()
      #expect(routes.broadcast(from: source) == expected, "\(random)")
    }
  }
}
