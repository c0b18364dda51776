// SPDX-License-Identifier: Apache-2.0

/// `pktbench pipeline`: one worker between two memory ports.
enum PipelineScenario: Scenario {
  static let description = ScenarioDescription(
    name: "pipeline",
    abstract: "The way of a frame through one worker, without any kernel.",
    method: """
      METHOD
        One worker serves two ports whose rings are in memory. This program plays the kernel: it \
      copies a burst of 512 frames into the worker's chunks and puts them on the RX ring, lets the \
      worker breathe until it has drawn them all, and takes them off the TX ring. Only breaths are \
      inside the measured time; playing the kernel happens between them and is not counted. So the \
      figures hold everything that the worker does, rings and chunks included, and nothing of what \
      the kernel does: no system call, no copy, no driver. The frames' bytes are in the \
      processor's cache, as they are after a copying receive.

        Ours is nanoseconds for each frame. The thread is pinned to the last core it may run on, \
      each measure is warmed up once, and --pairs rounds of --seconds measured time each follow. \
      A round's figure is that of the burst in the middle, so that bursts during which other \
      programs had the core do not count; the result is the median of the rounds.

      WHOLE WAYS, from the RX ring to the TX ring
        pipeline.encapsulate  16 stations at a port to stations behind 64 endpoints
        pipeline.decapsulate  stations behind 64 endpoints to 16 stations at a port
        pipeline.local        16 stations at a port to stations at another

        --entries is how many stations are on the far side, in the table besides the 16. Each \
      frame goes to, or comes from, a random one of them, and belongs to a random flow. --size is \
      the inner frame's. All stations are known, so nothing is flooded and nobody learns anything.

        With --against c-probe the way of encapsulate alternates with plain C that does only the \
      two things nobody can leave out: for 4,096 frames, 32 at a time, it reads the address out of \
      the frame, looks it up in a table in one piece, and copies 50 bytes of headers in front of \
      it. It has no rings, no chunks, no sender to check, no outer checksum and no flow. The ratio \
      is theirs over ours in time: 0.20 is 5 times the time of c-probe.

      SINGLE STAGES
        pipeline.stage.NAME   receive, open, parse, learn, lookup, encapsulate, send

        Each stage runs over eight batches before the next one begins, with the clock read in \
      between, whose cost is subtracted. The batches then lie further apart in the cache than the \
      one batch of a worker, and calls are not merged, so the sum is not exactly a whole way. Open \
      is measured on the way of decapsulate, the others on that of encapsulate. Send includes \
      taking chunks back and filling the fill ring.

      VALIDITY
        After each measure the books are checked: frames that arrived, were received, sent and \
      left, and every chunk. What they do not explain is LOST. A run that drops or floods ends \
      with an error, as it would measure something else.
      """,
    sizes: NumberSetting(range: 64...3790, fallback: [64, 512, 1350], unit: "bytes"),
    entries: NumberSetting(range: 16...65_536, fallback: [16, 1024, 65_536], unit: "entries"),
    competitors: [FlatTable.name], usualCompetitors: [], pairs: 5, seconds: 0.1, needsRoot: false)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try PinnedThread.onLastCore(run, for: description.name) {
      var measures: [Measure] = []
      for size in plan.sizes {
        for entries in plan.entries {
          for way in PipelineWay.allCases {
            let options = PipelineSwitch.Options(way: way, size: size, entries: entries)
            let isCompared = way == .encapsulate && !plan.against.isEmpty
            measures.append(try (isCompared ? compared : wholeWay)(options, plan, run))
          }
          for way in [PipelineWay.decapsulate, .encapsulate] {
            let options = PipelineSwitch.Options(way: way, size: size, entries: entries)
            measures += try singleStages(options, plan, run)
          }
        }
      }
      return measures
    }
  }

  /// A whole way, in turn with the C probe.
  private static func compared(
    _ options: PipelineSwitch.Options, _ plan: ScenarioPlan, _ run: ScenarioRun
  ) throws -> Measure {
    let theirs = try FlatTable(TableCast(entries: options.entries, seed: 1))
    var way = try WholeWay(options)
    _ = try way.round(seconds: plan.seconds, in: run)
    _ = try theirs.writeHeaders(seconds: plan.seconds, in: run)
    let pairs = AlternatingPairs(
      subject: .init(
        name: "pipeline.\(options.way)", size: options.size, entries: options.entries,
        against: FlatTable.name, unit: .nanosecondsPerFrame),
      count: plan.pairs)
    var measure = try pairs.measure(in: run) {
      let perFrame = try way.round(seconds: plan.seconds, in: run)
      return Sample(frames: 1, seconds: perFrame / 1e9)
    } theirs: {
      try theirs.writeHeaders(seconds: plan.seconds, in: run)
    }
    measure.lost = try way.lost()
    return measure
  }

  private static func wholeWay(
    _ options: PipelineSwitch.Options, _ plan: ScenarioPlan, _ run: ScenarioRun
  ) throws -> Measure {
    run.report("\(options.way): \(options.size) bytes, \(options.entries) entries")
    var way = try WholeWay(options)
    _ = try way.round(seconds: plan.seconds, in: run)
    var rounds: [Double] = []
    for _ in 0..<plan.pairs {
      rounds.append(try way.round(seconds: plan.seconds, in: run))
    }
    return try measure("pipeline.\(options.way)", options, rounds, lost: try way.lost())
  }

  private static func singleStages(
    _ options: PipelineSwitch.Options, _ plan: ScenarioPlan, _ run: ScenarioRun
  ) throws -> [Measure] {
    run.report("stages of \(options.way): \(options.size) bytes, \(options.entries) entries")
    var stages = try SingleStages(options)
    _ = try stages.round(seconds: plan.seconds, in: run)
    var rounds: [[Double]] = []
    for _ in 0..<plan.pairs {
      rounds.append(try stages.round(seconds: plan.seconds, in: run))
    }
    let lost = stages.lost
    return try PipelineStage.allCases.filter { $0.way == options.way }.map { stage in
      try measure(
        "pipeline.stage.\(stage)", options, rounds.map { $0[stage.index] }, lost: lost)
    }
  }

  private static func measure(
    _ name: String, _ options: PipelineSwitch.Options, _ rounds: [Double], lost: Int
  ) throws -> Measure {
    guard let spread = Spread(rounds) else {
      throw ScenarioError(.failed, "\(name): no round was measured")
    }
    var measure = Measure(
      name: name, size: options.size, ours: spread.median, unit: "ns/frame", lost: lost)
    measure.entries = options.entries
    measure.range = .init(min: spread.min, max: spread.max, rounds: spread.count)
    return measure
  }
}
