// SPDX-License-Identifier: Apache-2.0

/// From the wire out of VXLAN through the table onto a container's veth, beside the kernel's VXLAN.
enum DecapScenario: Scenario {
  static let description = ScenarioDescription.live(
    .decap, abstract: "From the wire out of VXLAN onto a container's veth, as fast as it goes.",
    method: "A VXLAN endpoint sends to stations behind one container's veth; --size is that of "
      + "the inner frame. The competitor is a VXLAN device with a bridge.",
    competitor: "kernel-vxlan")

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try LiveComparison(.decap, plan, in: run).measures()
  }
}
