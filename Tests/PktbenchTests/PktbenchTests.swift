// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Testing

@testable import pktbench

// What the tests of this module share: a scenario that measures nothing.

/// Takes every option there is; each size is "measured" as one frame in each nanosecond.
enum PretendScenario: Scenario {
  static let description = ScenarioDescription(
    name: "pretend", abstract: "Measures nothing.", method: "No method.",
    sizes: NumberSetting(range: 64...1500, fallback: [64, 512], unit: "bytes"),
    entries: NumberSetting(range: 16...1024, fallback: [16], unit: "entries"),
    competitors: ["kernel-bridge", "kernel-vxlan"], usualCompetitors: ["kernel-vxlan"], pairs: 5,
    seconds: 0.5, needsRoot: false)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    plan.sizes.map { Measure(name: "pretend", size: $0, ours: 1, unit: "ns/frame", lost: 0) }
  }
}

@Suite("The program")
struct PktbenchTests {
  @Test("every scenario has a subcommand with its name and its values")
  func everyScenarioHasASubcommand() throws {
    let names = Pktbench.configuration.subcommands.map { $0.configuration.commandName }
    #expect(names == Scenarios.all.map { $0.description.name } + ["run", "replay"])
    for scenario in Scenarios.all {
      let description = scenario.description
      #expect(!description.abstract.isEmpty && !description.method.isEmpty)
      #expect(throws: Never.self) { try description.plan(for: ScenarioWishes()) }
    }
  }

  @Test("the help of a scenario shows its method, its values and the exit status")
  func theHelpShowsEverything() {
    let help = ScenarioCommand<PretendScenario>.helpMessage(columns: 100)
    for part in [
      "No method.", "from 64 to 1500", "kernel-bridge, kernel-vxlan or none", "--seconds", "--json",
      "EXIT STATUS", "130  interrupted",
    ] {
      #expect(help.contains(part), "\(part) is in the help")
    }
  }

  @Test("the help of a scenario lists the options it takes, and no others")
  func theHelpListsWhatTheScenarioTakes() throws {
    func expectOnlyItsOptions<Measured: Scenario>(_ scenario: Measured.Type) {
      let help = ScenarioCommand<Measured>.helpMessage(columns: 100)
      let description = Measured.description
      let options = [
        ("size", description.sizes != nil), ("entries", description.entries != nil),
        ("batch", description.batches != nil), ("peers", description.peers != nil),
        ("wire-mtu", description.wireMTU != nil),
        ("encrypted", description.competitorsOfEncrypted != nil),
        ("against", !description.competitors.isEmpty), ("pairs", true), ("seconds", true),
      ]
      for (option, isThere) in options {
        #expect(
          help.contains("\n  --\(option) ") == isThere, "--\(option) of \(description.name)")
      }
      if !description.competitors.contains("testpmd") {
        #expect(!help.contains("testpmd"), "\(description.name)")
      }
    }
    for scenario in Scenarios.all { expectOnlyItsOptions(scenario) }
  }

  @Test("the help names every exit status")
  func theHelpNamesEveryExitStatus() {
    for status in ExitStatus.allCases {
      #expect(ExitStatus.help.contains("\n  \(status.rawValue) "), "\(status)")
    }
  }
}
