// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Node

/// `pktbench run FILE`: runs what a scenario file says.
struct RunFile: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs the scenario that a file describes.",
    discussion: """
      A scenario file is TOML and holds what the options of a scenario's command hold. Every key \
      but the first may be left out; a list of one value is still a list.

        scenario = "pipeline"        # a scenario's name
        size = [64, 512, 1350]       # --size
        entries = [16, 65536]        # --entries
        batch = [1, 32]              # --batch
        peers = [1, 4]               # --peers
        wire-mtu = 9000              # --wire-mtu
        encrypted = true             # --encrypted
        against = []                 # --against; an empty list measures ours alone
        pairs = 5                    # --pairs
        seconds = 0.2                # --seconds

      Everything that is wrong is told at once, with its line and what is accepted. Files to start \
      from are in Benchmarks/scenarios.

      \(ExitStatus.help)
      """)

  @Argument(help: ArgumentHelp("The scenario file.", valueName: "file"))
  var file: String

  @OptionGroup(title: "Results") var results: ResultOptions

  func run() throws {
    let read: ScenarioFile
    do throws(ConfigurationErrors) {
      read = try ScenarioFile.load(path: file)
    } catch {
      for line in error.description.split(separator: "\n") {
        ScenarioRunner.complain(String(line))
      }
      throw ArgumentParser.ExitCode(ExitStatus.file.rawValue)
    }
    try ScenarioRunner(
      scenario: read.scenario, plan: read.plan,
      destination: results.json.map(ReportDestination.init(argument:)), isQuiet: results.quiet
    ).run()
  }
}
