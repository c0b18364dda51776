// SPDX-License-Identifier: Apache-2.0

/// The highest rate that goes from a container into VXLAN without loss, beside the kernel's.
enum LossScenario: Scenario {
  static let description = ScenarioDescription(
    name: "loss", abstract: "The highest rate into VXLAN at which hardly a frame is lost.",
    method: """
      The bench and both sides are those of the scenario encap. The generator keeps a pace, in \
      bursts of at most 32 frames. The highest pace at which at most 0.5 % of the frames that the \
      kernel took from the generator do not arrive is looked for by halving, to 2 %.

      A trial lasts --seconds; in less than a second a moment in which the machine is busy \
      elsewhere looks like a pace that is too high. A pace is judged by the median of three \
      trials, of which the third is left out if the first two agree. When the halving ends, the \
      lowest pace that counted as too high is tried again; if it holds now, the search goes on \
      above it. If no more is lost at the generator's full rate, that is the figure, and the path \
      may well be faster. The first trial of each search is thrown away.

      Both sides are searched at the same time: one trial of ours, one of theirs, and so on, until \
      both searches are over. The figure is the rate found; the ratio's spread says how well it \
      can be repeated. Progress says of each trial that lost too much where its frames were lost.
      """,
    sizes: NumberSetting(range: 60...1500, fallback: [64], unit: "bytes"), entries: nil,
    competitors: ["kernel-vxlan", "kernel-vxlan-rps"], usualCompetitors: ["kernel-vxlan"],
    pairs: 5, seconds: 1, needsRoot: true)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let comparison = try LiveComparison(.encap, plan, in: run, name: "loss") { ours, theirs in
      var searches = LossSearches(
        forwarders: [ours] + (theirs.map { [$0] } ?? []), seconds: plan.seconds, run: run)
      return try searches.pair()
    }
    return try comparison.measures()
  }
}

/// A search on each side, whose trials take turns.
private struct LossSearches {
  let forwarders: [any Forwarder]
  let seconds: Double
  let run: ScenarioRun
  /// What there is besides the rate, side by side.
  private var samples: [Sample]
  private var trials: [Int]

  init(forwarders: [any Forwarder], seconds: Double, run: ScenarioRun) {
    (self.forwarders, self.seconds, self.run) = (forwarders, seconds, run)
    samples = forwarders.map { _ in Sample(frames: 0, seconds: 1) }
    trials = forwarders.map { _ in 0 }
  }

  mutating func pair() throws -> AlternatingPairs.Pair {
    let searches = try RateSearch.inTurn(sides: forwarders.count) { side, pace in
      try trial(side, pace)
    }
    for (side, search) in searches.enumerated() { try conclude(side, search) }
    return AlternatingPairs.Pair(ours: samples[0], theirs: samples.dropFirst().first)
  }

  private mutating func trial(_ side: Int, _ pace: RateSearch.Pace) throws -> RateSearch.Trial {
    try run.check()
    let sample = try forwarders[side].sample(Load(seconds: seconds, pace: pace.rate))
    samples[side].lost += abs(sample.lost)
    trials[side] += 1
    let trial = RateSearch.Trial(
      sent: sample.offered ?? 0, seconds: sample.seconds, arrived: sample.delivered ?? 0)
    let isGood = RateSearch.isGood(trial)
    if !isGood { report(side, trial, sample.drops) }
    // At a pace there is always time left; only at the full rate it says what the limit was.
    if pace.rate == nil { samples[side].idleShare = isGood ? sample.idleShare : nil }
    return trial
  }

  private func report(_ side: Int, _ trial: RateSearch.Trial, _ drops: String?) {
    run.report(
      "  \(name(side)): \(figure(trial.lostShare * 100)) % of \(figure(trial.rate)) frames/s lost"
        + (drops.map { ": \($0)" } ?? ""))
  }

  private mutating func conclude(_ side: Int, _ search: RateSearch) throws {
    guard let rate = search.found else {
      throw ScenarioError(.failed, "loss: \(name(side)) loses more than 0.5 % at any rate")
    }
    samples[side].frames = Int(rate)
    samples[side].value = rate
    run.report(
      "  \(name(side)): \(figure(rate)) frames/s after \(trials[side]) trials"
        + (search.reopenings > 0 ? ", \(search.reopenings) bounds reopened" : ""))
  }

  private func name(_ side: Int) -> String { forwarders[side].bench.name }
}
