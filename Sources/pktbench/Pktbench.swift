// SPDX-License-Identifier: Apache-2.0

// The benchmark: what our data plane does, beside others that do the same.
//
// `Pktbench` lists the scenarios, a subcommand each. Results/ holds what a run found (`Measure`)
// and how it is printed. Replay/ runs capture files through the switch.

import ArgumentParser
import Node

/// `pktbench`: what Weft's data plane does beside others, measured.
@main
struct Pktbench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pktbench",
    abstract: "Measures the data plane beside its competitors.",
    version: Daemon.version,
    subcommands: [Replay.self])
}
