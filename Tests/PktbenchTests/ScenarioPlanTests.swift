// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Testing

@testable import pktbench

@Suite("Scenario options")
struct ScenarioPlanTests {
  private typealias Command = ScenarioCommand<PretendScenario>

  private func wishes(_ arguments: String...) throws -> ScenarioWishes {
    try ScenarioOptions<PretendScenario>.parse(arguments).wishes
  }

  private func problems(_ wishes: ScenarioWishes) -> [OptionProblem] {
    do throws(OptionProblems) {
      _ = try PretendScenario.description.plan(for: wishes)
      return []
    } catch {
      return error.problems
    }
  }

  @Test("without wishes the scenario's own values hold")
  func withoutWishesTheScenariosValuesHold() throws {
    let plan = try PretendScenario.description.plan(for: try wishes())
    #expect(
      plan
        == ScenarioPlan(
          sizes: [64, 512], entries: [16], against: ["kernel-vxlan"], pairs: 5, seconds: 0.5))
  }

  @Test("lists are given at once or by repeating the option")
  func listsAreGivenAtOnceOrRepeated() throws {
    #expect(try wishes("--size", "64", "128", "--pairs", "3").sizes == [64, 128])
    #expect(try wishes("--size", "64", "--size", "128").sizes == [64, 128])
    #expect(try wishes("--against", "none").against == [])
    #expect(try wishes("--seconds", "0.25").seconds == 0.25)
  }

  @Test("what is encrypted has competitors of its own")
  func whatIsEncryptedHasItsOwnCompetitors() throws {
    var description = PretendScenario.description
    description.competitorsOfEncrypted = ["plain"]
    let plan = try description.plan(for: try wishes("--encrypted"))
    #expect(plan.isEncrypted && plan.against == ["plain", "kernel-vxlan"])
    #expect(try !description.plan(for: try wishes()).isEncrypted)
    #expect(throws: OptionProblems.self) {
      try description.plan(for: try wishes("--against", "plain"))
    }
    #expect(problems(try wishes("--encrypted")).map(\.option) == ["encrypted"])
    #expect(try wishes("--batch", "1", "32", "--peers", "4").batches == [1, 32])
  }

  @Test("frames are as long as the wire between two hosts lets them be")
  func framesAreAsLongAsTheWireLets() throws {
    let description = EncryptedScenario.description
    let usual = try description.plan(for: try wishes())
    #expect(usual.wireMTU == 1500 && usual.sizes == [64, 1464])
    let long = try description.plan(for: try wishes("--wire-mtu", "9000"))
    #expect(long.wireMTU == 9000 && long.sizes == [64, 8964])
    #expect(try description.plan(for: ScenarioWishes(sizes: [8964], wireMTU: 9000)).sizes == [8964])
    for (size, wireMTU) in [(1465, 1500), (8965, 9000), (64, 1499), (64, 65_536), (64, Int.min)] {
      #expect(throws: OptionProblems.self) {
        try description.plan(for: ScenarioWishes(sizes: [size], wireMTU: wireMTU))
      }
    }
    #expect(problems(try wishes("--wire-mtu", "9000")).map(\.option) == ["wire-mtu"])
    #expect(description.discussion.contains("--wire-mtu one number of bytes from 1500 to 65535"))
  }

  @Test("every problem is told at once, with what is accepted")
  func everyProblemIsTold() {
    let found = problems(
      ScenarioWishes(
        sizes: [20], entries: [16, 16], against: ["kernel-vlan"], pairs: 0, seconds: 1e9))
    #expect(found.map(\.option) == ["size", "entries", "against", "pairs", "seconds"])
    #expect(found.first?.message == "20 is too small")
    #expect(
      found.first?.accepted == "up to 16 numbers of bytes from 64 to 1500")
    #expect(found.dropFirst().first?.message == "16 is given twice")
    #expect(found.contains { $0.message.contains("did you mean kernel-vxlan?") })
    #expect(found.allSatisfy { !$0.accepted.isEmpty })
  }

  @Test(
    "hostile numbers are refused",
    arguments: [Double.nan, .infinity, -.infinity, -1, 0, 61, .leastNonzeroMagnitude])
  func hostileNumbersAreRefused(seconds: Double) {
    #expect(problems(ScenarioWishes(seconds: seconds)).map(\.option) == ["seconds"])
  }

  @Test("extreme whole numbers and long lists are refused")
  func extremeNumbersAreRefused() {
    #expect(problems(ScenarioWishes(sizes: [.max])).map(\.option) == ["size"])
    #expect(problems(ScenarioWishes(sizes: [.min])).map(\.option) == ["size"])
    #expect(problems(ScenarioWishes(sizes: Array(64...200))).map(\.option) == ["size"])
    #expect(problems(ScenarioWishes(sizes: [])).map(\.option) == ["size"])
    #expect(problems(ScenarioWishes(pairs: .max)).map(\.option) == ["pairs"])
  }

  @Test("a scenario without frames takes no size, and its help shows none")
  func aScenarioWithoutFramesTakesNoSize() throws {
    let description = ScenarioDescription(
      name: "plain", abstract: "", method: "", sizes: nil, entries: nil, competitors: [],
      usualCompetitors: [], pairs: 1, seconds: 1, needsRoot: false)
    #expect(try description.plan(for: ScenarioWishes()).sizes == [])
    #expect(!description.discussion.contains("--size"))
    #expect {
      _ = try description.plan(for: ScenarioWishes(sizes: [64]))
    } throws: { error in
      (error as? OptionProblems)?.problems
        == [
          OptionProblem(
            option: "size", message: "plain has no such option",
            accepted: "no lengths of frames for plain")
        ]
    }
  }

  @Test("a scenario without tables or competitors says so")
  func missingOptionsAreRefused() {
    let description = ScenarioDescription(
      name: "plain", abstract: "", method: "",
      sizes: NumberSetting(range: 1...2, fallback: [1], unit: "bytes"), entries: nil,
      competitors: [], usualCompetitors: [], pairs: 1, seconds: 1, needsRoot: false)
    let wishes = ScenarioWishes(entries: [16], against: ["kernel-vxlan"])
    #expect {
      _ = try description.plan(for: wishes)
    } throws: { error in
      let problems = (error as? OptionProblems)?.problems ?? []
      return problems.map(\.message) == [
        "plain has no such option", "\"kernel-vxlan\" is not a competitor of plain",
      ]
    }
    #expect(throws: Never.self) { try description.plan(for: ScenarioWishes(against: [])) }
  }

  @Test("the command line refuses before anything runs, with status 64")
  func theCommandLineRefuses() {
    #expect {
      _ = try Command.parse(["--size", "7", "--against", "weave"])
    } throws: { error in
      let text = Command.fullMessage(for: error)
      return text.contains("--size: 7 is too small; accepted:")
        && text.contains("--against: \"weave\" is not a competitor")
        && Command.exitCode(for: error).rawValue == ExitStatus.usage.rawValue
    }
  }
}
