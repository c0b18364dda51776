// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// Time that all cores together spent since the machine started, from `/proc/stat`.
struct ProcessorTimes: Equatable, Sendable {
  /// At work: user, nice, system, interrupts and softirq; a guest's time is part of user's.
  let busySeconds: Double
  /// With nothing to do, or waiting for a disk.
  let idleSeconds: Double
  /// Ready to work while the hypervisor ran somebody else.
  let stolenSeconds: Double

  /// Reads the line `cpu` of `/proc/stat`'s text; nil if it is not as proc(5) has it.
  ///
  /// The kernel counts in ticks, of which `ticksPerSecond`, above 0, make a second.
  init?(stat: String, ticksPerSecond: Double) {
    // With a line for each interrupt the file is long, and only its first line is of interest.
    guard let line = stat.prefix(512).split(separator: "\n").first, ticksPerSecond > 0 else {
      return nil
    }
    let words = line.split(separator: " ")
    guard words.first == "cpu", words.count >= 9 else { return nil }
    let ticks = words.dropFirst().prefix(8).compactMap { UInt64($0).map { Double($0) } }
    guard ticks.count == 8 else { return nil }
    let (user, nice, system, idle) = (ticks[0], ticks[1], ticks[2], ticks[3])
    let (wait, interrupt, softirq, steal) = (ticks[4], ticks[5], ticks[6], ticks[7])
    busySeconds = (user + nice + system + interrupt + softirq) / ticksPerSecond
    idleSeconds = (idle + wait) / ticksPerSecond
    stolenSeconds = steal / ticksPerSecond
  }

  private init(busy: Double, idle: Double, stolen: Double) {
    busySeconds = busy
    idleSeconds = idle
    stolenSeconds = stolen
  }

  /// The times now; nil where the kernel does not tell.
  static func now() -> ProcessorTimes? {
    guard let bytes = FileManager.default.contents(atPath: "/proc/stat") else { return nil }
    return ProcessorTimes(
      stat: String(decoding: bytes, as: UTF8.self),
      ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
  }

  /// What was spent since an earlier look; counters that went back count as standing still.
  func since(_ earlier: ProcessorTimes) -> ProcessorTimes {
    ProcessorTimes(
      busy: max(0, busySeconds - earlier.busySeconds),
      idle: max(0, idleSeconds - earlier.idleSeconds),
      stolen: max(0, stolenSeconds - earlier.stolenSeconds))
  }

  /// The stolen share of all time, from 0 to 1.
  var stolenShare: Double {
    let all = busySeconds + idleSeconds + stolenSeconds
    return all > 0 ? stolenSeconds / all : 0
  }
}
