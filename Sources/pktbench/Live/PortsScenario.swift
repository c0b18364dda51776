// SPDX-License-Identifier: Apache-2.0

import Dataplane
import HostNetwork

/// Very many ports on one host, two of them busy: what they take, and what they cost those two.
enum PortsScenario: Scenario {
  static let description = ScenarioDescription(
    name: "ports",
    abstract: "Very many ports on one host: their memory, and the rate of two among them.",
    method: """
      METHOD
        On a host as in the scenario bridge, --entries ports are open, with one worker on the \
      second core and 16384 chunks: the two that a sender and a sink are behind, and veths of \
      containers that are silent once each has announced itself. All interfaces are in network \
      namespaces without a name, which go with this program.

      MEASURES
        ports.rate            frames that arrive in a second; against alone, the same on a host \
      with only the two busy ports, in alternating pairs
        ports.memory          bytes of the kernel for that host, pairs included: all of the \
      machine's memory that is neither free, nor a process's, nor a cache
        ports.memory.counted  what the kernel counts of it as slab, vmalloc, page tables, memory \
      for each core and stacks; without the pages for packets that each queue keeps
        ports.memory.budget   the same as the sum in docs/dataplane.md predicts it
        ports.memory.process  how much more memory of its own, shared with the kernel or not, \
      this process has
        ports.open, ports.status, ports.close
                              microseconds for opening a port, asking for its state, closing it

        The range of ports.open, ports.status and ports.close is from the quickest to the slowest \
      port. What other programs have the kernel keep meanwhile spoils the memory by some tens of \
      MiB; --size matters for the rate only.
      """,
    sizes: NumberSetting(range: 60...1500, fallback: [64], unit: "bytes"),
    entries: NumberSetting(range: 2...2000, fallback: [1000], unit: "ports"),
    competitors: ["alone"], usualCompetitors: ["alone"], pairs: 5, seconds: 1, needsRoot: true)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    var measures: [Measure] = []
    for size in plan.sizes {
      for count in plan.entries {
        measures += try PortsComparison(size: size, count: count, plan, in: run).measures()
      }
    }
    return measures
  }
}

/// A host with many ports beside one with two.
private struct PortsComparison {
  let size: Int
  let count: Int
  let run: ScenarioRun
  let plan: ScenarioPlan
  let live: LiveComparison
  private let flows: Flows

  init(size: Int, count: Int, _ plan: ScenarioPlan, in run: ScenarioRun) throws {
    self.size = size
    self.count = count
    self.plan = plan
    self.run = run
    live = try LiveComparison(.bridge, plan, in: run)
    flows = Flows(size: size, way: .bridge)
    try requireRoom()
  }

  func measures() throws -> [Measure] {
    let before = try KernelMemory.settled(in: run)
    let residentBefore = KernelMemory.resident()
    let many = try makeSwitch("weft-many")
    defer { many.close() }
    let crowd = try Crowd(count - 2, at: many.bench.host, in: run)
    let opening = try many.host.serve(crowd, in: run)
    try many.host.hear(crowd, in: run)
    let after = try KernelMemory.settled(in: run)
    let budget = try many.host.budget()
    var measures = [
      bytes("ports.memory", after.used - before.used),
      bytes("ports.memory.counted", after.counted - before.counted),
      bytes("ports.memory.budget", budget.kernel.bytes),
      bytes("ports.memory.process", KernelMemory.resident() - residentBefore),
    ]
    measures.append(try rate(many))
    measures += [
      times("ports.open", opening), times("ports.status", try many.host.look(at: crowd, in: run)),
      times("ports.close", try many.host.leave(crowd, in: run)),
    ].compactMap(\.self)
    return measures
  }

  /// The two busy ports among the others, and alone.
  private func rate(_ many: WeftSwitch) throws -> Measure {
    try many.bench.prove()
    let subject = AlternatingPairs.Subject(
      name: "ports.rate", size: size, entries: count, against: plan.against.first)
    let pairs = AlternatingPairs(subject: subject, count: plan.pairs)
    guard subject.against != nil else {
      return try pairs.measure(in: run) { try live.sample(many) }
    }
    let alone = try makeSwitch("weft-alone")
    defer { alone.close() }
    try alone.bench.prove()
    return try pairs.measure(in: run) {
      try live.sample(many)
    } theirs: {
      try live.sample(alone)
    }
  }

  private func makeSwitch(_ name: String) throws -> WeftSwitch {
    try WeftSwitch(
      bench: Bench(name, flows: flows, generatorCore: live.cores.generator),
      core: live.cores.worker)
  }

  /// Throws if the machine has not enough memory or files for so many ports.
  private func requireRoom() throws {
    let files = Machine.raiseOpenFileLimit()
    guard files >= count * 4 + 200 else {
      throw ScenarioError(
        .unavailable,
        "ports: \(count) ports take \(count * 4 + 200) open files, and this process may have "
          + "\(files); raise the limit (ulimit -Hn) or ask for fewer with --entries")
    }
    let budget = KernelMemoryBudget(
      chunkCount: 16_384, workerCount: 1, portCount: count, queueCount: count)
    let available = try KernelMemory.settled(in: run).available
    guard available >= budget.bytes / 8 * 10 else {
      throw ScenarioError(
        .unavailable,
        "ports: \(count) ports take about \(budget.bytes >> 20) MiB of the kernel, and "
          + "\(available >> 20) MiB are left; ask for fewer with --entries")
    }
  }

  private func bytes(_ name: String, _ bytes: Int) -> Measure {
    var measure = Measure(name: name, size: size, ours: Double(bytes), unit: "bytes", lost: 0)
    measure.entries = count
    return measure
  }

  private func times(_ name: String, _ seconds: [Double]) -> Measure? {
    guard let spread = Spread(seconds.map { $0 * 1e6 }) else { return nil }
    var measure = Measure(name: name, size: size, ours: spread.median, unit: "us/port", lost: 0)
    measure.entries = count
    measure.range = .init(min: spread.min, max: spread.max, rounds: spread.count)
    return measure
  }
}
