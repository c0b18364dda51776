// SPDX-License-Identifier: Apache-2.0

// The benchmark: what our data plane does, beside others that do the same.
//
// A `Scenario` measures one thing; `Scenarios.all` lists them, and each is a subcommand
// (`ScenarioCommand`) and a kind of scenario file (`ScenarioFile`). Command/ reads what to measure
// into a `ScenarioPlan`; Framework/ runs it (`ScenarioRunner`, `ScenarioRun`), measures ours and
// theirs in turn (`AlternatingPairs`), and takes everything down when somebody presses ^C
// (`Interruption`). Results/ is what comes out: a `Report` of `Measure`s. Machine/ says where:
// `MachineReport`, `ProcessorTimes`. Pipeline/, Table/, Publish/ and Sealing/ have the scenarios
// that need no network; Live/ has those with a real kernel, on the benches of Laboratory/.
// Replay/ measures nothing: it runs capture files through the switch.

import ArgumentParser
import Node

/// `pktbench`: what Weft's data plane does beside others, measured.
@main
struct Pktbench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pktbench",
    abstract: "Measures the data plane beside its competitors.",
    discussion: """
      Each scenario measures one thing, alone or in turn with a competitor, several times. Results \
      are shown as a table with the machine they come from, and written as JSON with --json. \
      Progress goes to standard error.

      A figure is the median of all rounds. A ratio is ours over theirs within a pair that was \
      measured in direct succession, and the median of these with the least and the greatest; more \
      than 1 is in our favour. Frames per processor second count all cores and interrupts. Load \
      average and steal time stand beside the figures, because other work on the machine spoils \
      them: compare ratios, and rates only on an idle machine.

      EXAMPLES
        pktbench pipeline                              all sizes and tables
        pktbench pipeline --size 64 --entries 65536    one of them
        pktbench table --entries 65536                 the table beside plain C
        pktbench pipeline --json results.json --quiet  for a script
        pktbench run Benchmarks/scenarios/pipeline.toml

      \(ExitStatus.help)
      """,
    version: Daemon.version,
    subcommands: Scenarios.all.map { command(for: $0) } + [RunFile.self, Replay.self])

  private static func command<Measured: Scenario>(
    for scenario: Measured.Type
  ) -> any ParsableCommand.Type {
    ScenarioCommand<Measured>.self
  }
}
