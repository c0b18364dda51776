// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Testing

@testable import pktbench

@Suite struct WorkersTests {
  private func measures(
    against: [String], in run: ScenarioRun = ScenarioRun()
  ) throws -> [Measure] {
    let plan = ScenarioPlan(sizes: [64], entries: [16], against: against, pairs: 2, seconds: 0.001)
    let measures = try WorkersScenario.measure(plan, in: run)
    #expect(measures.map(\.name) == ["workers", "workers.middle"])
    return measures
  }

  @Test func twoWorkersAreComparedWithOneAndLoseNothing() throws {
    for measure in try measures(against: ["one-worker"]) {
      #expect(measure.ours > 0 && measure.ratio?.pairs == 2 && measure.entries == 16)
      #expect(measure.lost == 0)
    }
  }

  @Test func twoWorkersAreMeasuredAlone() throws {
    for measure in try measures(against: []) {
      #expect(measure.range?.rounds == 2 && measure.ratio == nil)
      #expect(measure.lost == 0)
    }
  }

  @Test func anInterruptionEndsBothThreads() throws {
    let run = ScenarioRun()
    run.interruption.request()
    #expect(throws: Interruption.error) { try measures(against: [], in: run) }
  }

  @Test func theRateOfSeveralWorkersIsTheSumOfTheirs() {
    let burst = UInt64(PipelineSwitch.burst)
    let one = LaneSamples([[10 * burst, 10 * burst, 40 * burst]])
    #expect(abs(one.whole.rate / 5e7 - 1) < 1e-9)
    #expect(abs(one.middle.rate / 1e8 - 1) < 1e-9)
    let two = LaneSamples([[10 * burst, 10 * burst], [20 * burst]])
    #expect(abs(two.middle.rate / 1.5e8 - 1) < 1e-9)
  }

  @Test func aWorkerThatCannotHaveItsCoreIsNotWaitedFor() throws {
    let options = PipelineSwitch.Options(way: .encapsulate, size: 64, entries: 16)
    let first = try Lane(options, index: 0, core: try #require(Machine().cores.first))
    let second = try Lane(options, sharing: first.tables, index: 1, core: 1_000_000)
    #expect(throws: ScenarioError.self) {
      try Lane.measure([first, second], seconds: 60, in: ScenarioRun())
    }
  }
}
