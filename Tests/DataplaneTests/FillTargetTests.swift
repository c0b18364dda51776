// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Testing

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

  @Test func ringShrinksWhereMoreComesInThanIsDealtWith() throws {
    var options = MemorySwitch.Options()
    options.frameCount = 16_384
    options.ringCapacity = 1024
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 1))
    let memory = try #require(bridge.ports[port(0)])
    var most = 0
    for _ in 0..<200 {
      while memory.arrive(frame(from: 1, to: 2)) {}
      most = max(most, memory.chunkCount)
      bridge.worker.breathe(times: 1)
      _ = bridge.discard()
    }
    for _ in 0..<64 {
      bridge.worker.breathe(times: 1)
      _ = bridge.discard()
    }
    #expect(most > 512)
    #expect(try chunks(bridge) == 256)
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

  /// That many frames arrive at port 0, between two breaths, and leave.
  private func burst(_ bridge: MemorySwitch, of count: Int) throws {
    let memory = try #require(bridge.ports[port(0)])
    for _ in 0..<count { #expect(memory.arrive(frame(from: 1, to: 2))) }
    bridge.worker.breathe(times: 1)
    #expect(bridge.discard() == count)
    bridge.worker.breathe(times: 1)
  }

  /// Chunks on port 0's rings, all of them on its fill ring after a burst.
  private func chunks(_ bridge: MemorySwitch) throws -> Int {
    try #require(bridge.ports[port(0)]).chunkCount
  }
}
