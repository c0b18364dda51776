// SPDX-License-Identifier: Apache-2.0

import Sealing
import Testing

@testable import pktbench

@Suite("The scenario seal")
struct SealTests {
  private static func plan(sizes: [Int], against: [String]) throws -> ScenarioPlan {
    var plan = try SealScenario.description.plan(
      for: ScenarioWishes(sizes: sizes, batches: [1, 5], peers: [3], against: against))
    plan.pairs = 2
    plan.seconds = 0.001
    return plan
  }

  private static var forms: [SealedForm] { SealedForm.allCases.filter(\.suite.isAvailable) }

  @Test("it seals and opens beside libsodium, in every form and size of batch")
  func itSealsBesideLibsodium() throws {
    let plan = try Self.plan(sizes: [64, 1400], against: ["libsodium"])
    let measures = try SealScenario.measure(plan, in: ScenarioRun())
    let names = Self.forms.flatMap { form in ["seal-", "open-"].map { $0 + form.rawValue } }
    #expect(Set(measures.map(\.name)) == Set(names))
    #expect(measures.count == names.count * 2 * 2)
    #expect(names.contains("open-secretbox") && names.contains("seal-chacha20poly1305"))
    for measure in measures {
      #expect(measure.unit == "frames/s" && measure.lost == 0 && measure.peers == 3)
      #expect(measure.ours > 0 && (measure.theirs ?? 0) > 0 && measure.ratio?.pairs == 2)
    }
  }

  @Test("without a competitor ours is measured alone")
  func oursIsMeasuredAlone() throws {
    let plan = try Self.plan(sizes: [14, 3000], against: [])
    let measures = try SealScenario.measure(plan, in: ScenarioRun())
    #expect(measures.count == Self.forms.count * 8)
    #expect(measures.allSatisfy { $0.theirs == nil && $0.range?.rounds == 2 })
  }

  @Test("the text of an ESP packet ends at a multiple of four bytes", arguments: 60...70)
  func anESPTextIsAligned(size: Int) {
    let form = SealedForm.esp
    #expect(form.textLength(frame: size) % 4 == 0)
    #expect(2...5 ~= form.trailerLength(frame: size))
    #expect(SealedForm.secretbox.packetLength(frame: size) == 30 + 14 + size)
  }

  @Test("an interruption ends it")
  func anInterruptionEndsIt() throws {
    let run = ScenarioRun()
    run.interruption.request()
    #expect(throws: Interruption.error) {
      try SealScenario.measure(Self.plan(sizes: [64], against: []), in: run)
    }
  }

  @Test("batches and peers are options of this scenario only, and have limits")
  func batchesAndPeersAreItsOptions() throws {
    #expect(throws: OptionProblems.self) {
      try SealScenario.description.plan(for: ScenarioWishes(batches: [65], peers: [0]))
    }
    do throws(OptionProblems) {
      _ = try TableScenario.description.plan(
        for: ScenarioWishes(batches: [1], peers: [1], isEncrypted: true))
      Issue.record("a table has no batches")
    } catch {
      #expect(error.problems.map(\.option) == ["batch", "peers", "encrypted"])
    }
  }
}
