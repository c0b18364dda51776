// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Testing

@testable import Dataplane

/// How many chunks a worker keeps on fill rings: as many as bursts need, and fewer for each of many
/// ports.
struct FillTargetTests {
  @Test func ringBeginsWithItsTargetAndDoublesOnlyAfterABurst() throws {
    let bridge = try bridge(frameCount: 4096)
    bridge.worker.breathe(times: 10)
    #expect(try chunks(bridge) == 16)
    try burst(bridge, of: 7)
    #expect(try chunks(bridge) == 16)
    try burst(bridge, of: 8)
    #expect(try chunks(bridge) == 32)
    try burst(bridge, of: 32)
    #expect(try chunks(bridge) == 64)
  }

  @Test func ringDoesNotGrowWhereChunksAreShort() throws {
    // 64 of 256 chunks are on four rings; four times 64 are not free.
    let bridge = try bridge(frameCount: 256)
    try burst(bridge, of: 16)
    #expect(try chunks(bridge) == 32)
    try burst(bridge, of: 32)
    #expect(try chunks(bridge) == 32)
  }

  @Test func targetFallsWithTheBurstsAndTheRingFollowsAsItIsUsed() throws {
    let bridge = try bridge(frameCount: 4096)
    for size in [16, 32, 64] { try burst(bridge, of: size) }
    #expect(try chunks(bridge) == 128)
    // Three times as many breaths as pass between two looks, in which nothing is used; the first
    // look sees the bursts.
    bridge.worker.breathe(times: 4 * (1 << 18))
    #expect(try chunks(bridge) == 128, "the kernel gives no chunk back")
    for _ in 0..<200 { try burst(bridge, of: 1) }
    #expect(try chunks(bridge) == 16)
    #expect(bridge.knownChunkCount == 4096)
  }

  @Test func ringShrinksWhereMoreComesInThanIsDealtWithAndIsTheFormerOnceItRanEmpty() throws {
    let bridge = try wideBridge()
    try flood(bridge, breaths: 200)
    #expect(target(bridge) == 1024)
    try flood(bridge, breaths: 400)
    #expect(target(bridge) == 256)
    try drain(bridge)
    #expect(try target(bridge) == 1024 && chunks(bridge) == 1024)
    #expect(bridge.ends.ports.pendingCount == 0)
    #expect(bridge.knownChunkCount == 16_384)
  }

  @Test func backlogThatIsWorkedOffIsNoOverload() throws {
    let bridge = try wideBridge()
    for _ in 0..<2 {
      try flood(bridge, breaths: 300)
      #expect(target(bridge) == 1024)
      try drain(bridge)
    }
  }

  @Test func fullBatchesWithPausesBetweenThemAreNoOverload() throws {
    let bridge = try wideBridge()
    try flood(bridge, breaths: 20)
    try drain(bridge)
    for _ in 0..<600 { try burst(bridge, of: Batch.capacity) }
    #expect(target(bridge) == 1024)
  }

  @Test func formerTargetIsForgottenWhereChunksAreShort() throws {
    let bridge = try wideBridge()
    try flood(bridge, breaths: 600)
    #expect(target(bridge) == 256)
    var taken: [UInt32] = []
    while bridge.worker.framesFree > 2048, let chunk = bridge.worker.memory.take() {
      taken.append(chunk)
    }
    try drain(bridge)
    #expect(target(bridge) == 256)
    #expect(bridge.ends.ports.pendingCount == 0)
    for chunk in taken { bridge.worker.memory.give(chunk) }
    #expect(bridge.knownChunkCount == 16_384)
  }

