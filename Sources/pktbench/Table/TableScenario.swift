// SPDX-License-Identifier: Apache-2.0

/// `pktbench table`: looking stations up.
enum TableScenario: Scenario {
  static let description = ScenarioDescription(
    name: "table",
    abstract: "Looking stations up in the forwarding table, beside plain C.",
    method: """
      METHOD
        --entries random MAC addresses are stored in a snapshot and published. Then 262,144 random \
      ones of them are looked up, 64 at a time with the calls of the data plane's stage: hash and \
      prefetch each, then probe each. Every look-up finds what it should; the sum of what was \
      found is checked after each pass.

        c-probe is plain C that does the same and has no more to do: a table in one piece of \
      memory that is never changed, linear probing at a load of one half at most, 8-byte keys and \
      values, 32 at a time. Stations, their order and the core are the same.

        A figure is nanoseconds for each key. The thread is pinned to the last core it may run on. \
      Each side makes passes for --seconds, of which the one in the middle counts; sides \
      alternate. The ratio is theirs over ours in time: 0.77 is 1.3 times the time of c-probe.
      """,
    sizes: nil,
    entries: NumberSetting(range: 16...2_000_000, fallback: [1024, 65_536], unit: "entries"),
    competitors: [FlatTable.name], usualCompetitors: [FlatTable.name], pairs: 7, seconds: 0.1,
    needsRoot: false)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try PinnedThread.onLastCore(run, for: description.name) {
      try plan.entries.map { entries in
        run.report("table: \(entries) entries")
        let cast = TableCast(entries: entries, seed: 1)
        let ours = try PublishedStations(cast)
        let theirs = plan.against.isEmpty ? nil : try FlatTable(cast)
        // Each side's memory is in the caches as far as it fits when the first pair begins.
        _ = try ours.lookUp(seconds: 0, in: run)
        _ = try theirs?.lookUp(seconds: 0, in: run)
        let pairs = AlternatingPairs(
          subject: .init(
            name: "table.lookup", size: nil, entries: entries, against: plan.against.first,
            unit: .nanosecondsPerKey),
          count: plan.pairs)
        guard let theirs else {
          return try pairs.measure(in: run) { try ours.lookUp(seconds: plan.seconds, in: run) }
        }
        return try pairs.measure(in: run) {
          try ours.lookUp(seconds: plan.seconds, in: run)
        } theirs: {
          try theirs.lookUp(seconds: plan.seconds, in: run)
        }
      }
    }
  }
}
