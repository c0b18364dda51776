// SPDX-License-Identifier: Apache-2.0

/// From a container's veth through table and VXLAN onto the wire, beside the kernel's own VXLAN.
enum EncapScenario: Scenario {
  static let description = ScenarioDescription(
    name: "encap",
    abstract: "From a container's veth into VXLAN on the wire, as fast as it goes.",
    method: """
      Three network namespaces without a name are made for each side: a sender, a host, a far \
      end. The sender puts frames of 512 flows to 16 stations on its veth through an AF_XDP \
      socket, as fast as the kernel takes them, from the first core. The host carries them to the \
      other side of a second veth inside VXLAN, where an XDP program counts and drops them. Ours \
      is the data plane of weftd with one worker on the second core; it is adaptive, so that it \
      sleeps while the competitor is measured. All stations, the endpoint and its next hop are \
      known beforehand on both sides. Transmit offloads are off on the wire and at the sender.

      kernel-vxlan      bridge and vxlan device, all of it in the sender's softirq on the first core
      kernel-vxlan-rps  the same, with packets handed to the second core on arrival (RPS)

      Before anything is measured, one frame of each flow is received at the far end on both \
      sides, taken out of its VXLAN and compared. The rate is what arrives. Every frame the \
      kernel took from the generator has arrived or was counted as dropped by a veth, a socket or \
      the worker; others are "lost", and a run with lost frames fails. If more than 5 % of the \
      worker's breaths were empty the generator was the limit, and the ratio is a lower bound.
      """,
    sizes: NumberSetting(range: 60...1500, fallback: [64, 1350], unit: "bytes"), entries: nil,
    competitors: ["kernel-vxlan", "kernel-vxlan-rps"],
    usualCompetitors: ["kernel-vxlan", "kernel-vxlan-rps"], pairs: 5, seconds: 1, needsRoot: true)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let cores = try LaboratoryCores.available()
    var measures: [Measure] = []
    for size in plan.sizes {
      let flows = Flows(size: size)
      let ours = try WeftSwitch(
        bench: Bench("weft", flows: flows, generatorCore: cores.generator), core: cores.worker)
      defer { ours.close() }
      try ours.bench.prove()
      for competitor in plan.against {
        try run.check()
        measures.append(try compare(ours, with: competitor, cores, plan, run))
      }
      if plan.against.isEmpty {
        let pairs = AlternatingPairs(
          subject: .init(name: "encap", size: size), count: plan.pairs)
        measures.append(try pairs.measure(in: run) { try sample(ours, plan.seconds) })
      }
    }
    return measures
  }

  private static func compare(
    _ ours: WeftSwitch, with competitor: String, _ cores: LaboratoryCores, _ plan: ScenarioPlan,
    _ run: ScenarioRun
  ) throws -> Measure {
    let flows = ours.bench.flows
    let bench = try Bench(competitor, flows: flows, generatorCore: cores.generator)
    defer { bench.close() }
    let kernel = try KernelVXLAN(
      bench: bench, cores: competitor == "kernel-vxlan-rps" ? [cores.worker] : nil)
    try bench.prove()
    let pairs = AlternatingPairs(
      subject: .init(name: "encap", size: flows.size, against: competitor), count: plan.pairs)
    return try pairs.measure(in: run) {
      try sample(ours, plan.seconds)
    } theirs: {
      try bench.run(seconds: plan.seconds) { try kernel.dropped() }
    }
  }

  /// Ours once, with the share of breaths that found nothing while the generator ran.
  private static func sample(_ ours: WeftSwitch, _ seconds: Double) throws -> Sample {
    let before = try ours.work()
    var sample = try ours.bench.run(seconds: seconds) { try ours.dropped() }
    sample.idleShare = try ours.work().idleShare(since: before)
    return sample
  }
}
