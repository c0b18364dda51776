// SPDX-License-Identifier: Apache-2.0

/// From one container's veth through the table onto another's, beside the kernel's bridge.
enum BridgeScenario: Scenario {
  static let description = ScenarioDescription.live(
    .bridge, abstract: "From one container's veth onto another's, as fast as it goes.",
    method: "A container sends to stations behind another container's veth on the same host. The "
      + "competitor is a bridge.",
    competitor: "kernel-bridge")

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try LiveComparison(.bridge, plan, in: run).measures()
  }
}
