// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// What this process holds.
///
/// Safe to use: pointers do not leave a call.
enum Holdings {
  /// How many descriptors are open, with the one that it takes to look.
  static var descriptorCount: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
  }

  /// How many raw sockets this process has in its own network namespace.
  static var rawSocketCount: Int {
    // The tenth field of a line is the socket's number.
    let listing = try? String(contentsOfFile: "/proc/self/net/raw", encoding: .utf8)
    let numbers = Set(
      (listing ?? "").split(separator: "\n").compactMap { line -> String? in
        let fields = line.split(separator: " ")
        return fields.count > 9 ? "socket:[\(fields[9])]" : nil
      })
    let folder = "/proc/self/fd"
    let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return descriptors.count {
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
      return target.map(numbers.contains) ?? false
    }
  }

  /// The names of threads that a transport starts, sorted.
  static var threads: [String] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    let names = tasks.compactMap {
      try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)
    }
    return names.filter { $0.hasPrefix("NIO-ELT") || $0.hasPrefix("weft-") }.sorted()
  }

  /// Lets nobody open another descriptor; gives what to restore.
  static func lowerDescriptorLimit() -> rlimit {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var lowered = limit
    // The lowest free number is the limit, so that nothing below it is free.
    let free = dup(0)
    close(free)
    lowered.rlim_cur = rlim_t(free)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &lowered)
    return limit
  }

  static func restoreDescriptorLimit(_ limit: rlimit) {
    var limit = limit
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
