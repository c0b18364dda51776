// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork

/// DPDK's testpmd over AF_XDP, which hands every frame from one port to the other and looks at none
/// of them: what the sockets alone cost.
///
/// It polls without a pause, on the core of our worker; so it is stopped but for its samples.
struct TestpmdSwitch: Forwarder {
  let bench: Bench
  private let process: RoomProcess

  /// What has to be installed for it.
  static let packages = "dpdk-dev and librte-net-af-xdp23"
  private static let prompt = "testpmd> "

  /// Throws what to install if it is not there.
  static func check() throws(ScenarioError) {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let paths = folders.map { "\($0)/dpdk-testpmd" }
    guard !paths.contains(where: FileManager.default.isExecutableFile) else { return }
    throw ScenarioError(
      .unavailable,
      "testpmd: there is no dpdk-testpmd on the path; install it (Debian: \(packages)) or leave "
        + "testpmd out of --against")
  }

  /// Starts it between the bench's two ports and leaves it stopped.
  init(bench: Bench, cores: LaboratoryCores, in run: ScenarioRun) throws {
    self.bench = bench
    let process = try RoomProcess(
      "testpmd", TestpmdSwitch.command(cores: cores), in: bench.host)
    self.process = process
    run.atEnd { process.end() }
    do {
      _ = try process.output(endingWith: TestpmdSwitch.prompt, seconds: 30)
    } catch {
      process.end()
      throw ScenarioError(
        error.status, "\(error.description) (it needs the packages \(TestpmdSwitch.packages))")
    }
    process.pause()
  }

  private static func command(cores: LaboratoryCores) -> [String] {
    let devices = ["port0", "port1"].enumerated().map { number, port in
      "--vdev=net_af_xdp\(number),iface=\(port),start_queue=0,queue_count=1"
    }
    return [
      "dpdk-testpmd", "-l", "\(cores.generator),\(cores.worker)",
      "--main-lcore=\(cores.generator)", "--no-huge", "-m", "512", "--no-pci",
      "--file-prefix=pktbench-\(ProcessInfo.processInfo.processIdentifier)",
    ] + devices + [
      "--", "--interactive", "--forward-mode=io", "--nb-cores=1", "--total-num-mbufs=16384",
      "--auto-start", "--record-core-cycles",
    ]
  }

  func wake() { process.resume() }

  func rest() { process.pause() }

  func sample(_ load: Load) throws -> Sample {
    let before = try statistics()
    var after = before
    var sample = try bench.run(load, dropped: dropped) { after = try statistics() }
    sample.busySeconds = after.busySeconds - before.busySeconds
    return sample
  }

  /// Frames that the kernel could not give it, and those that it could not send.
  private func dropped() throws -> UInt64 {
    let missed = try bench.host.furnish { (netlink) throws(HostNetworkError) in
      try netlink.receiveDropped("port0")
    }
    return missed + (try statistics().dropped)
  }

  private func statistics() throws -> TestpmdStatistics {
    try process.say("show fwd stats all")
    let text = try process.output(endingWith: TestpmdSwitch.prompt, seconds: 10)
    guard let statistics = TestpmdStatistics(text) else {
      throw ScenarioError(.failed, "testpmd's statistics are not as expected: \(text)")
    }
    return statistics
  }

  func close() {
    process.end()
    bench.close()
  }
}

/// What `show fwd stats all` says.
struct TestpmdStatistics: Equatable {
  /// Frames it received and could not send.
  private(set) var dropped: UInt64 = 0
  /// Spent in turns that found something.
  private(set) var busySeconds = 0.0

  /// Reads the sum of all ports; nil if there is none.
  ///
  /// Before the first frame there is no line about cycles.
  init?(_ text: String) {
    let lines = text.split(separator: "\n").drop { !$0.contains("Accumulated forward statistics") }
    let sent = lines.first { $0.contains("TX-packets:") }
    guard let dropped = sent.flatMap({ TestpmdStatistics.number(after: "TX-dropped: ", in: $0) })
    else { return nil }
    self.dropped = UInt64(dropped)
    guard let spent = lines.first(where: { $0.contains("CPU cycles/packet") }) else { return }
    guard let cycles = TestpmdStatistics.number(after: "total cycles=", in: spent),
      let megahertz = TestpmdStatistics.number(after: " at ", in: spent), megahertz > 0
    else { return nil }
    busySeconds = cycles / megahertz / 1e6
  }

  private static func number(after mark: String, in line: Substring) -> Double? {
    guard let range = line.firstRange(of: mark) else { return nil }
    return UInt64(line[range.upperBound...].prefix { $0.isNumber }).map { Double($0) }
  }
}
