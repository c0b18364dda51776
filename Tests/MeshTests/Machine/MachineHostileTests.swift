// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Whatever comes in, nothing traps, nobody else suffers, and the log stays short.
@Suite struct MachineHostileTests {
  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func randomInputsNeverTrap(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var bench = MachineBench(seed: seed, password: seed % 2 == 0 ? nil : "secret")
    let peer = bench.join(2)
    let links = (0..<6).map { LinkIdentifier($0) } + [LinkIdentifier(1 << 63 + 5)]
    for _ in 0..<400 {
      bench.give(input(links, &random))
      if random.number(below: 8) == 0 {
        bench.wait(.milliseconds(Int64(random.number(below: 300))))
      }
    }
    #expect(!bench.closed.contains(peer), "seed \(seed)")
    #expect(bench.report.connections.contains { $0.peer == MachineNetwork.name(2) })
    #expect(Set(bench.refusals.keys).count <= 16)
  }

  private func input(_ links: [LinkIdentifier], _ random: inout SeededGenerator) -> MeshInput {
    let link = links[random.number(below: links.count)]
    let address = SocketAddress(
      IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())),
      port: UInt16(truncatingIfNeeded: random.next()))
    let header = Array("weave\u{1}\u{2}".utf8)
    switch random.number(below: 13) {
    case 0: return .accepted(link, remote: address, local: address)
    case 1: return .dialed(link, remote: address, local: address)
    case 2: return .dialFailed(link, reason: "because")
    case 3: return .received(link, random.bytes(random.number(below: 100)))
    case 4: return .received(link, header)
    case 5:
      return .received(link, [UInt8(random.number(below: 2)), 0, 0, 0, 20] + random.bytes(20))
    case 6: return .closed(link, reason: "because")
    case 7:
      return .special(special(from: address, &random))
    case 8: return .datagramTooLong(destination: address, pathMTU: random.number(below: 3000))
    case 9: return .underlayMTU(random.number(below: 3000))
    case 10: return .overlayMTU(random.number(below: 100_000))
    case 11:
      let target = MeshTarget(
        text: "\(random.number(below: 5))", addresses: [address], hasPort: random.next() % 2 == 0)
      return random.next() % 2 == 0
        ? .connect([target], isReplacing: random.number(below: 9) == 0) : .forget([target])
    default: return .deadline
    }
  }

  private func special(
    from source: SocketAddress, _ random: inout SeededGenerator
  ) -> OverlaySpecial {
    let contents: [OverlaySpecial.Content] = [
      .heartbeat(connectionUID: random.next(), announcedLength: 1390), .fragmentationTest,
      .damagedFragmentationTest, .lengthTest,
    ]
    return OverlaySpecial(
      overlay: random.number(below: 2) == 0 ? .fastdp : .sleeve,
      peer: random.number(below: 2) == 0 ? MachineNetwork.name(2) : PeerName(bits: random.next()),
      source: source, frameLength: random.number(below: 70_000),
      content: contents[random.number(below: contents.count)])
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func peerThatTalksNonsenseHarmsOnlyItself(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var bench = MachineBench(seed: seed)
    let good = bench.join(2)
    bench.beat(on: good)
    for _ in 0..<30 {
      let bad = bench.join(3)
      while !bench.closed.contains(bad) { try talk(&bench, bad, &random) }
    }
    #expect(!bench.closed.contains(good), "seed \(seed)")
    #expect(bench.report.connections.count { $0.peer == MachineNetwork.name(2) } == 1)
    bench.wait(.seconds(2))
    #expect(bench.report.peers.count <= 2 + 30, "seed \(seed)")
    #expect(bench.notes.count < 60)
  }

  @Test func unfinishedMessagesAreHeldOnlyUpToALimit() {
    var bench = MachineBench { $0.unfinishedLengthMax = 1_000_000 }
    let lengths: [(UInt8, Int)] = [(2, 100_000), (3, 400_000), (4, 300_000)]
    let others = lengths.map { number, length in
      let link = bench.join(number)
      bench.give(.received(link, [0, 0x90, 0, 0] + [UInt8](repeating: 4, count: length)))
      return link
    }
    #expect(bench.closed.isEmpty)
    let last = bench.join(5)
    bench.give(.received(last, [0, 0x90, 0, 0] + [UInt8](repeating: 4, count: 250_000)))
    #expect(bench.closed == [others[1]])
    #expect(bench.report.counts.terminations == 1)
  }

  /// Says something that is nearly right; in the end it is wrong.
  private func talk(
    _ bench: inout MachineBench, _ link: LinkIdentifier, _ random: inout SeededGenerator
  ) throws {
    var update = TopologyUpdate(peers: [
      PeerDescription(
        name: MachineNetwork.name(UInt8(random.number(below: 6))), nickname: "", uid: random.next(),
        version: random.next() >> 1,
        shortID: ShortID(truncating: UInt32(random.number(below: 4096))),
        connections: (0..<random.number(below: 4)).map { MachineBench.connection(to: UInt8($0)) })
    ]).gob
    let tags = [MessageTag.gossip, .gossipUnicast, .gossipBroadcast, .overlayControl, .heartbeat]
    let tag = tags[random.number(below: tags.count)]
    if random.number(below: 3) == 0 {
      update[random.number(below: update.count)] = UInt8(truncatingIfNeeded: random.next())
    }
    if random.number(below: 3) == 0 { update.removeLast(random.number(below: update.count)) }
    let destination: UInt8? = tag == .gossipUnicast ? UInt8(random.number(below: 5)) : nil
    let channel = random.number(below: 3) == 0 ? "IPallocation" : "topology"
    try bench.say(
      tag, channel, update, source: UInt8(random.number(below: 6)), destination: destination,
      on: link)
    if random.number(below: 20) == 0 {
      try bench.say(tag, random.bytes(random.number(below: 30)), on: link)
    }
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func networkComesToRestAfterTroubles(seed: UInt64) {
    var network = MachineNetwork(seed: seed)
    var random = SeededGenerator(seed: seed)
    let numbers = Array(1...5 as ClosedRange<UInt8>)
    for number in numbers { network.add(number, password: "secret") }
    for number in numbers { network.connect(number, to: number % 5 + 1) }
    for _ in 0..<30 {
      let one = numbers[random.number(below: 5)]
      let other = numbers[random.number(below: 5)]
      switch random.number(below: 4) {
      case 0: network.restart(one, isSilent: random.number(below: 2) == 0)
      case 1 where one != other: network.setCut(true, one, other)
      default: network.setCut(false, one, other)
      }
      if network.report(one).targets.isEmpty { network.connect(one, to: one % 5 + 1) }
      network.run(for: .milliseconds(Int64(random.number(below: 20_000))))
    }
    for one in numbers { for other in numbers { network.setCut(false, one, other) } }
    #expect(network.run(atMost: .seconds(900)) { $0.isFullMesh(numbers) }, "seed \(seed)")
    network.run(for: .seconds(40))
    for number in numbers {
      let report = network.report(number)
      #expect(report.peers.count == 5, "seed \(seed)")
      #expect(report.peers.allSatisfy { $0.connections.allSatisfy(\.isEstablished) })
      #expect(report.connections.count == 4, "seed \(seed)")
    }
  }
}
