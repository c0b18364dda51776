// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Routing
import Telemetry
import TestSupport
import Testing
import XDP

@testable import Dataplane

/// Frames in several pieces on their way through a worker.
struct ChainTests {
  @Test func framesOfEveryLengthAroundAPieceGoFromPortToPort() throws {
    let bridge = try longSwitch()
    bridge.learn(2, at: behind(port: 1))
    var count: UInt64 = 0
    for length in lengthsAroundPieces {
      let bytes = longFrame(from: 1, to: 2, length: length)
      #expect(try bridge.pass(bytes, into: port(0)) == [port(1): [bytes]], "\(length) bytes")
      count += 1
    }
    try expectRest(bridge, sent: count)
  }

  @Test func longFramesGoToAnEndpointAndBack() throws {
    let bridge = try longSwitch()
    bridge.learn(1, at: behind(port: 0))
    bridge.learn(3, at: behind(endpoint: 1))
    var count: UInt64 = 0
    for length in lengthsAroundPieces where length <= 65_499 {
      let out = longFrame(from: 1, to: 3, length: length)
      let sent = try bridge.pass(out, into: port(0))
      let packet = try #require(sent[MemorySwitch.underlay]?.first)
      #expect(packet.count == length + 50 && Array(packet.dropFirst(50)) == out)
      let back = longFrame(from: 3, to: 1, length: length)
      let received = try bridge.pass(outer(from: 1, back), into: MemorySwitch.underlay)
      #expect(received == [port(0): [back]], "\(length) bytes")
      count += 2
    }
    try expectRest(bridge, sent: count)
  }

  @Test func floodOfALongFrameIsCopiedWhole() throws {
    let bridge = try longSwitch()
    let bytes = longFrame(from: 1, to: 4, length: 60_000)
    let sent = try bridge.pass(bytes, into: port(0))
    #expect(sent[port(1)] == [bytes] && sent[port(2)] == [bytes])
    #expect(sent[MemorySwitch.underlay]?.map { Array($0.dropFirst(50)) } == [bytes, bytes])
    try expectRest(bridge, sent: 4)
  }

  @Test func copyForWhichChunksAreShortTakesNone() throws {
    var options = longOptions()
    // 4 × 40 chunks on fill rings, and 18 of those that came; 20 are left.
    options.fillTarget = 40
    options.frameCount = 180
    let bridge = try MemorySwitch(options)
    let bytes = longFrame(from: 1, to: 4, length: 65_499)
    _ = try bridge.pass(bytes, into: port(0))
    let account = try bridge.account
    #expect(account.copied == 3 && account.dropped(.noFrameForCopy) == 2 && account.sent == 2)
    try expectRest(bridge, sent: 2)
  }

