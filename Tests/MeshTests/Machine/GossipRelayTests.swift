// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import TestSupport
import Testing

/// What becomes of gossip, of our own channel and of others.
@Suite struct GossipRelayTests {
  /// A bench with players 2 and 3, who have described their connection with the machine.
  private func pair() throws -> (bench: MachineBench, two: LinkIdentifier, three: LinkIdentifier) {
    var bench = MachineBench { $0.hasDiscovery = false }
    let two = bench.join(2)
    let three = bench.join(3)
    try bench.describe(2, connections: [MachineBench.connection(to: 1)], on: two)
    try bench.describe(3, connections: [MachineBench.connection(to: 1)], on: three)
    bench.wait(.seconds(3))
    _ = bench.takeUpdates(on: two)
    _ = bench.takeUpdates(on: three)
    return (bench, two, three)
  }

  private func expectHeard(
    _ count: Int, _ bench: inout MachineBench, on links: [LinkIdentifier],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let heard = links.flatMap { bench.takeHeard(on: $0) }
    #expect(heard.count == count, sourceLocation: sourceLocation)
  }

  private func expectNoUpdates(
    _ bench: inout MachineBench, on link: LinkIdentifier,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let updates = bench.takeUpdates(on: link)
    #expect(updates.isEmpty, sourceLocation: sourceLocation)
  }

