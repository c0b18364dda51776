// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Foundation

/// One TCP stream between containers of two hosts, beside the kernel's bridges and VXLAN devices.
enum StreamScenario: Scenario {
  static let description = ScenarioDescription(
    name: "stream", abstract: "One TCP stream between containers of two hosts.",
    method: """
      For each side four network namespaces are made: two hosts, joined by a veth with an MTU of \
      1500, and a container on each. Checksums, segmentation and reassembly (TX, TSO, GSO, GRO) \
      are switched off at the containers' ends, at both ends of the wire, and at the kernel's \
      VXLAN devices. The containers' MTU is --size without its 14 bytes of Ethernet.

      One stream is sent from the first core and received on the second, for both sides alike. \
      Ours is the data plane of weftd with one adaptive worker on each host, on the core that its \
      container uses, as if each host had one core. The competitor is a bridge with a VXLAN device \
      on both hosts, which works wherever the stack hands it a packet.

      The figure is payload received in a second, once the stream has run for a while. Every byte \
      is compared with what it must be. PER CPU SECOND is bytes for each second of processor time \
      of the whole machine, sender and receiver included. Retransmissions and what was dropped \
      where stand in the progress. Workers' frames must add up.
      """,
    sizes: NumberSetting(range: 590...1464, fallback: [1464], unit: "bytes"), entries: nil,
    competitors: ["kernel-vxlan"], usualCompetitors: ["kernel-vxlan"], pairs: 5, seconds: 2,
    needsRoot: true)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try StreamComparison(plan, in: run).measures()
  }
}

/// Streams through ours and through the kernel's tunnel, in turn.
private struct StreamComparison {
  let plan: ScenarioPlan
  let run: ScenarioRun
  private let cores: LaboratoryCores

  init(_ plan: ScenarioPlan, in run: ScenarioRun) throws {
    self.plan = plan
    self.run = run
    cores = try LaboratoryCores.available()
  }

  func measures() throws -> [Measure] {
    try plan.sizes.flatMap { size in
      let mtu = size - 14
      let ours = try Junction(
        weft: "weft", mtu: mtu, cores: [cores.generator, cores.worker], idle: .adaptive)
      defer { ours.close() }
      try prove(ours)
      guard !plan.against.isEmpty else {
        return [try pairs(size, nil).measure(in: run) { try sample(ours) }]
      }
      return try plan.against.map { name in
        let theirs = try Junction(kernel: name, mtu: mtu)
        defer { theirs.close() }
        try prove(theirs)
        return try pairs(size, name).measure(in: run) {
          try sample(ours)
        } theirs: {
          try sample(theirs)
        }
      }
    }
  }

  private func pairs(_ size: Int, _ competitor: String?) -> AlternatingPairs {
    AlternatingPairs(
      subject: .init(name: "stream", size: size, against: competitor, unit: .bytesPerSecond),
      count: plan.pairs)
  }

  /// A short stream, of which every byte arrives.
  private func prove(_ junction: Junction) throws {
    _ = try stream(through: junction, start: 0, seconds: 0.05)
  }

  private func sample(_ junction: Junction) throws -> Sample {
    // Half a second is enough for TCP to find its pace over a wire without delay.
    try stream(through: junction, start: min(0.5, plan.seconds / 2), seconds: plan.seconds)
  }

  private func stream(
    through junction: Junction, start: Double, seconds: Double
  ) throws -> Sample {
    let before = try junction.losses()
    let begin = Stopwatch.now + UInt64(start * 1e9)
    let end = begin + UInt64(seconds * 1e9)
    let stream = try ByteStream(
      between: junction.hosts, cores: cores, .init(begin: begin, end: end), in: run)
    let busy = Result { try busySeconds(from: begin, to: end) }
    let outcome = try stream.outcome()
    try run.check()
    let cpuSeconds = try busy.get()
    let losses = try junction.losses()
    var line =
      "  \(junction.hosts.name): \(figure(Double(outcome.counted) / seconds)) bytes/s, "
      + "\(outcome.retransmissions) segments sent again"
    if let before, let losses { line += "; " + losses.since(before).text }
    run.report(line)
    return Sample(
      frames: Int(outcome.counted), seconds: seconds, cpuSeconds: cpuSeconds,
      lost: Int(outcome.sent - outcome.received))
  }

  /// Waits for the second moment and gives the processor time of the machine between both.
  private func busySeconds(from begin: UInt64, to end: UInt64) throws -> Double? {
    try run.wait(until: begin)
    let processor = ProcessorTimes.now()
    try run.wait(until: end)
    return processor.flatMap { ProcessorTimes.now()?.since($0).busySeconds }
  }
}
