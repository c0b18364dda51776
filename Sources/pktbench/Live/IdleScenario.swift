// SPDX-License-Identifier: Apache-2.0

import Node

/// What an idle worker costs, and what an idle daemon does.
enum IdleScenario: Scenario {
  static let description = ScenarioDescription(
    name: "idle", abstract: "Processor time of a worker and of a daemon with nothing to do.",
    method: """
      Two measures, each the processor time within --seconds as a share of one core, in percent.

      "idle" is the worker's thread: the data plane of weftd with one adaptive worker and two \
      ports, as in the scenario encap. Frames of --size are sent through it once; then nothing.

      "idle.daemon" is a whole process, all of its threads: the weftd beside this program, a peer \
      of a mesh with a second one on another host, to which \(containerCount) containers are \
      attached that say nothing (ENTRIES is their number). The daemons keep their connection, and \
      nothing else happens. Without weftd and weft at this program's side it is left out.
      """,
    sizes: NumberSetting(range: 60...1500, fallback: [64], unit: "bytes"), entries: nil,
    competitors: [], usualCompetitors: [], pairs: 3, seconds: 3, needsRoot: true)

  /// How many containers the daemon has.
  static let containerCount = 32

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let cores = try LaboratoryCores.available()
    let measures = try plan.sizes.map { try worker(size: $0, plan, cores, run) }
    let missing = DaemonPair.programs.filter { DaemonPair.program($0) == nil }
    guard missing.isEmpty else {
      // It is to be heard with --quiet, too.
      ScenarioRunner.complain(
        "idle.daemon is NOT measured: beside pktbench there is no \(listed(missing, "and")); "
          + "build all products (swift build -c release) and start it from there")
      return measures
    }
    return measures + [try daemon(plan, cores, run)]
  }

  /// The thread of a worker with two ports.
  private static func worker(
    size: Int, _ plan: ScenarioPlan, _ cores: LaboratoryCores, _ run: ScenarioRun
  ) throws -> Measure {
    let bench = try Bench(
      "weft", flows: Flows(size: size, way: .encap), generatorCore: cores.generator)
    let ours = try WeftSwitch(bench: bench, core: cores.worker)
    defer { ours.close() }
    try bench.prove()
    // What was sent last may still be under way.
    try run.wait(seconds: 0.1)
    var measure = try shares("idle", plan, run) {
      let before = try workerSeconds()
      try run.wait(seconds: plan.seconds)
      return try workerSeconds() - before
    }
    measure.size = size
    return measure
  }

  /// A whole daemon with silent containers.
  private static func daemon(
    _ plan: ScenarioPlan, _ cores: LaboratoryCores, _ run: ScenarioRun
  ) throws -> Measure {
    run.report("idle.daemon: two weftd with \(containerCount) containers are set up")
    let daemons = try DaemonPair(containers: containerCount, cores: cores, in: run)
    defer { daemons.end() }
    // What there is to do after a start is done soon.
    try run.wait(seconds: min(2, plan.seconds))
    var measure = try shares("idle.daemon", plan, run) {
      let process = "\(daemons.process.identifier)"
      let before = ThreadTimes(ofProcess: process)
      try run.wait(seconds: plan.seconds)
      let after = ThreadTimes(ofProcess: process)
      guard !before.entries.isEmpty, !after.entries.isEmpty else {
        throw ScenarioError(
          .failed, "idle.daemon: weftd has ended; it said last: \(daemons.process.lastLines)")
      }
      return after.seconds(since: before)
    }
    measure.entries = containerCount
    return measure
  }

  /// The share of a core in each round; `sample` gives processor seconds.
  private static func shares(
    _ name: String, _ plan: ScenarioPlan, _ run: ScenarioRun, _ sample: () throws -> Double
  ) throws -> Measure {
    let shares = try (1...plan.pairs).map { round in
      run.report("\(name): round \(round) of \(plan.pairs)")
      let started = Stopwatch.now
      let seconds = try sample()
      return seconds / (Double(Stopwatch.now - started) / 1e9) * 100
    }
    guard let spread = Spread(shares) else {
      throw ScenarioError(.failed, "\(name): there is no figure")
    }
    var measure = Measure(
      name: name, size: nil, ours: spread.median, unit: "% of a core", lost: 0)
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
