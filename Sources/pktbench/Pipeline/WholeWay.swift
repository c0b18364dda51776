// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Tables
import Telemetry

/// Measures a worker from the RX ring to the TX ring.
struct WholeWay: ~Copyable {
  let pipeline: PipelineSwitch
  private var worker: Worker
  /// How long each burst of the round took, in nanoseconds.
  private var bursts: [UInt64] = []

  /// A switch with a worker that serves both ports; `index` is its line in the tables, which are
  /// its own or those that it shares.
  init(
    _ options: PipelineSwitch.Options, sharing tables: PipelineTables? = nil, index: Int = 0
  ) throws {
    let pipeline = try PipelineSwitch(options, sharing: tables)
    var commands = pipeline.ends.commandEnd()
    for port in [pipeline.input, pipeline.output] {
      guard commands.append(WorkerCommand(.startQueue, slot: port.slot)) else {
        throw ScenarioError(.failed, "the worker takes no command")
      }
    }
    commands.publish()
    self.pipeline = pipeline
    worker = pipeline.ends.makeWorker(snapshot: pipeline.snapshots, index: index, hintEvent: -1)
    _ = worker.breathe()
  }

  /// Breathes until `seconds` of breathing have passed; returns nanoseconds for each frame of the
  /// burst in the middle.
  ///
  /// Only breaths are inside the time. Between bursts, frames arrive and leave outside of it.
  mutating func round(seconds: Double, in run: ScenarioRun) throws -> Double {
    let wanted = UInt64(seconds * 1e9)
    var spent: UInt64 = 0
    bursts.removeAll(keepingCapacity: true)
    repeat {
      try run.check()
      let took = try burst()
      spent += took
      bursts.append(took)
    } while spent < wanted
    return PipelineSwitch.perFrame(&bursts)
  }

  /// Has a burst arrive, breathes it through, has it leave; returns the nanoseconds of the breaths.
  mutating func burst() throws -> UInt64 {
    try pipeline.fill()
    var drawn = 0
    let started = Stopwatch.now
    // A worker that works takes eight breaths; one that does not must not be waited for.
    for _ in 0..<64 where drawn < PipelineSwitch.burst { drawn += worker.breathe() }
    let took = Stopwatch.now - started
    guard drawn == PipelineSwitch.burst else {
      throw ScenarioError(.failed, "the worker drew \(drawn) frames of \(PipelineSwitch.burst)")
    }
    pipeline.drain()
    return took
  }

  /// What the last round did, without the bursts during which other programs had the core: those
  /// that took much longer than the one in the middle.
  func steadySample() -> Sample {
    let sorted = bursts.sorted()
    let limit = 8 * (sorted.isEmpty ? 0 : sorted[sorted.count / 2])
    let steady = sorted.prefix { $0 <= limit }
    return Sample(
      frames: steady.count * PipelineSwitch.burst, seconds: Double(steady.reduce(0, +)) / 1e9)
  }

  /// Frames that the books do not explain; throws if frames did not take the way they should have.
  mutating func lost() throws -> Int {
    // Takes the last completions back.
    _ = worker.breathe()
    guard let values = pipeline.ends.counters.values() else {
      throw ScenarioError(.failed, "the worker's counters cannot be read")
    }
    let account = FrameAccount(values: values)
    let arrived = pipeline.arrivedCount
    let unexplained =
      abs(arrived - Int(account.received)) + abs(Int(account.sources) - Int(account.ends))
      + abs(Int(account.sent) - pipeline.leftCount)
      + abs(PipelineSwitch.chunkCount - knownChunkCount)
    guard unexplained > 0 || Int(account.sent) == arrived else {
      throw ScenarioError(
        .failed,
        "\(arrived) frames arrived and \(account.sent) were sent; the others were dropped "
          + "for a reason, and figures of dropping mean nothing")
    }
    return unexplained
  }

  /// Chunks that are free or on a ring; all of them unless one leaked.
  private var knownChunkCount: Int {
    worker.framesFree + pipeline.input.chunkCount + pipeline.output.chunkCount
  }
}
