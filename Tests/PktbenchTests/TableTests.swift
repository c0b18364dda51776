// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Testing

@testable import pktbench

@Suite("The scenario table")
struct TableTests {
  private static func plan(against: [String]) -> ScenarioPlan {
    ScenarioPlan(sizes: [], entries: [16, 3000], against: against, pairs: 2, seconds: 0)
  }

  @Test("it looks up beside plain C, for every size of table")
  func itLooksUpBesidePlainC() throws {
    let measures = try TableScenario.measure(Self.plan(against: ["c-probe"]), in: ScenarioRun())
    #expect(measures.map(\.entries) == [16, 3000])
    for measure in measures {
      #expect(measure.name == "table.lookup" && measure.unit == "ns/key")
      #expect(measure.size == nil && measure.lost == 0)
      #expect(measure.ours > 0 && (measure.theirs ?? 0) > 0 && measure.ratio?.pairs == 2)
    }
  }

  @Test("without a competitor ours is measured alone")
  func oursIsMeasuredAlone() throws {
    let measures = try TableScenario.measure(Self.plan(against: []), in: ScenarioRun())
    #expect(measures.allSatisfy { $0.theirs == nil && $0.range?.rounds == 2 })
  }

  @Test("stations are different and those that are looked for are among them")
  func stationsAreDifferent() {
    let cast = TableCast(entries: 20_000, seed: 7)
    #expect(Set(cast.stations).count == 20_000)
    #expect(cast.stations.allSatisfy { $0.isStation })
    #expect(cast.wanted.count == TableCast.wantedCount)
    #expect(cast.wanted.allSatisfy { (0..<20_000).contains($0) })
  }
}

@Suite("The scenario publish")
struct PublishTests {
  private static func plan(against: [String]) -> ScenarioPlan {
    ScenarioPlan(sizes: [64], entries: [3000], against: against, pairs: 1, seconds: 0.001)
  }

  @Test("it measures both sides of a publication, and loses nothing")
  func itMeasuresBothSides() throws {
    let measures = try PublishScenario.measure(
      Self.plan(against: ["copy", "quiet"]), in: ScenarioRun())
    #expect(measures.map(\.name) == ["publish", "publish.cost"])
    #expect(measures.map(\.against) == ["copy", "quiet"])
    #expect(measures.map(\.unit) == ["ns/change", "frames/s"])
    #expect(measures.map(\.size) == [nil, 64])
    #expect(measures.allSatisfy { $0.lost == 0 && $0.ours > 0 && $0.ratio?.pairs == 1 })
  }

  @Test("one competitor is one measure, and none is both alone")
  func oneCompetitorIsOneMeasure() throws {
    for (against, names) in [
      (["copy"], ["publish"]), (["quiet"], ["publish.cost"]), ([], ["publish", "publish.cost"]),
    ] {
      let measures = try PublishScenario.measure(Self.plan(against: against), in: ScenarioRun())
      #expect(measures.map(\.name) == names)
      #expect(measures.compactMap(\.against) == against)
    }
  }

  @Test("a publisher publishes as often as it is asked, and ends")
  func aPublisherPublishes() throws {
    let pipeline = try PipelineSwitch(.init(way: .encapsulate, size: 64, entries: 100))
    let core = try #require(try Machine().cores.first)
    let publisher = Publisher(pipeline.control, entries: 100, core: core)
    let before = pipeline.control.generation
    for _ in 0..<5 { publisher.request() }
    let deadline = Date(timeIntervalSinceNow: 60)
    while publisher.publishedCount < 5, Date() < deadline { usleep(1000) }
    publisher.end()
    #expect(publisher.publishedCount == 5)
    #expect(pipeline.control.generation == before + 5, "each is a publication of its own")
  }

  @Test("an interruption ends it")
  func anInterruptionEndsIt() throws {
    let run = ScenarioRun()
    run.interruption.request()
    #expect(throws: Interruption.error) {
      try PublishScenario.measure(Self.plan(against: ["copy"]), in: run)
    }
  }
}
