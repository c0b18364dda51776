// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Tables
import Telemetry
import Testing
import XDP

@testable import Dataplane

/// What a queue makes of descriptors that are pieces of frames, also of such as no kernel of today
/// gives.
struct PiecesOnRingTests {
  @Test func unfinishedFrameWaitsOnTheRing() throws {
    let bench = try Bench()
    bench.give([(256, 60, false), (256, 3840, true)])
    #expect(bench.receive() == [Frame(address: 256, length: 60)])
    #expect(bench.receive().isEmpty)
    bench.give([(256, 3840, true), (256, 1, false)])
    let frames = bench.receive()
    #expect(frames == [Frame(address: 4096 + 256, length: 7681)])
    bench.expectWhole(frames[0])
    bench.expectEnd(broken: 0)
  }

  @Test func batchEndsBeforeAFrameThatIsNotAllOfIt() throws {
    let bench = try Bench()
    bench.give([(Int, Int, Bool)](repeating: (256, 100, false), count: 60))
    bench.give([(256, 3840, true), (256, 3840, true), (256, 3840, true), (256, 3840, true)])
    bench.give([(256, 77, false), (256, 100, false)])
    #expect(bench.receive().count == 60)
    let frames = bench.receive()
    #expect(frames.map(\.length) == [4 * 3840 + 77, 100])
    bench.expectWhole(frames[0])
    bench.expectEnd(broken: 0)
  }

  @Test(arguments: [
    [(256, 3000, true), (256, 500, false)],  // the head does not fill its chunk
    [(300, 3796, true), (256, 500, false)],  // the head begins late
    [(256, 3840, true), (300, 500, false)],  // a piece begins late
    [(256, 3840, true), (256, 2000, true), (256, 500, false)],  // a piece is not full
    [(256, 3840, true), (256, 0, false)],  // the last piece is empty
    [(0, 4096, true), (0, 4096, true), (0, 9, false)],  // no headroom
  ])
  func piecesCutInAnotherWayAreGathered(pieces: [(Int, Int, Bool)]) throws {
    let bench = try Bench()
    bench.give([(256, 60, false)] + pieces + [(256, 61, false)])
    let frames = bench.receive()
    #expect(frames.map { Int($0.length) } == [60, pieces.reduce(0) { $0 + $1.1 }, 61])
    bench.expectWhole(frames[1])
    bench.expectEnd(broken: 0)
  }

  @Test func piecesThatMakeNoFrameAreCountedAsOneFrameAndGivenBack() throws {
    let bench = try Bench()
    // Longer than 18 full pieces.
    bench.give([(Int, Int, Bool)](repeating: (256, 3840, true), count: 18) + [(256, 9, false)])
    bench.give([(256, 60, false)])
    #expect(bench.receive().map(\.length) == [60])
    bench.expectEnd(broken: 1)
    // No chunk for a copy.
    bench.give([(256, 100, true), (256, 100, false)])
    while bench.memory.take() != nil {}
    #expect(bench.receive().isEmpty)
    #expect(bench.queue.takeBroken() == 1 && bench.memory.freeCount == 2)
  }

  @Test func frameWithoutEndIsGivenBackAsItComes() throws {
    let bench = try Bench()
    bench.give([(256, 60, false)])
    for _ in 0..<100 { bench.give([(256, 3840, true)]) }
    #expect(bench.receive().count == 1)
    for _ in 0..<3 { #expect(bench.receive().isEmpty) }
    bench.give([(256, 3840, true), (256, 3, false), (256, 61, false)])
    #expect(bench.receive().map(\.length) == [61])
    bench.expectEnd(broken: 1)
  }

  @Test func pieceOutsideTheMemoryCostsItsFrameAndNoOther() throws {
    let bench = try Bench()
    bench.give([(256, 3840, true)])
    bench.giveOutside(isContinued: false)
    bench.give([(256, 62, false)])
    #expect(bench.receive().map(\.length) == [62])
    bench.expectEnd(broken: 1)
  }
}

/// A queue over memory whose RX ring the test writes, chunk after chunk.
private final class Bench {
  var memory: FrameMemory
  var queue: PortQueue
  private let ends: WorkerEnds
  private let rings: MemoryRings
  private var kernel: KernelRings
  private var nextChunk = 0
  private var received: [Frame] = []
  private static let chunkCount = 256

  init() throws {
    let ends = try WorkerEnds(frameCount: Bench.chunkCount)
    let rings = try MemoryRings(capacity: 256)
    self.ends = ends
    self.rings = rings
    memory = FrameMemory(memory: ends.frames)
    kernel = rings.kernelHalf()
    queue = PortQueue(
      PortQueue.Options(
        port: PortIndex(0), kind: .station, backing: .memory, frameLengthMax: Frame.lengthMax,
        fillTarget: 0),
      rings: rings.socketHalf(), counters: ends.portCounters(slot: 0))
  }

  /// Puts pieces with these starts and lengths on the ring; each byte is the number of its chunk.
  func give(_ pieces: [(Int, Int, Bool)]) {
    for (start, length, isContinued) in pieces {
      guard let chunk = memory.take() else {
        Issue.record("no chunk is left")
        return
      }
      let bytes = [UInt8](repeating: UInt8(chunk / 4096), count: length)
      var target = memory.mutableBytes(at: chunk + UInt32(start), length: length)
      for index in 0..<length { target[index] = bytes[index] }
      append(UInt64(chunk) + UInt64(start), length, isContinued)
    }
  }

  func giveOutside(isContinued: Bool) { append(1 << 40, 100, isContinued) }

  private func append(_ address: UInt64, _ length: Int, _ isContinued: Bool) {
    let isThere = kernel.receive.append(
      XDPDescriptor(address: address, length: UInt32(length), isContinued: isContinued))
    #expect(isThere)
    kernel.receive.publish()
  }

  /// A batch's frames.
  func receive() -> [Frame] {
    var batch = Batch()
    queue.receive(into: &batch, memory: &memory)
    let frames = batch.rows.map { batch.frames[$0] }
    received += frames
    return frames
  }

  /// The frame's bytes are those of its pieces, in their order.
  func expectWhole(_ frame: Frame) {
    var bytes = [UInt8](repeating: 0, count: Int(frame.length))
    var span = bytes.mutableSpan
    memory.read(frame, from: 0, into: &span)
    #expect(bytes == bytes.sorted(), "pieces were given in the order of their chunks")
    #expect(Set(bytes).count > 1 || bytes.count <= 4096)
  }

  /// Every chunk is free once the frames are given back, and so many frames were none.
  func expectEnd(broken: Int) {
    for frame in received { memory.give(frame) }
    received = []
    #expect(memory.freeCount == Bench.chunkCount)
    #expect(queue.takeBroken() == broken)
  }
}
