// SPDX-License-Identifier: Apache-2.0

/// `pktbench publish`: changing a table that workers read.
enum PublishScenario: Scenario {
  static let description = ScenarioDescription(
    name: "publish",
    abstract: "Publishing changes of the forwarding table, beside copying it and beside silence.",
    method: """
      PUBLISHING, against copy
        --entries random MAC addresses are in a published snapshot. One change is: a random one of \
      them moves, the change is published, and the pages that nobody reads any more are taken \
      back. A reader on the first core refreshes and looks stations up all the time; the writer is \
      on the second. copy is what a table without pages would have to do for a change: memcpy of \
      as many bytes as the snapshot's pages have, directories included, from one block of memory \
      to another, on the same core.

        The figure is nanoseconds for each change; each side works for --seconds, and of all \
      times, those of 64 changes or of one copy, the one in the middle counts. The ratio is theirs \
      over ours in time: 100 is a hundredth of the time of copy.

      WHAT WORKERS PAY, against quiet
        One worker between two memory ports encapsulates frames of --size to --entries stations on \
      the second core, as in `pipeline`. For each millisecond of breathing the control plane on \
      the first core moves one random station to another endpoint and publishes that, so 1,000 a \
      second, while the worker goes on. quiet is the same worker with the same table, while \
      the other thread is woken as often and does nothing.

        The figure, publish.cost, is frames a second of breathing, over all bursts but those that \
      took eight times as long as the one in the middle, during which other programs had the core. \
      The ratio is ours over theirs: 0.99 is a cost of 1 %.

        --against copy or quiet measures only that; none measures both without a competitor.
      """,
    sizes: NumberSetting(range: 64...3790, fallback: [64], unit: "bytes"),
    entries: NumberSetting(range: 16...2_000_000, fallback: [1_000_000], unit: "entries"),
    competitors: [Competitor.copy.rawValue, Competitor.quiet.rawValue],
    usualCompetitors: [Competitor.copy.rawValue, Competitor.quiet.rawValue], pairs: 7,
    seconds: 0.5, needsRoot: false)

  /// Seconds of breathing between two changes, in `publish.cost`.
  private static let changePeriod = 0.001

  /// Whom changes are compared with.
  enum Competitor: String {
    case copy, quiet
  }

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let cores = try LaboratoryCores.available()
    return try PinnedThread.onLastCore(run, for: description.name) {
      var measures: [Measure] = []
      for entries in plan.entries {
        if plan.against.isEmpty || plan.against.contains(Competitor.copy.rawValue) {
          measures.append(try publishing(entries, plan, run, readerCore: cores.generator))
        }
        guard plan.against.isEmpty || plan.against.contains(Competitor.quiet.rawValue) else {
          continue
        }
        for size in plan.sizes {
          let options = PipelineSwitch.Options(way: .encapsulate, size: size, entries: entries)
          measures.append(try cost(options, plan, run, writerCore: cores.generator))
        }
      }
      return measures
    }
  }

  private static func publishing(
    _ entries: Int, _ plan: ScenarioPlan, _ run: ScenarioRun, readerCore: Int
  ) throws -> Measure {
    run.report("publish: \(entries) entries")
    var changes = try Changes(entries: entries)
    let isCompared = !plan.against.isEmpty
    let copier = isCompared ? try Copier(length: changes.length) : nil
    let reader = changes.startReader(core: readerCore)
    defer { reader.end() }
    let pairs = AlternatingPairs(
      subject: .init(
        name: "publish", size: nil, entries: entries,
        against: isCompared ? Competitor.copy.rawValue : nil, unit: .nanosecondsPerChange),
      count: plan.pairs)
    guard let copier else {
      return try pairs.measure(in: run) { try changes.publish(seconds: plan.seconds, in: run) }
    }
    return try pairs.measure(in: run) {
      try changes.publish(seconds: plan.seconds, in: run)
    } theirs: {
      try copier.copy(seconds: plan.seconds, in: run)
    }
  }

  private static func cost(
    _ options: PipelineSwitch.Options, _ plan: ScenarioPlan, _ run: ScenarioRun, writerCore: Int
  ) throws -> Measure {
    run.report("publish.cost: \(options.size) bytes, \(options.entries) entries")
    var way = try WholeWay(options)
    _ = try way.round(seconds: plan.seconds, in: run)
    let publisher = Publisher(way.pipeline.control, entries: options.entries, core: writerCore)
    defer { publisher.end() }
    let isCompared = !plan.against.isEmpty
    let pairs = AlternatingPairs(
      subject: .init(
        name: "publish.cost", size: options.size, entries: options.entries,
        against: isCompared ? Competitor.quiet.rawValue : nil),
      count: plan.pairs)
    func side(isPublishing: Bool) throws -> Sample {
      var sample = Sample(frames: 0, seconds: 0)
      repeat {
        publisher.request(quietly: !isPublishing)
        _ = try way.round(seconds: changePeriod, in: run)
        let round = way.steadySample()
        sample.frames += round.frames
        sample.seconds += round.seconds
      } while sample.seconds < plan.seconds
      return sample
    }
    var measure = try pairs.measure(
      in: run, ours: { try side(isPublishing: true) },
      theirs: isCompared ? { try side(isPublishing: false) } : nil)
    measure.lost = try way.lost()
    run.report("publish.cost: \(publisher.report)")
    return measure
  }
}
