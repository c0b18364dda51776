// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Telemetry
import TestSupport
import Testing

@testable import Dataplane

/// An injector with frames of its own, and nothing behind it: what it gives out is looked at.
final class FaultBench {
  static var chunkCount: Int { 256 }

  private let ends: WorkerEnds
  private var memory: FrameMemory
  private var batch = Batch()
  private var takenCount = 0
  var injector: FaultInjector

  init(_ settings: FaultSettings) throws {
    ends = try WorkerEnds(frameCount: FaultBench.chunkCount)
    memory = FrameMemory(memory: ends.frames)
    injector = FaultInjector(settings)
  }

  func count(_ counter: WorkerCounter) -> Int { Int(ends.counters.value(at: counter.rawValue)) }

  func count(_ reason: DropReason) -> Int {
    Int(ends.counters.value(at: WorkerCounter.index(of: reason)))
  }

  /// Leaves only so many chunks free.
  func takeAllBut(_ count: Int) throws {
    while memory.freeCount > count { takenCount += memory.take() == nil ? 0 : 1 }
  }

  /// One breath with these frames, at most 64; returns what goes on.
  func breathe(_ frames: [[UInt8]]) throws -> [[UInt8]] {
    batch.count = 0
    for bytes in frames {
      let placed = memory.place(bytes)
      batch.append(try #require(placed))
    }
    injector.take(&batch)
    var given: [[UInt8]] = []
    while injector.fill(&batch, memory: &memory, counters: ends.counters) {
      for index in 0..<batch.count {
        given.append(memory.takeOut(batch.frames[index]))
      }
    }
    let known = memory.freeCount + injector.heldCount + takenCount
    try #require(known == FaultBench.chunkCount, "a chunk leaked")
    return given
  }

  /// Breaths until nothing is kept; returns what goes on.
  func settle() throws -> [[UInt8]] {
    var given: [[UInt8]] = []
    for _ in 0...FaultInjector.quietBreathsMax where injector.heldCount > 0 {
      given += try breathe([])
    }
    try #require(injector.heldCount == 0)
    return given
  }

  /// All of `frames`, in batches of random size, until nothing is kept.
  func pass(
    _ frames: [[UInt8]], _ random: inout SeededGenerator
  ) throws -> [[UInt8]] {
    var given: [[UInt8]] = []
    var next = 0
    while next < frames.count {
      let end = min(frames.count, next + 1 + random.number(below: Batch.capacity))
      given += try breathe(Array(frames[next..<end]))
      next = end
    }
    return try given + settle()
  }
}

extension FrameMemory {
  /// Puts a frame into a free chunk.
  fileprivate mutating func place(_ bytes: [UInt8]) -> Frame? {
    guard let chunk = take() else { return nil }
    let frame = Frame(address: chunk + 256, length: UInt32(bytes.count))
    var span = mutableBytes(at: frame.address, length: bytes.count)
    for index in bytes.indices { span[index] = bytes[index] }
    return frame
  }

  /// Reads a frame and makes its chunk free.
  fileprivate mutating func takeOut(_ frame: Frame) -> [UInt8] {
    let bytes = copyOut(frame)
    give(frame.address)
    return bytes
  }

  private func copyOut(_ frame: Frame) -> [UInt8] {
    let span = bytes(of: frame)
    return span.indices.map { span[$0] }
  }
}

/// Different frames of 60 bytes that begin with their number.
func numberedFrames(_ count: Int) -> [[UInt8]] {
  (0..<count).map { octets(UInt32($0)) + [UInt8](repeating: UInt8($0 & 0xFF), count: 56) }
}

/// The number that `numberedFrames` wrote into a frame.
func number(of frame: [UInt8]) -> Int { frame.prefix(4).reduce(0) { $0 << 8 | Int($1) } }

/// Whether `count` of `total` fits a rate in a million: within five standard deviations, which a
/// fair generator leaves once in two million times.
func isPlausible(_ count: Int, of total: Int, rate: UInt32) -> Bool {
  let share = Double(rate) / 1_000_000
  let expected = Double(total) * share
  let deviation = (expected * (1 - share)).squareRoot()
  return abs(Double(count) - expected) <= 5 * deviation
}
