// SPDX-License-Identifier: Apache-2.0

/// Ours and a kernel's switch on benches of their own, compared in alternating pairs.
///
/// What `encap`, `decap` and `bridge` have in common; they differ in the way frames go.
struct LiveComparison {
  let way: Way
  let plan: ScenarioPlan
  let run: ScenarioRun
  let cores: LaboratoryCores

  /// Takes two cores, which must be there.
  init(_ way: Way, _ plan: ScenarioPlan, in run: ScenarioRun) throws {
    self.way = way
    self.plan = plan
    self.run = run
    cores = try LaboratoryCores.available()
  }

  /// Every size with every competitor, or alone.
  func measures() throws -> [Measure] {
    var measures: [Measure] = []
    for size in plan.sizes {
      let flows = Flows(size: size, way: way)
      let ours = try WeftSwitch(
        bench: Bench("weft", flows: flows, generatorCore: cores.generator), core: cores.worker)
      defer { ours.close() }
      try ours.bench.prove()
      for competitor in plan.against {
        try run.check()
        measures.append(try compare(ours, with: competitor))
      }
      if plan.against.isEmpty {
        measures.append(try pairs(flows, nil).measure(in: run) { try sample(ours) })
      }
    }
    return measures
  }

  private func compare(_ ours: WeftSwitch, with competitor: String) throws -> Measure {
    let flows = ours.bench.flows
    let bench = try Bench(competitor, flows: flows, generatorCore: cores.generator)
    defer { bench.close() }
    let kernel = try KernelSwitch(
      bench: bench, cores: competitor.hasSuffix("-rps") ? [cores.worker] : nil)
    try bench.prove()
    return try pairs(flows, competitor).measure(in: run) {
      try sample(ours)
    } theirs: {
      try bench.run(seconds: plan.seconds) { try kernel.dropped() }
    }
  }

  private func pairs(_ flows: Flows, _ competitor: String?) -> AlternatingPairs {
    AlternatingPairs(
      subject: .init(name: way.rawValue, size: flows.size, against: competitor), count: plan.pairs)
  }

  /// Ours once, with the share of breaths that found nothing meanwhile.
  func sample(_ ours: WeftSwitch) throws -> Sample {
    let before = try ours.work()
    var idleShare: Double?
    var sample = try ours.bench.run(seconds: plan.seconds) {
      try ours.dropped()
    } atEnd: {
      idleShare = try ours.work().idleShare(since: before)
    }
    sample.idleShare = idleShare
    return sample
  }
}

extension ScenarioDescription {
  /// A live scenario: what it measures, how, and against which kernel switch.
  static func live(
    _ way: Way, abstract: String, method: String, competitor: String
  ) -> ScenarioDescription {
    ScenarioDescription(
      name: way.rawValue, abstract: abstract, method: method + "\n\n" + liveMethod,
      sizes: NumberSetting(range: 60...1500, fallback: [64, 1350], unit: "bytes"), entries: nil,
      competitors: [competitor, competitor + "-rps"],
      usualCompetitors: [competitor, competitor + "-rps"], pairs: 5, seconds: 1, needsRoot: true)
  }

  private static let liveMethod = """
    Three network namespaces without a name are made for each side: a sender, a host, a far end. \
    The sender puts 512 flows to 16 stations on its veth through an AF_XDP socket, as fast as the \
    kernel takes them, from the first core. An XDP program counts and drops them at the far end. \
    Ours is the data plane of weftd with one worker on the second core; it is adaptive, so that \
    it sleeps while the competitor is measured. The kernel's switch runs in the sender's softirq \
    on the first core; with -rps, packets are handed to the second core on arrival. Stations, \
    endpoint and next hop are known beforehand on both sides, and neither checksums the outer \
    packet.

    Before anything is measured, one frame of each flow is received at the far end on both sides \
    and compared with what it must be. The rate is what arrives. Every frame the kernel took from \
    the generator has arrived or was counted as dropped by a veth, a socket or the worker; others \
    are "lost", and a run with lost frames fails. If more than 5 % of the worker's breaths were \
    empty the generator was the limit, and the ratio is a lower bound.
    """
}
