// SPDX-License-Identifier: Apache-2.0

import CLinux
import Forwarding
import Foundation
import Synchronization

/// A worker with memory ports and frames of its own, to run on a core of its own beside others that
/// read the same tables.
final class Lane: Sendable {
  private let core: Int
  private let way: Mutex<WholeWay>

  /// Builds it; the first lane of several fills the tables that the others share.
  init(
    _ options: PipelineSwitch.Options, sharing tables: PipelineTables? = nil, index: Int,
    core: Int
  ) throws {
    self.core = core
    way = Mutex(try WholeWay(options, sharing: tables, index: index))
  }

  /// The tables it reads.
  var tables: PipelineTables { way.withLock { $0.pipeline.tables } }

  /// Frames that its books do not explain.
  func lost() throws -> Int { try way.withLock { way throws in try way.lost() } }

  /// Runs lanes at the same time, each for `seconds`, and adds up what they did.
  static func measure(
    _ lanes: [Lane], seconds: Double, in run: ScenarioRun
  ) throws -> LaneSamples {
    let gate = Gate(count: lanes.count)
    let outcomes = Mutex<[Result<[UInt64], any Error>]>([])
    let ended = DispatchSemaphore(value: 0)
    for lane in lanes {
      Thread.detachNewThread {
        let outcome = Result { try lane.run(seconds: seconds, gate: gate, run) }
        outcomes.withLock { $0.append(outcome) }
        ended.signal()
      }
    }
    for _ in lanes { ended.wait() }
    let burdens = try outcomes.withLock { try $0.map { try $0.get() } }
    return LaneSamples(burdens)
  }

  private func run(seconds: Double, gate: Gate, _ run: ScenarioRun) throws -> [UInt64] {
    guard clinux_pin_thread(UInt32(core)) == 0 else {
      gate.abandon()
      throw ScenarioError(.unavailable, "a worker cannot be pinned to core \(core)")
    }
    return try way.withLock { way throws in
      do {
        return try Lane.run(&way, seconds: seconds, gate: gate, run)
      } catch {
        gate.abandon()
        throw error
      }
    }
  }

  private static func run(
    _ way: inout WholeWay, seconds: Double, gate: Gate, _ run: ScenarioRun
  ) throws -> [UInt64] {
    var bursts: [UInt64] = []
    for _ in 0..<8 { _ = try way.burst() }
    gate.begin()
    let end = Stopwatch.now + UInt64(seconds * 1e9)
    while !gate.isAbandoned {
      try run.check()
      let took = try way.burst()
      // What reaches beyond the end is not counted.
      guard Stopwatch.now < end || bursts.isEmpty else { break }
      bursts.append(took)
    }
    // The others shall not be alone for the rest of their time.
    gate.finish()
    while !gate.haveAllFinished { _ = try way.burst() }
    return bursts
  }
}

/// What lanes did while they were measured together.
///
/// A sample's seconds are what a lane spent in breaths, in the mean of the lanes, so that its rate
/// is the sum of their rates.
struct LaneSamples: Equatable, Sendable {
  /// All that was done.
  let whole: Sample
  /// The same if every burst had taken as long as that lane's burst in the middle.
  let middle: Sample

  /// Sums up how long each burst of each lane took, in nanoseconds; each lane has some.
  init(_ lanes: [[UInt64]]) {
    let frames = lanes.reduce(0) { $0 + $1.count } * PipelineSwitch.burst
    let spent = lanes.reduce(0) { $0 + Double($1.reduce(0, +)) }
    whole = Sample(frames: frames, seconds: spent / Double(lanes.count) / 1e9)
    let rate = lanes.reduce(0) { sum, bursts in
      var bursts = bursts
      return sum + 1e9 / PipelineSwitch.perFrame(&bursts)
    }
    middle = Sample(frames: frames, seconds: Double(frames) / rate)
  }
}

/// Has threads begin at the same moment, and tells when all have finished.
private final class Gate: Sendable {
  private let count: Int
  private let begun = Atomic<Int>(0)
  private let finished = Atomic<Int>(0)
  private let abandoned = Atomic<Bool>(false)

  init(count: Int) { self.count = count }

  /// Returns when all threads have come here; they spin, so as not to be late.
  func begin() {
    begun.wrappingAdd(1, ordering: .acquiringAndReleasing)
    while begun.load(ordering: .acquiring) < count, !isAbandoned {}
  }

  /// This thread has finished.
  func finish() { finished.wrappingAdd(1, ordering: .acquiringAndReleasing) }

  /// One thread has failed; nobody waits for it.
  func abandon() { abandoned.store(true, ordering: .relaxed) }

  var isAbandoned: Bool { abandoned.load(ordering: .relaxed) }

  var haveAllFinished: Bool {
    finished.load(ordering: .acquiring) >= count || isAbandoned
  }
}
