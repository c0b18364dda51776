// SPDX-License-Identifier: Apache-2.0

import HostNetwork

/// Frames of one size from the first host's container, counted at the second one's.
struct FrameSource {
  private let generator: Generator
  private let sink: Sink
  /// Frames in a second; nil for as many as the kernel takes.
  private var pace: Double?

  init(_ hosts: TwoHosts, size: Int, core: Int) throws {
    let (first, second) = (hosts.sides[0], hosts.sides[1])
    let index = try second.container.furnish { (netlink) throws(HostNetworkError) in
      try netlink.index(of: "eth0")
    }
    sink = try second.container.visit { try Sink(interface: index) }
    generator = try Generator(
      room: first.container, interface: "eth0", flows: Flows(size: size, way: .bridge), core: core)
  }

  /// Chooses the pace at which the most arrives.
  ///
  /// Whoever cannot keep up may get nothing done at all at full speed, because receiving comes
  /// before everything else.
  mutating func findPace() throws {
    var best = 0.0
    for pace in [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, nil] as [Double?] {
      let rate = try sample(0.5, pace: pace).rate
      // Whoever is beyond its limit needs a while to come back.
      guard rate > best else { return }
      best = rate
      self.pace = pace
    }
  }

  /// Sends a few frames and gives what arrived.
  func trickle() throws -> Sample { try sample(0.2, pace: 1000) }

  /// Sends at the best pace and gives what arrived in that time.
  func sample(_ seconds: Double) throws -> Sample { try sample(seconds, pace: pace) }

  private func sample(_ seconds: Double, pace: Double?) throws -> Sample {
    let before = try sink.count()
    let processor = ProcessorTimes.now()
    let sent = try generator.run(Load(seconds: seconds, pace: pace))
    let arrived = Int(try sink.count() - before)
    return Sample(
      frames: arrived, seconds: sent.seconds,
      cpuSeconds: processor.flatMap { ProcessorTimes.now()?.since($0).busySeconds })
  }

  func close() { generator.close() }
}
