// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What an idle worker costs.
enum IdleScenario: Scenario {
  static let description = ScenarioDescription(
    name: "idle", abstract: "Processor time of a worker that has nothing to do.",
    method: """
      The data plane of weftd with one adaptive worker and two ports, as in the scenario encap. \
      Frames of --size are sent through it once; then nothing is sent for --seconds. The figure is \
      the processor time of the worker's thread as a share of one core, in percent.
      """,
    sizes: NumberSetting(range: 60...1500, fallback: [64], unit: "bytes"), entries: nil,
    competitors: [], usualCompetitors: [], pairs: 3, seconds: 3, needsRoot: true)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let cores = try LaboratoryCores.available()
    return try plan.sizes.map { size in
      let bench = try Bench(
        "weft", flows: Flows(size: size, way: .encap), generatorCore: cores.generator)
      let ours = try WeftSwitch(bench: bench, core: cores.worker)
      defer { ours.close() }
      try bench.prove()
      let shares = try (1...plan.pairs).map { round in
        run.report("idle: round \(round) of \(plan.pairs)")
        // What was sent last may still be under way.
        try run.wait(seconds: 0.1)
        let before = try workerSeconds()
        let started = Stopwatch.now
        try run.wait(seconds: plan.seconds)
        let passed = Double(Stopwatch.now - started) / 1e9
        return (try workerSeconds() - before) / passed * 100
      }
      return try measure(of: shares, size: size)
    }
  }

  private static func measure(of shares: [Double], size: Int) throws(ScenarioError) -> Measure {
    guard let spread = Spread(shares) else {
      throw ScenarioError(.failed, "idle: there is no figure")
    }
    var measure = Measure(
      name: "idle", size: size, ours: spread.median, unit: "% of a core", lost: 0)
    measure.isLessBetter = true
    measure.range = .init(min: spread.min, max: spread.max, rounds: spread.count)
    return measure
  }

  private static func workerSeconds() throws(ScenarioError) -> Double {
    let seconds = ThreadTimes.own().seconds(named: "weft-worker-")
    guard let seconds else {
      throw ScenarioError(
        .unavailable, "idle: the kernel does not tell the processor time of threads (schedstat)")
    }
    return seconds
  }
}
