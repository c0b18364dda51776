// SPDX-License-Identifier: Apache-2.0

/// The highest rate that goes from a container into VXLAN without loss, beside the kernel's.
enum LossScenario: Scenario {
  static let description = ScenarioDescription(
    name: "loss", abstract: "The highest rate into VXLAN at which hardly a frame is lost.",
    method: """
      The bench and both sides are those of the scenario encap. The generator keeps a pace, in \
      bursts of at most 32 frames. The highest pace at which at most 0.5 % of the frames that the \
      kernel took from the generator do not arrive is looked for by halving, to 2 %. Each trial \
      lasts --seconds, and one that loses more is made once more before the pace counts as too \
      high, because a machine busy elsewhere for a moment loses frames at any pace. If no more \
      is lost at the generator's full rate, that is the figure, and the path may well be faster. \
      The first trial of each search is thrown away.

      Ours and theirs are searched for in turn. The figure is the rate found; the ratio's spread \
      says how well it can be repeated.
      """,
    sizes: NumberSetting(range: 60...1500, fallback: [64], unit: "bytes"), entries: nil,
    competitors: ["kernel-vxlan", "kernel-vxlan-rps"], usualCompetitors: ["kernel-vxlan"],
    pairs: 5, seconds: 0.25, needsRoot: true)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let comparison = try LiveComparison(.encap, plan, in: run, name: "loss") { forwarder in
      try LossSample(forwarder: forwarder, seconds: plan.seconds, run: run).sample()
    }
    return try comparison.measures()
  }
}

/// One search on one side.
private struct LossSample {
  let forwarder: any Forwarder
  let seconds: Double
  let run: ScenarioRun

  func sample() throws -> Sample {
    var lost = 0
    var trials = 0
    var idleShare: Double?
    let rate = try RateSearch().highest { pace in
      try run.check()
      let sample = try forwarder.sample(Load(seconds: seconds, pace: pace))
      lost += abs(sample.lost)
      trials += 1
      idleShare = sample.idleShare
      return RateSearch.Trial(
        sent: sample.offered ?? 0, seconds: sample.seconds, arrived: sample.delivered ?? 0)
    }
    guard let rate else {
      throw ScenarioError(
        .failed, "loss: \(forwarder.bench.name) loses more than 0.5 % at any rate")
    }
    run.report("  \(forwarder.bench.name): \(figure(rate)) frames/s after \(trials) trials")
    var sample = Sample(frames: Int(rate), seconds: 1, idleShare: idleShare, lost: lost)
    sample.value = rate
    return sample
  }
}
