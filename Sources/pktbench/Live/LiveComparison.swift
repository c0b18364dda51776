// SPDX-License-Identifier: Apache-2.0

import Dataplane

/// Ours and a kernel's switch on benches of their own, compared in alternating pairs.
///
/// What `encap`, `decap` and `bridge` have in common, which differ in the way frames go, and
/// `loss`, which differs from `encap` in what it looks for.
struct LiveComparison {
  let way: Way
  let plan: ScenarioPlan
  let run: ScenarioRun
  /// The scenario's name.
  let name: String
  /// Measures ours and, if there is a competitor, theirs; both are awake.
  typealias Pairing = (WeftSwitch, (any Forwarder)?) throws -> AlternatingPairs.Pair
  /// Nil: as much as goes, one side after the other.
  let pairing: Pairing?
  let cores: LaboratoryCores

  /// Takes two cores, which must be there, as must be competitors that are programs.
  ///
  /// Measures as much as goes, if nothing else is said.
  init(
    _ way: Way, _ plan: ScenarioPlan, in run: ScenarioRun, name: String? = nil,
    pairing: Pairing? = nil
  ) throws {
    self.way = way
    self.plan = plan
    self.run = run
    self.name = name ?? way.rawValue + (plan.isEncrypted ? ".encrypted" : "")
    self.pairing = pairing
    cores = try LaboratoryCores.available()
    if plan.against.contains("testpmd") { try TestpmdSwitch.check() }
  }

  /// Every size with every competitor, or alone.
  func measures() throws -> [Measure] {
    var measures: [Measure] = []
    for size in plan.sizes {
      let flows = Flows(size: size, way: way)
      let ours = try weft("weft", flows, .adaptive, isEncrypted: plan.isEncrypted)
      defer { ours.close() }
      try ours.prove()
      for competitor in plan.against {
        try run.check()
        measures.append(try compare(ours, with: competitor))
      }
      if plan.against.isEmpty {
        measures.append(try measure(ours, nil, pairs(flows, nil)))
      }
    }
    return measures
  }

  private func compare(_ ours: WeftSwitch, with competitor: String) throws -> Measure {
    let flows = ours.bench.flows
    let theirs = try forwarder(competitor, flows)
    defer { theirs.close() }
    try theirs.awake { try theirs.prove() }
    return try measure(ours, theirs, pairs(flows, competitor))
  }

  private func measure(
    _ ours: WeftSwitch, _ theirs: (any Forwarder)?, _ pairs: AlternatingPairs
  ) throws -> Measure {
    guard let pairing else {
      return try pairs.measure(
        in: run, ours: { try sample(ours) }, theirs: theirs.map { theirs in { try sample(theirs) } }
      )
    }
    return try pairs.measurePairs(in: run) { _ in
      try ours.awake {
        guard let theirs else { return try pairing(ours, nil) }
        return try theirs.awake { try pairing(ours, theirs) }
      }
    }
  }

  /// Measures one side once, and has it awake meanwhile.
  func sample(_ forwarder: any Forwarder) throws -> Sample {
    try forwarder.awake { try forwarder.sample(Load(seconds: plan.seconds)) }
  }

  /// Builds a competitor on a bench of its own.
  private func forwarder(_ name: String, _ flows: Flows) throws -> any Forwarder {
    switch name {
    case "spin": return try weft(name, flows, .spin, isEncrypted: plan.isEncrypted)
    case "vxlan": return try weft(name, flows, .adaptive, isEncrypted: false)
    case "testpmd":
      // It changes nothing in a frame: what arrives is what was sent.
      let bench = try bench(name, Flows(size: flows.size, way: .bridge))
      return try closing(bench) { try TestpmdSwitch(bench: bench, cores: cores, in: run) }
    default:
      let bench = try bench(name, flows)
      return try closing(bench) {
        try KernelSwitch(bench: bench, cores: name.hasSuffix("-rps") ? [cores.worker] : nil)
      }
    }
  }

  private func weft(
    _ name: String, _ flows: Flows, _ idle: IdleMode, isEncrypted: Bool
  ) throws -> WeftSwitch {
    let bench = try bench(name, flows)
    return try closing(bench) {
      try WeftSwitch(bench: bench, core: cores.worker, idle: idle, isEncrypted: isEncrypted)
    }
  }

  private func bench(_ name: String, _ flows: Flows) throws -> Bench {
    try Bench(name, flows: flows, generatorCore: cores.generator)
  }

  /// What is built on the bench, which is closed if that fails.
  private func closing<Built>(_ bench: Bench, _ build: () throws -> Built) throws -> Built {
    do { return try build() } catch {
      bench.close()
      throw error
    }
  }

  private func pairs(_ flows: Flows, _ competitor: String?) -> AlternatingPairs {
    AlternatingPairs(
      subject: .init(name: name, size: flows.size, against: competitor), count: plan.pairs)
  }
}

extension ScenarioDescription {
  /// A live scenario: what it measures, how, and against which kernel switch.
  static func live(
    _ way: Way, abstract: String, method: String, competitor: String
  ) -> ScenarioDescription {
    ScenarioDescription(
      name: way.rawValue, abstract: abstract,
      method: ([method] + liveMethod(hasTestpmd: way != .decap)).joined(separator: "\n\n"),
      sizes: NumberSetting(range: 60...1500, fallback: [64, 1350], unit: "bytes"), entries: nil,
      competitors: [competitor, competitor + "-rps", "spin"]
        + (way == .decap ? [] : ["testpmd"]),
      usualCompetitors: [competitor, competitor + "-rps"], pairs: 5, seconds: 1, needsRoot: true)
  }

  private static func liveMethod(hasTestpmd: Bool) -> [String] {
    [
      sidesMethod, hasTestpmd ? spinMethod + " " + testpmdMethod : spinMethod, timeMethod,
      booksMethod,
    ]
  }

  private static let sidesMethod = """
    Three network namespaces without a name are made for each side: a sender, a host, a far end. \
    The sender puts 512 flows to 16 stations on its veth through an AF_XDP socket, as fast as the \
    kernel takes them, from the first core. An XDP program counts and drops them at the far end. \
    Ours is the data plane of weftd with one worker on the second core; it is adaptive, so that \
    it sleeps while the competitor is measured. The kernel's switch runs in the sender's softirq \
    on the first core; with -rps, packets are handed to the second core on arrival. Stations, \
    endpoint and next hop are known beforehand on both sides, and neither checksums the outer \
    packet.
    """

  private static let spinMethod = """
    More can be asked for. "spin" is the same data plane with a worker that never sleeps; it runs \
    during its own samples only.
    """

  private static let testpmdMethod = """
    "testpmd" is DPDK's forwarder over the same kind of sockets, on the worker's core (Debian: \
    dpdk-dev and librte-net-af-xdp23). It hands frames from one port to the other unread: what the \
    sockets alone cost.
    """

  private static let timeMethod = """
    FORWARDER NS is what the forwarding core worked for a frame, turns that found nothing left \
    out; unlike the rate it means something when the generator was the limit.
    """

  private static let booksMethod = """
    Before anything is measured, one frame of each flow is received at the far end on both sides \
    and compared with what it must be. The rate is what arrives. Every frame the kernel took from \
    the generator has arrived or was counted as dropped by a veth, a socket or the worker; others \
    are "lost", and a run with lost frames fails. If more than 5 % of the worker's breaths were \
    empty the generator was the limit, and the ratio is a lower bound.
    """
}