  @Test func gossipOfAnUnknownChannelIsPassedOnOnce() throws {
    var (bench, two, three) = try pair()
    try bench.say(.gossip, "IPallocation", [1, 2, 3], on: two)
    let heard = bench.takeHeard(on: three)
    #expect(heard.map(\.tag) == [.gossip])
    let envelope = try GossipEnvelope(gob: try #require(heard.first).payload, isUnicast: false)
    #expect(envelope.channel == "IPallocation" && envelope.payload == [1, 2, 3])
    #expect(envelope.source == MachineBench.name)
    expectHeard(0, &bench, on: [two])
    // The same again is old, from wherever; on another channel it is something else.
    try bench.say(.gossip, "IPallocation", [1, 2, 3], on: three)
    try bench.say(.gossip, "IPallocation", [1, 2, 3], on: two)
    expectHeard(0, &bench, on: [two, three])
    try bench.say(.gossip, "nameserver", [1, 2, 3], on: two)
    expectHeard(1, &bench, on: [three])
    bench.wait(.seconds(31))
    try bench.say(.gossip, "IPallocation", [1, 2, 3], on: two)
    expectHeard(1, &bench, on: [three])
  }

  @Test func broadcastIsPassedOnWithItsSource() throws {
    var (bench, two, three) = try pair()
    for _ in 0..<2 {
      try bench.say(.gossipBroadcast, "IPallocation", [7], on: two)
      let heard = bench.takeHeard(on: three)
      #expect(heard.map(\.tag) == [.gossipBroadcast])
      let envelope = try GossipEnvelope(gob: try #require(heard.first).payload, isUnicast: false)
      #expect(envelope.source == MachineNetwork.name(2) && envelope.payload == [7])
      expectHeard(0, &bench, on: [two])
    }
    // Ours come back only by mistake, and nobody knows the way from peer 9.
    try bench.say(.gossipBroadcast, "IPallocation", [7], source: 1, on: two)
    try bench.say(.gossipBroadcast, "IPallocation", [7], source: 9, on: two)
    expectHeard(0, &bench, on: [two, three])
  }

  @Test func whatIsPassedOnTakesTheWaysOfNow() throws {
    var (bench, two, three) = try pair()
    let four = bench.join(4)
    // Routes were calculated when it joined; now they are due again only in 100 ms.
    try bench.describe(4, connections: [MachineBench.connection(to: 1)], on: four)
    try bench.say(.gossipBroadcast, "IPallocation", [7], on: four)
    expectHeard(2, &bench, on: [two, three])
    try bench.say(.gossipUnicast, "IPallocation", [7], destination: 4, on: two)
    expectHeard(1, &bench, on: [four])
  }

  @Test func unicastIsPassedOnByteForByte() throws {
    var (bench, two, three) = try pair()
    // A stream with a definition that nobody needs, as another encoder might write it.
    let envelope = GossipEnvelope(
      channel: "IPallocation", source: MachineNetwork.name(2),
      destination: MachineNetwork.name(3), payload: [9])
    let spare: [UInt8] = [
      0x0E, 0xFF, 0x81, 0x04, 0x01, 0x02, 0xFF, 0x82, 0, 1, 0x0C, 1, 0x0C, 0, 0,
    ]
    try bench.say(.gossipUnicast, spare + envelope.gob, on: two)
    let heard = bench.takeHeard(on: three)
    #expect(heard.map(\.tag) == [.gossipUnicast])
    #expect(heard.first?.payload == spare + envelope.gob)
    // For us, for nobody, and back.
    for destination: UInt8 in [1, 9, 2] {
      try bench.say(.gossipUnicast, "IPallocation", [9], destination: destination, on: two)
    }
    expectHeard(0, &bench, on: [two, three])
    #expect(bench.report.connections.count == 2)
  }

  @Test func newsOfTheTopologyArePassedOnButNotBack() throws {
    var (bench, two, three) = try pair()
    let connections = [1, 9].map { MachineBench.connection(to: $0) }
    try bench.describe(2, version: 2, connections: connections, on: two)
    bench.wait(MeshTiming.news)
    let updates = bench.takeUpdates(on: three)
    #expect(updates.map { $0.peers.map(\.name) } == [[MachineNetwork.name(2)]])
    #expect(updates.first?.peers.first?.connections.map(\.peer) == connections.map(\.peer))
    expectNoUpdates(&bench, on: two)
    // Old news are none.
    try bench.describe(2, version: 2, connections: connections, on: two)
    bench.wait(MeshTiming.news)
    expectNoUpdates(&bench, on: three)
  }

  @Test func newsThatComeTogetherArePassedOnTogether() throws {
    var (bench, two, three) = try pair()
    for version: UInt64 in 2...40 {
      try bench.describe(
        2, version: version, connections: [1, 9].map { MachineBench.connection(to: $0) }, on: two)
      try bench.describe(
        9, version: version, connections: [MachineBench.connection(to: 2)], on: two)
    }
    bench.wait(MeshTiming.news)
    let updates = bench.takeUpdates(on: three)
    // Of each the latest, in the order of names.
    #expect(
      updates.map { $0.peers.map(\.name) } == [[MachineNetwork.name(2), MachineNetwork.name(9)]])
    #expect(updates.first?.peers.map(\.version) == [40, 40])
  }

  @Test func whatWasForgottenIsLearnedAgainFromTheSameWords() throws {
    var bench = MachineBench { $0.hasDiscovery = false }
    for _ in 0..<3 {
      let two = bench.join(2)
      let connections = [1, 9].map { MachineBench.connection(to: $0) }
      for _ in 0..<2 { try bench.describe(2, connections: connections, on: two) }
      #expect(bench.report.peers.count == 3)
      bench.give(.closed(two, reason: "gone"))
      #expect(bench.report.peers.count == 1)
    }
  }

  @Test func broadcastOfTheTopologyIsTakenFromOldPeers() throws {
    var (bench, two, three) = try pair()
    let peer = PeerDescription(
      name: MachineNetwork.name(2), nickname: "renamed", uid: 2, version: 5, shortID: nil,
      connections: [MachineBench.connection(to: 1)])
    let update = TopologyUpdate(peers: [peer]).gob
    try bench.say(.gossipBroadcast, "topology", update, on: two)
    #expect(bench.report.peers.contains { $0.nickname == "renamed" })
    let heard = bench.takeHeard(on: three)
    #expect(heard.map(\.tag) == [.gossipBroadcast])
  }

  @Test func newNeighbourHearsEverythingAtOnce() throws {
    var (bench, _, three) = try pair()
    let four = bench.join(4)
    let updates = bench.takeUpdates(on: four)
    let first = try #require(updates.first)
    #expect(first.peers.map(\.name) == (1...4).map { MachineNetwork.name($0) })
    // Two changes within a second are told as one.
    expectNoUpdates(&bench, on: three)
    let five = bench.join(5)
    _ = bench.takeUpdates(on: five)
    bench.wait(.milliseconds(1100))
    let told = bench.takeUpdates(on: three) + bench.takeUpdates(on: five)
    let news = try #require(told.first)
    #expect(news.peers.map(\.name) == [1, 4, 5].map { MachineNetwork.name($0) })
    #expect(told.allSatisfy { $0 == news })
  }

  @Test func everythingIsToldEveryThirtySeconds() throws {
    var (bench, two, three) = try pair()
    for _ in 0..<4 {
      bench.wait(.seconds(30))
      bench.beat(on: two)
      bench.beat(on: three)
      for link in [two, three] {
        let updates = bench.takeUpdates(on: link)
        #expect(updates.map { $0.peers.count } == [3])
        #expect(bench.players[link]?.heard.count { $0.tag == .heartbeat } == 1)
        _ = bench.takeHeard(on: link)
        try bench.say(.heartbeat, [], on: link)
      }
    }
  }

  @Test(arguments: ["envelope", "update", "unicast", "empty"])
  func gossipThatCannotBeReadEndsOnlyItsConnection(kind: String) throws {
    var (bench, two, three) = try pair()
    switch kind {
    case "envelope": try bench.say(.gossip, [1, 2, 3], on: two)
    case "update": try bench.say(.gossip, "topology", [0xFF, 0, 1], on: two)
    case "unicast": try bench.say(.gossipUnicast, "topology", [], destination: 1, on: two)
    default: try bench.say(.gossipBroadcast, [], on: two)
    }
    #expect(bench.closed == [two])
    #expect(bench.report.connections.map(\.peer) == [MachineNetwork.name(3)])
    #expect(bench.report.counts.terminations == 1)
    let note = try #require(bench.notes.last { $0.text == "connection ended" })
    #expect(note.details["reason"]?.contains("gossip") == true)
    // The others hear of it.
    bench.wait(.seconds(2))
    let updates = bench.takeUpdates(on: three)
    let update = try #require(updates.last)
    #expect(update.peers.first?.connections.map(\.peer) == [MachineNetwork.name(3)])
  }

  @Test func weightsFollowTheRoutes() {
    let names = (0...4).map { MachineNetwork.name($0) }
    let unicast = [
      names[1]: names[1], names[2]: names[1], names[3]: names[3], names[4]: names[3],
    ]
    let weights = GossipSample.weights(unicast, except: names[3])
    #expect(weights.map(\.neighbour) == [names[1]] && weights.map(\.weight) == [2])
    #expect([1, 2, 3, 4, 100].map { GossipSample.count(peers: $0) } == [0, 2, 3, 4, 13])
    var random = SeededGenerator(seed: 1)
    var counts: [PeerName: Int] = [:]
    let uneven: GossipSample.Weights = [(names[1], 1), (names[2], 9), (names[3], 90)]
    for _ in 0..<2000 {
      let chosen = GossipSample.choose(2, of: uneven, random: &random)
      #expect(Set(chosen).count == 2)
      for name in chosen { counts[name, default: 0] += 1 }
    }
    let order = [names[1], names[2], names[3]].map { counts[$0] ?? 0 }
    #expect(order == order.sorted() && order[0] > 0 && order[2] > 1950)
  }

  @Test func memoryOfPayloadsIsBounded() {
    var seen = SeenPayloads()
    let start = MeshInstant(nanoseconds: 0)
    for number in 0..<20_000 {
      let payload = text(number)
      let isNew = seen.insert(payload, channel: "x", now: start)
      #expect(isNew)
    }
    #expect(seen.count == SeenPayloads.countMax)
    let isNewAgain = seen.insert(text(19_999), channel: "x", now: start)
    let isNewLater = seen.insert([], channel: "x", now: start.advanced(by: .seconds(30)))
    #expect(!isNewAgain && isNewLater)
    #expect(seen.count == 1)
  }

  private func text(_ number: Int) -> [UInt8] { Array(String(number).utf8) }
}