  @Test func chainThatIsTooLongForItsPortIsDroppedWhole() throws {
    var options = longOptions()
    options.frameLengthMax = 9014
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 1))
    let fitting = longFrame(from: 1, to: 2, length: 9014)
    #expect(try bridge.pass(fitting, into: port(0)) == [port(1): [fitting]])
    #expect(try bridge.pass(opaqueFrame(from: 1, to: 2, length: 9015), into: port(0)).isEmpty)
    #expect(try bridge.account.dropped(.tooLongForPort) == 1)
    try expectRest(bridge, sent: 1)
  }

  @Test func ringTakesAllPiecesOrNone() throws {
    var options = longOptions()
    options.ringCapacity = 32
    options.fillTarget = 32
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 1))
    let memory = try #require(bridge.ports[port(0)])
    let long = longFrame(from: 1, to: 2, length: 65_499)
    let short = frame(from: 1, to: 2)
    for bytes in [long, long, short] {
      #expect(memory.arrive(bytes))
      bridge.worker.breathe(times: 1)
    }
    #expect(bridge.drain() == [port(1): [long, short]])
    #expect(try bridge.account.dropped(.transmitRingFull) == 1)
    try expectRest(bridge, sent: 2)
  }

  @Test func shortAndLongFramesKeepTheirOrderAndBatchesEndBetweenFrames() throws {
    let bridge = try longSwitch()
    bridge.learn(2, at: behind(port: 1))
    var random = SeededGenerator(seed: 0xC4A1)
    let memory = try #require(bridge.ports[port(0)])
    var count: UInt64 = 0
    for _ in 0..<6 {
      var arrived: [[UInt8]] = []
      while true {
        let length = random.number(below: 3) > 0 ? 60 + random.number(below: 3700) : 20_000
        let bytes = longFrame(from: 1, to: 2, length: length)
        guard memory.arrive(bytes) else { break }
        arrived.append(bytes)
      }
      var left: [[UInt8]] = []
      for _ in 0..<20 {
        bridge.worker.breathe(times: 1)
        left += bridge.drain()[port(1)] ?? []
      }
      #expect(left == arrived, "\(random)")
      count += UInt64(arrived.count)
    }
    try expectRest(bridge, sent: count)
  }

  @Test func portThatIsClosedGivesAllPiecesBack() throws {
    let bridge = try longSwitch()
    bridge.learn(2, at: behind(port: 1))
    let memory = try #require(bridge.ports[port(0)])
    for _ in 0..<3 { #expect(memory.arrive(longFrame(from: 1, to: 2, length: 50_000))) }
    bridge.worker.breathe(times: 1)
    // Two are on the TX ring of one port, and some more on the RX ring of the other.
    #expect(memory.arrive(longFrame(from: 1, to: 2, length: 50_000)))
    try bridge.stop(port(1))
    try bridge.stop(port(0))
    bridge.worker.breathe(times: 2)
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
    #expect(try bridge.account.isBalanced)
  }

  @Test(arguments: fixedSeeds) func faultsOfChainsKeepTheBooksAndTheChunks(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bridge = try longSwitch()
    bridge.learn(2, at: behind(port: 1))
    bridge.setFaults(
      FaultSettings(
        seed: seed, loss: 100_000, duplication: 300_000, reordering: 300_000, corruption: 300_000,
        truncation: 300_000), port(0))
    let memory = try #require(bridge.ports[port(0)])
    for _ in 0..<60 {
      _ = memory.arrive(longFrame(from: 1, to: 2, length: 60 + random.number(below: 65_490)))
      bridge.worker.breathe(times: 1)
      #expect(try bridge.account.isBalanced, "\(random)")
      if random.number(below: 3) == 0 { _ = bridge.discard() }
    }
    bridge.worker.breathe(times: 300)
    _ = bridge.discard()
    bridge.worker.breathe(times: 2)
    let account = try bridge.account
    #expect(account.held == 0 && account.copied > 0 && account.dropped(.faultInjected) > 0)
    #expect(bridge.knownChunkCount == bridge.options.frameCount, "\(random)")
  }

  @Test func traceShowsTheHeadAndTheWholeLength() throws {
    let bridge = try longSwitch()
    bridge.learn(2, at: behind(port: 1))
    bridge.startTrace(count: 1)
    let bytes = longFrame(from: 1, to: 2, length: 40_000)
    #expect(try bridge.pass(bytes, into: port(0)) == [port(1): [bytes]])
    let record = try #require(bridge.takeTrace().first)
    #expect(record.receivedLength == 40_000 && record.byteCount == 128)
  }

  private func expectRest(_ bridge: MemorySwitch, sent: UInt64) throws {
    bridge.worker.breathe(times: 2)
    let account = try bridge.account
    #expect(account.isBalanced && account.sent == sent)
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
  }
}

/// A switch whose ports carry the longest frames.
func longSwitch() throws -> MemorySwitch { try MemorySwitch(longOptions()) }

private func longOptions() -> MemorySwitch.Options {
  var options = MemorySwitch.Options()
  options.frameLengthMax = Frame.lengthMax
  return options
}

/// A frame of exactly `length` bytes, each unlike those a piece away from it.
func longFrame(from source: Int, to destination: Int, length: Int) -> [UInt8] {
  Array(frame(from: source, to: destination).prefix(42))
    + (42..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251) }
}
