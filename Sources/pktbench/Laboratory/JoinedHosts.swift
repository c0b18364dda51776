// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Foundation
import HostNetwork
import Inet

/// Two hosts that something joins, ready to be measured: a stream, or frames of one size.
final class JoinedHosts {
  private let joint: HostJoint
  private let hosts: TwoHosts
  private let weft: [WeftHost]
  private let routers: [WeaveHost]
  private let routed: [RoutedHost]
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("pktbench-\(UUID().uuidString)", isDirectory: true)
  private let cores: LaboratoryCores
  private let run: ScenarioRun
  /// The containers' MTU.
  private let mtu: Int
  private var frames: FrameSource?

  /// Builds them with a wire of this MTU.
  init(
    _ joint: HostJoint, size: Int, wireMTU: Int, cores: LaboratoryCores, in run: ScenarioRun
  ) throws {
    (self.joint, self.cores, self.run) = (joint, cores, run)
    let isStream = size >= HostContest.streamSizeMin
    let longest = joint.frameLengthMax(over: TwoHosts.tunnel(wireMTU: wireMTU))
    mtu = isStream ? min(size, longest) - 14 : 1400
    let hosts = try TwoHosts(
      joint.name, mtu: mtu, wireMTU: wireMTU, hasOffloads: joint.hasOffloads)
    self.hosts = hosts
    if try joint.transport(isFirst: true) == nil || joint == .sockets {
      try hosts.addressWires()
    }
    switch joint {
    case .weave(let isSealed): routers = try WeaveHost.pair(on: hosts, isSealed: isSealed)
    default: routers = []
    }
    switch joint {
    case .routed(let name): routed = try RoutedHost.pair(name, on: hosts, folder: folder)
    default: routed = []
    }
    // A stream's ends share the cores with the workers; single frames have the first to themselves.
    let workerCores = [isStream ? cores.generator : cores.worker, cores.worker]
    weft = try JoinedHosts.weft(joint, hosts, workerCores)
    for host in weft { try host.start() }
    frames = isStream ? nil : try FrameSource(hosts, size: size, core: cores.generator)
    try wakeUp()
    try frames?.findPace()
  }

  private static func weft(
    _ joint: HostJoint, _ hosts: TwoHosts, _ cores: [Int]
  ) throws -> [WeftHost] {
    try hosts.sides.enumerated().compactMap { number, side in
      guard let transport = try joint.transport(isFirst: number == 0) else { return nil }
      let stations = [[Flows.source], Flows.destinations]
      return try WeftHost(
        WeftHost.Options(
          room: side.host, near: side.port, far: side.wire, tunnel: side.tunnel,
          nearStations: [side.mac] + stations[number],
          farStations: [hosts.otherMAC(than: side)] + stations[1 - number], core: cores[number],
          idle: .adaptive, transport: transport))
    }
  }

  /// Sends until something arrives: routers have to find each other first.
  private func wakeUp() throws {
    var problem = "nothing arrives"
    for _ in 0..<60 {
      do {
        if try (frames?.trickle() ?? stream(0.2)).frames > 0 { return }
      } catch {
        // A stream that cannot be set up is tried again, as long as nobody wants an end.
        problem = "\(error)"
      }
      try run.check()
      try run.wait(seconds: 0.5)
    }
    throw ScenarioError(.unavailable, "\(joint.name), at the second host: \(problem)")
  }

  /// Measures once.
  func sample(_ seconds: Double) throws -> Sample {
    let before = try losses()
    let sample = try oneSample(seconds)
    let after = try losses()
    let unit = frames == nil ? "bytes/s" : "frames/s"
    run.report("  \(joint.measureName): \(figure(sample.rate)) \(unit)\(after.since(before))")
    return sample
  }

  private func oneSample(_ seconds: Double) throws -> Sample {
    guard let frames else { return try stream(seconds) }
    let before = try work()
    var sample = try frames.sample(seconds)
    sample.busySeconds = try busySeconds(since: before)
    return sample
  }

  private func work() throws -> [WorkerTurns] { try weft.map { try $0.work() } }

  /// What both workers together were at work; nil if they are not ours.
  private func busySeconds(since earlier: [WorkerTurns]) throws -> Double? {
    guard !weft.isEmpty else { return nil }
    return zip(try work(), earlier).reduce(0) { $0 + $1.0.busySeconds(since: $1.1) }
  }

  private func stream(_ seconds: Double) throws -> Sample {
    let begin = Stopwatch.now + UInt64(min(0.5, seconds / 2) * 1e9)
    let end = begin + UInt64(seconds * 1e9)
    let stream = try ByteStream(
      between: hosts, cores: cores, .init(begin: begin, end: end), in: run)
    let spent = Result { try processorTime(from: begin, to: end) }
    let outcome = try stream.outcome()
    var sample = Sample(
      frames: Int(outcome.counted), seconds: seconds, cpuSeconds: try spent.get().machine,
      lost: Int(outcome.sent - outcome.received))
    sample.busySeconds = try spent.get().workers
    sample.forwarded = Int(outcome.counted) / ByteStream.segmentLength(mtu: mtu)
    return sample
  }

  /// Waits for the second moment and gives the processor time between both: the machine's, and our
  /// workers'.
  private func processorTime(
    from begin: UInt64, to end: UInt64
  ) throws -> (machine: Double?, workers: Double?) {
    try run.wait(until: begin)
    let (processor, turns) = (ProcessorTimes.now(), try work())
    try run.wait(until: end)
    let busy = try busySeconds(since: turns)
    return (processor.flatMap { ProcessorTimes.now()?.since($0).busySeconds }, busy)
  }

  /// What our workers dropped, by reason, in words; empty for others.
  ///
  /// Throws if a worker's frames do not add up.
  private func losses() throws -> DropCounts {
    var counts = DropCounts()
    for host in weft {
      _ = try host.dropped()
      let account = FrameAccount(values: try host.counters())
      for reason in DropReason.allCases where account.dropped(reason) > 0 {
        counts.byReason[reason.identifier, default: 0] += account.dropped(reason)
      }
    }
    return counts
  }

  func close() {
    frames?.close()
    weft.forEach { $0.stop() }
    routers.forEach { $0.end() }
    routed.forEach { $0.end() }
    try? FileManager.default.removeItem(at: folder)
  }
}

/// Drops of workers by reason.
private struct DropCounts {
  var byReason: [String: UInt64] = [:]

  /// What was added since an earlier look, in words; empty if nothing.
  func since(_ earlier: DropCounts) -> String {
    let added = byReason.compactMap { reason, count -> String? in
      let new = count &- (earlier.byReason[reason] ?? 0)
      return new > 0 ? "\(reason) \(new)" : nil
    }
    return added.isEmpty ? "" : "; dropped: " + added.sorted().joined(separator: ", ")
  }
}
