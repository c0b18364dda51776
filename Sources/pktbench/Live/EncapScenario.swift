// SPDX-License-Identifier: Apache-2.0

/// From a container's veth through the table and VXLAN onto the wire, beside the kernel's VXLAN.
enum EncapScenario: Scenario {
  static let description: ScenarioDescription = {
    var description = ScenarioDescription.live(
      .encap, abstract: "From a container's veth into VXLAN on the wire, as fast as it goes.",
      method: """
        A container sends to stations behind one VXLAN endpoint. The competitor is a bridge with a \
        VXLAN device.

        With --encrypted, ours sends the VXLAN in ESP with AES-256-GCM, as to a peer with a \
        password, and the measure is "encap.encrypted". "vxlan" is then our own VXLAN in clear; \
        the kernel's is in clear, too. The far end opens the ESP packet of each flow before it is \
        compared.
        """,
      competitor: "kernel-vxlan")
    description.competitorsOfEncrypted = ["vxlan"]
    return description
  }()

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try LiveComparison(.encap, plan, in: run).measures()
  }
}
