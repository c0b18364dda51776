// SPDX-License-Identifier: Apache-2.0

import HostNetwork

/// `pktbench workers`: two workers that share their tables, beside one.
enum WorkersScenario: Scenario {
  /// What the two are compared with.
  static let alone = "one-worker"

  static let description = ScenarioDescription(
    name: "workers",
    abstract: "Two workers that read the same tables, beside one of them alone.",
    method: """
      METHOD
        Two workers as in the scenario pipeline, each on a thread that is pinned to a core of its \
      own, with frames, rings and ports of its own, encapsulate frames from 16 stations to \
      --entries stations behind 64 endpoints. They read one snapshot, in the same memory, and set \
      the same seen marks. Both begin at the same moment, and none stops before the other has \
      finished, so that neither ever has the machine to itself.

        A rate is frames over the time spent in breaths; playing the kernel, on the same cores at \
      the same time, is not in it. That of two workers is the sum of theirs. Against one-worker \
      only one of them runs, the first and the second in turn. The ratio would be 2 if they did \
      not disturb each other at all; it is less where they share caches, memory or a physical core.

        workers         all frames, all breaths; other programs' turns on the cores are in it
        workers.middle  as if each burst of a worker took what its burst in the middle did, so \
      that those that other programs interrupted do not count

        It needs two cores. After the last pair the books of both are checked; what they do not \
      explain is LOST.
      """,
    sizes: NumberSetting(range: 64...3790, fallback: [64], unit: "bytes"),
    entries: NumberSetting(range: 16...65_536, fallback: [65_536], unit: "entries"),
    competitors: [alone], usualCompetitors: [alone], pairs: 9, seconds: 0.3, needsRoot: false)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let cores = try Machine().cores
    guard cores.count >= 2 else {
      throw ScenarioError(
        .unavailable,
        "workers needs two cores, one for each worker, and this process may use \(cores.count); "
          + "run it with more (taskset, cpuset)")
    }
    var measures: [Measure] = []
    for size in plan.sizes {
      for entries in plan.entries {
        let options = PipelineSwitch.Options(way: .encapsulate, size: size, entries: entries)
        measures += try compare(options, cores: Array(cores.prefix(2)), plan, in: run)
      }
    }
    return measures
  }

  private static func compare(
    _ options: PipelineSwitch.Options, cores: [Int], _ plan: ScenarioPlan, in run: ScenarioRun
  ) throws -> [Measure] {
    let first = try Lane(options, index: 0, core: cores[0])
    let second = try Lane(options, sharing: first.tables, index: 1, core: cores[1])
    let lanes = [first, second]
    var subject = AlternatingPairs.Subject(
      name: "workers", size: options.size, entries: options.entries, against: plan.against.first)
    let pairs = AlternatingPairs(subject: subject, count: plan.pairs)
    // Each station is seen once, so that no mark is left to be set.
    _ = try Lane.measure(lanes, seconds: plan.seconds, in: run)
    var middle: (ours: [Sample], theirs: [Sample]) = ([], [])
    func ours() throws -> Sample {
      let samples = try Lane.measure(lanes, seconds: plan.seconds, in: run)
      middle.ours.append(samples.middle)
      return samples.whole
    }
    func theirs() throws -> Sample {
      let lane = lanes[middle.theirs.count % 2]
      let samples = try Lane.measure([lane], seconds: plan.seconds, in: run)
      middle.theirs.append(samples.middle)
      return samples.whole
    }
    var whole = try pairs.measure(in: run, ours: ours, theirs: plan.against.isEmpty ? nil : theirs)
    whole.lost += try first.lost() + second.lost()
    subject.name = "workers.middle"
    let others = plan.against.isEmpty ? middle.ours.map { _ in nil } : middle.theirs.map(\.self)
    let undisturbed = try AlternatingPairs.measure(
      of: subject, from: zip(middle.ours, others).map { .init(ours: $0, theirs: $1) })
    return [whole, undisturbed]
  }
}
