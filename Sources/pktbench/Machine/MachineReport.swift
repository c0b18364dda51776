// SPDX-License-Identifier: Apache-2.0

import Foundation
import Node

/// The machine that figures come from, and what else it did meanwhile.
struct MachineReport: Codable, Equatable, Sendable {
  /// The load average over one minute, as of two moments.
  struct Load: Codable, Equatable, Sendable {
    var before: Double
    var after: Double
  }

  /// The processor's model as the kernel names it.
  var cpu: String
  /// Cores that are online.
  var cores: Int
  /// The kernel's release.
  var kernel: String
  /// Bytes of memory.
  var memory: UInt64
  /// Whether this is a virtual machine.
  var hypervisor: Bool
  /// Load averages before and after the run.
  var loadAverage: Load
  /// The share of processor time over the run that the hypervisor gave to others, from 0 to 1.
  var steal: Double
  /// How long the run took.
  var seconds: Double
  /// Weft's version.
  var weft: String

  enum CodingKeys: String, CodingKey {
    case cpu, cores, kernel, memory, hypervisor
    case loadAverage = "load_average"
    case steal, seconds, weft
  }

  /// The machine and the run in two lines.
  var lines: [String] {
    let gibibytes = String(format: "%.1f", Double(memory) / 1_073_741_824)
    let kind = hypervisor ? ", virtual" : ""
    let run = String(
      format: "%.1f s, load average %.2f to %.2f, steal %.1f %%", seconds, loadAverage.before,
      loadAverage.after, steal * 100)
    return [
      "Machine  \(cpu), \(cores) cores\(kind), \(gibibytes) GiB, Linux \(kernel), Weft \(weft)",
      "Run      \(run)",
    ]
  }
}

/// Looks at the machine when a run begins and when it ends.
struct MachineWatch {
  /// Gives a file of `/proc`, or nothing if it cannot be read.
  private let read: (String) -> String
  private let times: ProcessorTimes?
  private let load: Double
  private let started: ContinuousClock.Instant

  /// Begins to watch.
  init(reading read: @escaping (String) -> String = MachineWatch.contents) {
    self.read = read
    times = MachineWatch.times(read)
    load = LoadAverage(read("/proc/loadavg")).oneMinute
    started = .now
  }

  /// What the machine is, and what happened since.
  func report() -> MachineReport {
    let processors = ProcessorList(read("/proc/cpuinfo"))
    let now = MachineWatch.times(read)
    let kernel = read("/proc/sys/kernel/osrelease").prefix { $0 != "\n" }
    return MachineReport(
      cpu: processors.model, cores: processors.count, kernel: String(kernel),
      memory: MemorySize(read("/proc/meminfo")).bytes, hypervisor: processors.isVirtual,
      loadAverage: .init(
        before: load, after: LoadAverage(read("/proc/loadavg")).oneMinute),
      steal: times.flatMap { earlier in now?.since(earlier).stolenShare } ?? 0,
      seconds: (ContinuousClock.now - started) / .seconds(1), weft: Daemon.version)
  }

  private static func times(_ read: (String) -> String) -> ProcessorTimes? {
    ProcessorTimes(stat: read("/proc/stat"), ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
  }

  private static func contents(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }
}
