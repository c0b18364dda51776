// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Sealing
import TestSupport
import Testing

/// Frames for endpoints that are reached by sealed VXLAN leave in ESP.
struct SealedVXLANTests {
  private typealias Delivery = SecureBench.Delivery

  @Test func framesOfAllLengthsOpenByteForByte() throws {
    let bench = try SecureBench()
    let lengths = Array(14...bench.bridge.espFrameLengthMax)
    var last: UInt64 = 0
    for start in stride(from: 0, to: lengths.count, by: 64) {
      let frames = lengths[start..<min(start + 64, lengths.count)].map {
        opaqueFrame(from: 1, to: 11, length: $0)
      }
      let sent = try bench.pass(frames)
      try #require(sent.count == frames.count)
      for (outer, frame) in zip(sent, frames) {
        let packet = try bench.packet(outer, to: 1)
        #expect(packet.delivery == Delivery(source: 0, destination: 1, frame: frame))
        last += 1
        #expect(packet.number == last)
        #expect(outer.firstRange(of: frame.suffix(max(14, frame.count - 14))) == nil)
      }
    }
    let account = try bench.bridge.account
    #expect(account.sent == UInt64(lengths.count) && account.merged == 0)
    try bench.check()
  }

  @Test func frameThatDoesNotFitInESPIsDroppedOrCutLikeAnyOther() throws {
    let bench = try SecureBench()
    let limit = bench.bridge.espFrameLengthMax
    // Padded to the last byte that the underlay carries.
    let longest = try bench.pass([opaqueFrame(from: 1, to: 11, length: limit)])
    #expect(longest.map(\.count) == [(1514 + 50 - 66) / 4 * 4 + 66])
    _ = try bench.packet(longest[0], to: 1)
    #expect(try bench.pass([opaqueFrame(from: 1, to: 11, length: limit + 1)]).isEmpty)
    #expect(try bench.bridge.account.dropped(.tooLongForUnderlay) == 1)
    let cut = try bench.pass([frame(from: 1, to: 11, payloadLength: limit + 1 - 42)])
    let pieces = try cut.map { try bench.packet($0, to: 1).delivery }
    #expect(pieces.count == 2 && pieces.allSatisfy { $0.source == 0 && $0.destination == 1 })
    #expect(pieces.reduce(0) { $0 + $1.frame.count } == limit + 1 + 34)
    try bench.check()
  }

  @Test func sourcePortFollowsTheFlow() throws {
    let bench = try SecureBench()
    var ports: Set<UInt16> = []
    for flow in 0..<20 {
      let frames = [10, 900].map {
        FrameBuilder(sourceMAC: stationMAC(1), destinationMAC: stationMAC(11)).udp(
          sourcePort: UInt16(flow), destinationPort: 2,
          payload: [UInt8](repeating: 1, count: $0))
      }
      let sent = try bench.pass(frames).map { try bench.packet($0, to: 1).sourcePort }
      #expect(sent.count == 2 && Set(sent).count == 1)
      ports.formUnion(sent)
    }
    #expect(ports.count > 15)
    try bench.check()
  }

  private static let allWays: [Int: NeighbourWay] = [
    1: .sealedVXLAN, 2: .plainVXLAN, 4: .sealedSleeve(.secretbox),
    5: .sealedSleeve(.aes256gcm), 6: .plainSleeve, 7: .sealedVXLAN,
    8: .sealedSleeve(.chacha20poly1305),
  ]

  @Test(arguments: fixedSeeds)
  func batchesToNeighboursOfAllKindsArriveInTheirOrder(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let ways = SealedVXLANTests.allWays
    let bench = try SecureBench(ways: ways)
    let peers = ways.keys.sorted() + [3]
    var sent: [[UInt8]] = []
    var wanted: [Int: [Delivery]] = [:]
    for _ in 0..<10 {
      let frames = (0..<(1 + generator.number(below: 64))).map { _ in
        let peer = peers[generator.number(below: peers.count)]
        let frame = opaqueFrame(
          from: 1, to: 10 + peer, length: 14 + generator.number(below: 1400))
        wanted[peer == 3 ? 2 : peer, default: []].append(
          Delivery(source: 0, destination: peer, frame: frame))
        return frame
      }
      sent += try bench.pass(frames)
    }
    #expect(try bench.deliveries(sent) == wanted, "\(generator)")
    try bench.check()
  }

