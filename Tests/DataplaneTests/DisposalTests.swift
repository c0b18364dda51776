// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Telemetry
import TestSupport
import Testing

/// Frames in a row that go the same way are sent together; nobody can tell from what comes out.
struct DisposalTests {
  /// A switch that knows station 2 behind port 1 and station 3 behind port 2.
  private func bridge(ringCapacity: UInt32 = 256) throws -> MemorySwitch {
    var options = MemorySwitch.Options()
    options.ringCapacity = ringCapacity
    options.frameLengthMax = 200
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 1))
    bridge.learn(3, at: behind(port: 2))
    return bridge
  }

  /// All of the frames arrive at port 0 and are dealt with in one breath.
  private func pass(_ frames: [[UInt8]], _ bridge: MemorySwitch) throws -> [PortIndex: [[UInt8]]] {
    let memory = try #require(bridge.ports[port(0)])
    for bytes in frames { #expect(memory.arrive(bytes)) }
    #expect(bridge.worker.breathe() == frames.count)
    return bridge.drain()
  }

  private func check(_ bridge: MemorySwitch) throws {
    #expect(try bridge.account.isBalanced)
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
  }

  @Test(arguments: fixedSeeds)
  func everyReceiverGetsItsFramesInTheirOrder(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bridge = try bridge()
    for _ in 0..<50 {
      // Runs of both, with some for nobody in between: the sender's own address, and no header.
      var frames: [[UInt8]] = []
      var receivers: [Int] = []
      while frames.count < Batch.capacity {
        let receiver = [2, 3, 1, 0][random.number(below: 4)]
        let length = 1 + random.number(below: 8)
        for number in 0..<min(length, Batch.capacity - frames.count) {
          receivers.append(receiver)
          frames.append(
            receiver == 0
              ? [1, 2, 3] : frame(from: 1, to: receiver, payloadLength: 20 + number))
        }
      }
      bridge.learn(1, at: behind(port: 0))
      let sent = try pass(frames, bridge)
      for receiver in [2, 3] {
        let wanted = zip(frames, receivers).filter { $0.1 == receiver }.map(\.0)
        #expect(sent[port(receiver - 1)] ?? [] == wanted, "\(random)")
      }
      #expect(sent.values.reduce(0) { $0 + $1.count } == receivers.count { $0 > 1 }, "\(random)")
      try check(bridge)
    }
  }

  @Test func frameTooLongForThePortEndsInTheMiddleOfARun() throws {
    let bridge = try bridge()
    let short = frame(from: 1, to: 2)
    let long = opaqueFrame(from: 1, to: 2, length: 342)
    let sent = try pass([short, short, long, short, long, long, short], bridge)
    #expect(sent == [port(1): [short, short, short, short]])
    #expect(try bridge.account.dropped(.tooLongForPort) == 3)
    try check(bridge)
  }

  @Test func ringThatFillsInTheMiddleOfARunTakesWhatItCan() throws {
    let bridge = try bridge(ringCapacity: 32)
    let frames = (0..<30).map { frame(from: 1, to: 2, payloadLength: $0) }
    let memory = try #require(bridge.ports[port(0)])
    for round in 0..<2 {
      for bytes in frames { #expect(memory.arrive(bytes)) }
      #expect(bridge.worker.breathe() == 30, "round \(round)")
    }
    #expect(bridge.drain() == [port(1): frames + frames.prefix(2)])
    #expect(try bridge.account.dropped(.transmitRingFull) == 28)
    #expect(try bridge.account.sent == 32)
    try check(bridge)
  }

  @Test func portCountsTheFramesOfARun() throws {
    let bridge = try bridge()
    let frames = (0..<10).map { frame(from: 1, to: 2, payloadLength: $0) }
    _ = try pass(frames, bridge)
    let values = try #require(bridge.ends.portCounters(slot: port(1).number).values())
    #expect(values[PortCounter.sentFrames.rawValue] == 10)
    #expect(values[PortCounter.sentBytes.rawValue] == UInt64(frames.reduce(0) { $0 + $1.count }))
  }
}
