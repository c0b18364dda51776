// SPDX-License-Identifier: Apache-2.0

import HostNetwork

/// Where the measuring thread runs.
enum PinnedThread {
  /// Runs `body` on the last core this thread may run on; afterwards it may run where it could.
  static func onLastCore<Result>(
    _ run: ScenarioRun, for name: String, _ body: () throws -> Result
  ) throws -> Result {
    let machine = try Machine()
    guard let core = machine.cores.last else {
      throw ScenarioError(.unavailable, "there is no core to run on")
    }
    machine.restrict(to: [core])
    defer { machine.restrict(to: machine.cores) }
    run.report("\(name): on core \(core)")
    return try body()
  }
}
