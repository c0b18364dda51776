// SPDX-License-Identifier: Apache-2.0

/// From a container's veth through the table and VXLAN onto the wire, beside the kernel's VXLAN.
enum EncapScenario: Scenario {
  static let description = ScenarioDescription.live(
    .encap, abstract: "From a container's veth into VXLAN on the wire, as fast as it goes.",
    method: "A container sends to stations behind one VXLAN endpoint. The competitor is a bridge "
      + "with a VXLAN device.",
    competitor: "kernel-vxlan")

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try LiveComparison(.encap, plan, in: run).measures()
  }
}