  @Test(arguments: [128, 134, 164])
  func targetNeitherLeavesTheRingNorItsBeginning(first: Int) throws {
    let bridge = try wideBridge(fillTarget: UInt32(first))
    for step in 0..<6 { try burst(bridge, of: min(first << step, 1024) / 2) }
    bridge.worker.breathe(times: 2)
    #expect(try chunks(bridge) == 1024)
    #expect(bridge.ends.ports.pendingCount == 0, "a ring that can be full is finished")
    for _ in 0..<6 { bridge.ends.ports.lowerFillTargets() }
    for _ in 0..<1024 { try burst(bridge, of: 1) }
    #expect(try chunks(bridge) == first)
  }

  @Test func startedQueueHasItsChunksBeforeTheBreathEnds() throws {
    let ends = try WorkerEnds(frameCount: 256)
    var memory = FrameMemory(memory: ends.frames)
    let started = try MemoryPort(
      port: port(0), kind: .station, slot: 0, ringCapacity: 64, frames: ends.frames)
    ends.ports.fill(0, with: started.queue(frameLengthMax: 1514, fillTarget: 16, counters: ends))
    ends.ports.start(0, memory: &memory)
    #expect(started.chunkCount == 16 && memory.freeCount == 240)
    #expect(started.arrive(frame(from: 1, to: 2)), "whoever waits for the command may send")
  }

  @Test func laterStationsBeginWithFewerChunksAndTheUnderlayDoesNot() throws {
    var options = MemorySwitch.Options()
    options.frameCount = 512
    options.fillTarget = 64
    options.stationPortCount = 9
    let bridge = try MemorySwitch(options)
    let counts = try (0..<9).map { try #require(bridge.ports[port($0)]).chunkCount }
    #expect(counts == [64, 64, 64, 32, 32, 32, 8, 8, 8])
    #expect(try #require(bridge.ports[MemorySwitch.underlay]).chunkCount == 64)
  }

  private func bridge(frameCount: Int) throws -> MemorySwitch {
    var options = MemorySwitch.Options()
    options.frameCount = frameCount
    options.fillTarget = 16
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 1))
    return bridge
  }

  /// A switch with long rings and plenty of chunks for them.
  private func wideBridge(fillTarget: UInt32 = 128) throws -> MemorySwitch {
    var options = MemorySwitch.Options()
    options.frameCount = 16_384
    options.ringCapacity = 1024
    options.fillTarget = fillTarget
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 1))
    return bridge
  }

  /// As many frames as find chunks arrive at port 0 before each of that many breaths.
  private func flood(_ bridge: MemorySwitch, breaths: Int) throws {
    let memory = try #require(bridge.ports[port(0)])
    let bytes = frame(from: 1, to: 2)
    for _ in 0..<breaths {
      while memory.arrive(bytes) {}
      bridge.worker.breathe(times: 1)
      _ = bridge.discard()
    }
  }

  /// Nothing arrives any more until everything has left.
  private func drain(_ bridge: MemorySwitch) throws {
    let memory = try #require(bridge.ports[port(0)])
    repeat {
      bridge.worker.breathe(times: 1)
      _ = bridge.discard()
    } while !memory.isQuiet
    bridge.worker.breathe(times: 3)
  }

  /// That many frames arrive at port 0, between two breaths, and leave.
  private func burst(_ bridge: MemorySwitch, of count: Int) throws {
    let memory = try #require(bridge.ports[port(0)])
    for _ in 0..<count { #expect(memory.arrive(frame(from: 1, to: 2))) }
    var left = 0
    for _ in 0..<(count + Batch.capacity - 1) / Batch.capacity {
      bridge.worker.breathe(times: 1)
      left += bridge.discard()
    }
    #expect(left == count)
    bridge.worker.breathe(times: 1)
  }

  /// Chunks that port 0 wants on its fill ring.
  private func target(_ bridge: MemorySwitch) -> UInt32 {
    unsafe bridge.ends.ports.queues[0].fillTarget
  }

  /// Chunks on port 0's rings, all of them on its fill ring after a burst.
  private func chunks(_ bridge: MemorySwitch) throws -> Int {
    try #require(bridge.ports[port(0)]).chunkCount
  }
}