  @Test func floodReachesNeighboursOfAllKindsAlsoWithMorePacketsThanAreSealedTogether() throws {
    let ways = SealedVXLANTests.allWays
    let bench = try SecureBench(ways: ways) {
      $0.frameCount = 4096
      $0.ringCapacity = 1024
    }
    let frames = (0..<60).map { opaqueFrame(from: 1, to: 99, length: 700 + $0) }
    let sent = try bench.deliveries(try bench.pass(frames))
    #expect(Set(sent.keys) == Set(ways.keys))
    for (neighbour, deliveries) in sent {
      #expect(
        deliveries == frames.map { Delivery(source: 0, destination: neighbour, frame: $0) })
    }
    try bench.check()
  }

  @Test(arguments: [NeighbourWay.plainVXLAN, .plainSleeve])
  func relaysAndFloodsOfAPeerHaveItsNumber(way: NeighbourWay) throws {
    let bench = try SecureBench(ways: [1: way, 2: .sealedVXLAN, 4: .sealedVXLAN])
    func arriving(_ frame: [UInt8], to destination: Int) -> [UInt8] {
      guard way == .plainVXLAN else {
        return sleeveOuter(
          fromPeer: 1,
          sleeveDatagram(
            from: MemorySwitch.peerNames[1], [sleeveRecord(from: 1, to: destination, frame)]))
      }
      let network = meshNetwork(
        from: MemorySwitch.peerShortID(1), to: MemorySwitch.peerShortID(destination))
      return meshOuter(fromPeer: 1, frame, network: network)
    }
    let relayed = (0..<3).map { opaqueFrame(from: 11, to: 13, length: 60 + $0) }
    let sent = try bench.pass(
      relayed.map { arriving($0, to: 3) }, into: MemorySwitch.underlay)
    #expect(
      try bench.deliveries(sent)
        == [2: relayed.map { Delivery(source: 1, destination: 3, frame: $0) }])
    let flooded = opaqueFrame(from: 11, to: 99, length: 200)
    #expect(
      try bench.deliveries(
        try bench.pass([arriving(flooded, to: 0)], into: MemorySwitch.underlay))
        == [
          2: [Delivery(source: 1, destination: 2, frame: flooded)],
          4: [Delivery(source: 1, destination: 4, frame: flooded)],
        ])
    try bench.check()
  }

  @Test func frameThatLeavesItsChunkNoRoomBecomesAChainInItsOrder() throws {
    let bench = try SecureBench { $0.frameLengthMax = 9050 }
    // A chunk holds 3840 bytes; before the last 21 of them begins what the trailer needs.
    let lengths = (3810...3850).flatMap { [$0, 100] } + [7600, 7700, 200, 9000, 14, 9000]
    let frames = lengths.map { opaqueFrame(from: 1, to: 11, length: $0) }
    var sent: [[UInt8]] = []
    for half in [frames[..<44], frames[44...]] { sent += try bench.pass(Array(half)) }
    #expect(
      try bench.deliveries(sent)
        == [1: frames.map { Delivery(source: 0, destination: 1, frame: $0) }])
    try bench.check()
  }

  @Test func longestDatagramOfSleeveIsSealedInOnePiece() throws {
    var security = SecurityOptions()
    security.ways = [1: .sealedSleeve(.aes256gcm), 2: .sealedVXLAN]
    security.datagramLengthMax = 65_507
    let bench = try SecureBench(security) { $0.frameLengthMax = 65_499 }
    let frames = [60_000, 20, 30, 60_001].map { opaqueFrame(from: 1, to: 11, length: $0) }
    let others = [65_000, 40].map { opaqueFrame(from: 1, to: 12, length: $0) }
    let sent = try bench.pass([frames[0], others[0], frames[1], frames[2], others[1], frames[3]])
    #expect(sent.count == 5)
    #expect(
      try bench.deliveries(sent) == [
        1: frames.map { Delivery(source: 0, destination: 1, frame: $0) },
        2: others.map { Delivery(source: 0, destination: 2, frame: $0) },
      ])
    try bench.check()
  }

  @Test func chainWithoutAFreeChunkIsCounted() throws {
    let bench = try SecureBench {
      $0.frameLengthMax = 9050
      $0.frameCount = 512 + 4
    }
    // Each needs one chunk more than it had.
    let frames = (0..<40).map { _ in opaqueFrame(from: 1, to: 11, length: 3835) }
    let sent = try bench.pass(frames)
    #expect(sent.count < 40)
    #expect(try bench.bridge.account.dropped(.noFrameForCopy) == UInt64(40 - sent.count))
    _ = try bench.deliveries(sent)
    try bench.check()
  }

  @Test func framesWithoutAKeyAreCountedAndNothingLeavesInClear() throws {
    let bench = try SecureBench(
      ways: [1: .sealedVXLAN, 2: .sealedVXLAN, 4: .sealedSleeve(.aes256gcm)]
    ) { $0.frameLengthMax = 9050 }
    for neighbour in [1, 4] {
      bench.bridge.keys.remove(try #require(bench.mesh.sealing[neighbour]))
    }
    let lengths = [20, 100, 1000, 9000, 40]
    let frames = lengths.flatMap { length in
      [11, 12].map { opaqueFrame(from: 1, to: $0, length: length) }
    }
    let sent = try bench.pass(frames)
    #expect(
      try bench.deliveries(sent)
        == [
          2: stride(from: 1, to: 10, by: 2)
            .map { Delivery(source: 0, destination: 2, frame: frames[$0]) }
        ])
    #expect(try bench.bridge.account.dropped(.keyMissing) == 5)
    #expect(try bench.pass([frame(from: 1, to: 14), frame(from: 1, to: 14)]).isEmpty)
    let account = try bench.bridge.account
    #expect(account.dropped(.keyMissing) == 6 && account.merged == 1)
    try bench.check()
  }

  @Test func newKeyIsUsedFromTheNextSnapshotOn() throws {
    var bench = try SecureBench()
    let inner = frame(from: 1, to: 11)
    #expect(try bench.pass([inner, inner]).count == 2)
    let former = try #require(bench.mesh.sealing[1])
    try bench.bridge.exchangeKeys(with: 1, bench.security, &bench.mesh, generation: 1)
    bench.bridge.model.setPeer(
      try #require(bench.mesh.peers[1]), shortID: ShortID(MemorySwitch.peerShortID(1)),
      path: try bench.bridge.path(to: 1, bench.security, bench.mesh), broadcast: [])
    bench.bridge.publish()
    let sent = try bench.pass([inner, inner])
    let spi = octets(MemorySwitch.identifier(to: 1, .vxlan, generation: 1))
    #expect(sent.map { Array($0[34..<38]) } == [spi, spi])
    #expect(sent.map { Array($0[42..<50]) } == [octets(1, 8), octets(2, 8)])
    #expect(bench.bridge.keys.counts(of: former).sealed == 2)
    try bench.check()
  }

  @Test func fullRingDropsWhatItHasNoRoomFor() throws {
    let bench = try SecureBench { $0.ringCapacity = 32 }
    let frames = (0..<20).map { opaqueFrame(from: 1, to: 11, length: 100 + $0) }
    let memory = try #require(bench.bridge.ports[port(0)])
    for _ in 0..<2 {
      for bytes in frames { #expect(memory.arrive(bytes)) }
      #expect(bench.bridge.worker.breathe() == 20)
    }
    let sent = bench.bridge.drain()[MemorySwitch.underlay] ?? []
    #expect(
      try bench.deliveries(sent) == [
        1: (frames + frames).prefix(32).map { Delivery(source: 0, destination: 1, frame: $0) }
      ])
    #expect(try bench.bridge.account.dropped(.transmitRingFull) == 8)
    try bench.check()
  }

  @Test func packetForAnotherWorkersPortIsHandedOverSealed() throws {
    let paths = try HandOverMemory(workerCount: 2)
    let bench = try SecureBench { $0.handOver = paths }
    try bench.bridge.stop(MemorySwitch.underlay)
    bench.bridge.command(
      WorkerCommand(.startHandingOver, slot: 1, port: MemorySwitch.underlay))
    #expect(try bench.pass([frame(from: 1, to: 11), frame(from: 1, to: 12)]).isEmpty)
    #expect(try bench.bridge.account.handedOver == 2)
    try bench.check()
  }

  @Test func heartbeatsOverASealedLinkAreSealed() throws {
    let bench = try SecureBench { $0.frameLengthMax = 9050 }
    let lengths = [24, 600, 1400, 3840, 9000]
    for length in lengths {
      bench.bridge.order(
        ControlOrder(
          name: MemorySwitch.peerNames[2], overlay: .vxlan, frameLength: length,
          connectionUID: 0xABC))
    }
    _ = bench.bridge.worker.breathe()
    let sent = bench.bridge.drain()[MemorySwitch.underlay] ?? []
    #expect(
      try bench.deliveries(sent) == [
        2: lengths.map {
          Delivery(source: 0, destination: 2, frame: vxlanHeartbeat(0xABC, length: $0))
        }
      ])
    #expect(try bench.bridge.account.generated == 5)
    try bench.check()
  }

  @Test func traceShowsHowSealedFramesLeave() throws {
    let bench = try SecureBench(ways: [1: .sealedVXLAN, 2: .sealedSleeve(.aes256gcm)])
    bench.bridge.startTrace(count: 10)
    let lengths = [60, 61, 62, 63]
    let frames = lengths.map { opaqueFrame(from: 1, to: 11, length: $0) }
    let sent = try bench.pass([frame(from: 1, to: 12)] + frames)
    #expect(try bench.deliveries(sent)[1]?.map(\.frame) == frames)
    let records = bench.bridge.takeTrace().dropFirst()
    #expect(
      records.map(\.sentLength)
        == sent.filter { $0[23] == 50 }.map { UInt32($0.count) })
    #expect(
      records.allSatisfy {
        $0.sentCount == 1 && $0.drop == nil && $0.exit == MemorySwitch.underlay
          && $0.isForEndpoint
      })
    try bench.check()
  }

  @Test func tracedFramesLeaveAsUntracedOnesDo() throws {
    let frames = (0..<64).map {
      opaqueFrame(from: 1, to: [11, 12, 14, 15, 16, 99][$0 % 6], length: 14 + 20 * $0)
    }
    let benches = try (0..<2).map { _ in try SecureBench(ways: SealedVXLANTests.allWays) }
    benches[1].bridge.startTrace(count: 100)
    let sent = try benches.map { try $0.pass(frames) }
    // Nothing in a key or a number is by chance, so they are the same to the last byte.
    #expect(sent[0] == sent[1])
    #expect(try benches[0].bridge.account == (try benches[1].bridge.account))
    #expect(benches[1].bridge.takeTrace().count == 64)
    for bench in benches { try bench.check() }
  }
}
