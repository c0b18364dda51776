// SPDX-License-Identifier: Apache-2.0

import HostNetwork

/// Frames of one size from the first host's container, counted at the second one's.
struct FrameSource {
  private let generator: Generator
  private let sink: Sink

  init(_ hosts: TwoHosts, size: Int, core: Int) throws {
    let (first, second) = (hosts.sides[0], hosts.sides[1])
    let index = try second.container.furnish { (netlink) throws(HostNetworkError) in
      try netlink.index(of: "eth0")
    }
    sink = try second.container.visit { try Sink(interface: index) }
    generator = try Generator(
      room: first.container, interface: "eth0", flows: Flows(size: size, way: .bridge), core: core)
  }

  /// Sends as fast as goes and gives what arrived in that time.
  func sample(_ seconds: Double) throws -> Sample {
    let before = try sink.count()
    let processor = ProcessorTimes.now()
    let sent = try generator.run(Load(seconds: seconds))
    let arrived = Int(try sink.count() - before)
    return Sample(
      frames: arrived, seconds: sent.seconds,
      cpuSeconds: processor.flatMap { ProcessorTimes.now()?.since($0).busySeconds })
  }

  func close() { generator.close() }
}
