// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import HostNetwork

/// Runs a scenario from its plan to its results.
struct ScenarioRunner {
  let scenario: any Scenario.Type
  let plan: ScenarioPlan
  /// Where the results go besides the terminal.
  let destination: ReportDestination?
  /// Whether to be silent while running.
  let isQuiet: Bool

  /// Measures and shows what was found; throws the status to exit with.
  func run() throws {
    do {
      try destination?.check()
      let report = try measured()
      try destination?.write(report)
      if destination != .standardOutput { print(report.text(), terminator: "") }
      guard report.lost == 0 else {
        throw ScenarioError(
          .failed, "\(report.lost) frames are missing from the books; the figures are not valid")
      }
    } catch {
      let known = error as? ScenarioError ?? ScenarioError(.failed, "\(error)")
      ScenarioRunner.complain(known.description)
      throw ArgumentParser.ExitCode(known.status.rawValue)
    }
  }

  private func measured() throws -> Report {
    let name = scenario.description.name
    guard !scenario.description.needsRoot || Machine.isRoot else {
      throw ScenarioError(
        .permission, "\(name) needs to be root, to make network namespaces; start it as root")
    }
    let isQuiet = isQuiet
    let run = ScenarioRun { line in
      if !isQuiet { ScenarioRunner.complain(line) }
    }
    let trap = SignalTrap(run)
    defer {
      run.cleanUps.run()
      extendLifetime(trap)
    }
    let watch = MachineWatch()
    let measures = try scenario.measure(plan, in: run)
    try run.check()
    return Report(machine: watch.report(), measures: measures)
  }

  /// Writes a line to standard error.
  static func complain(_ line: String) {
    FileHandle.standardError.write(Data("pktbench: \(line)\n".utf8))
  }
}
