// SPDX-License-Identifier: Apache-2.0

import Dataplane

/// How long a small datagram takes between containers of two hosts, there and back.
enum LatencyScenario: Scenario {
  static let description = ScenarioDescription(
    name: "latency", abstract: "A small datagram between containers of two hosts, and back.",
    method: """
      The hosts are those of the scenario stream. A datagram goes from the first container to the \
      second, which sends it back; then the next one. --size is the frame's, 106 that of 64 bytes \
      of payload. "latency" sends one after the other, so that workers have no time to fall \
      asleep; "latency.pause" waits for 2 ms before each, so that adaptive workers sleep.

      The figure is the median of the times of one sample, in microseconds; the ratio is theirs \
      over ours, so that more is better. Ours is adaptive; "spin" is the same data plane with \
      workers that never sleep, which run during their own samples only. Each end of the datagrams \
      shares a core with its host's worker and goes before all ordinary threads (SCHED_FIFO), so \
      that a worker that spins does not keep it waiting. LOST counts datagrams that did not \
      come back within half a second.
      """,
    sizes: NumberSetting(range: 60...1464, fallback: [106], unit: "bytes"), entries: nil,
    competitors: ["spin", "kernel-vxlan"], usualCompetitors: ["spin", "kernel-vxlan"], pairs: 5,
    seconds: 2.5, needsRoot: true)

  /// What lets workers fall asleep.
  fileprivate static let pause = 0.002

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    try LatencyComparison(plan, in: run).measures()
  }
}

/// Round trips through ours and through others, in turn.
private struct LatencyComparison {
  let plan: ScenarioPlan
  let run: ScenarioRun
  private let cores: LaboratoryCores
  private let mtu = 1450

  init(_ plan: ScenarioPlan, in run: ScenarioRun) throws {
    self.plan = plan
    self.run = run
    cores = try LaboratoryCores.available()
  }

  func measures() throws -> [Measure] {
    let ours = try weft("weft", .adaptive)
    defer { ours.close() }
    return try plan.sizes.flatMap { size in
      try ["latency": 0, "latency.pause": LatencyScenario.pause].sorted { $0.key < $1.key }
        .flatMap { name, pause in
          let sample = { (junction: Junction) in
            try self.sample(junction, size: size, pause: pause)
          }
          guard !plan.against.isEmpty else {
            return [try pairs(name, size, nil).measure(in: run) { try sample(ours) }]
          }
          return try plan.against.map { competitor in
            let theirs =
              competitor == "spin"
              ? try weft(competitor, .spin) : try Junction(kernel: competitor, mtu: mtu)
            defer { theirs.close() }
            return try pairs(name, size, competitor).measure(in: run) {
              try sample(ours)
            } theirs: {
              try sample(theirs)
            }
          }
        }
    }
  }

  private func weft(_ name: String, _ idle: IdleMode) throws -> Junction {
    try Junction(weft: name, mtu: mtu, cores: [cores.generator, cores.worker], idle: idle)
  }

  private func pairs(_ name: String, _ size: Int, _ competitor: String?) -> AlternatingPairs {
    AlternatingPairs(
      subject: .init(
        name: name, size: size, against: competitor, unit: .microseconds),
      count: plan.pairs)
  }

  private func sample(_ junction: Junction, size: Int, pause: Double) throws -> Sample {
    try junction.awake {
      let echo = try Echo(between: junction.hosts, cores: cores, in: run)
      defer { echo.close() }
      // The first ones find a port that was just opened, and cold memory.
      _ = try echo.times(size: size, pause: 0, seconds: min(0.1, plan.seconds))
      let processor = ProcessorTimes.now()
      let times = try echo.times(size: size, pause: pause, seconds: plan.seconds)
      let cpuSeconds = processor.flatMap { ProcessorTimes.now()?.since($0).busySeconds }
      _ = try junction.losses()
      let count = times.nanoseconds.count
      var sample = Sample(
        frames: count, seconds: plan.seconds, cpuSeconds: cpuSeconds, lost: times.sent - count)
      sample.value = (times.median ?? 0) / 1000
      run.report(
        "  \(junction.hosts.name): \(count) round trips, median \(figure(sample.value ?? 0)) µs, "
          + "99 of 100 within \(figure((times.within(0.99) ?? 0) / 1000)) µs")
      return sample
    }
  }
}
