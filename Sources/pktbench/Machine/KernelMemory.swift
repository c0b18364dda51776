// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the kernel keeps for itself, from `/proc/meminfo`, in bytes.
struct KernelMemory: Equatable, Sendable {
  /// All memory that is neither free, nor a process's, nor a cache that would be given up.
  ///
  /// It holds what no counter names, such as the pages that a veth's queue keeps for packets, and
  /// also pages that each core keeps at hand, by which it varies by some tens of MiB.
  var used: Int
  /// What the kernel counts of it: slab that cannot be given up, vmalloc, page tables, memory for
  /// each core, stacks.
  var counted: Int
  /// What could be given to whoever asks.
  var available: Int

  /// Reads the file's text; nil if a line is missing.
  init?(_ text: String) {
    var values: [Substring: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, words[2] == "kB", let kibibytes = Int(words[1]),
        0..<(1 << 50) ~= kibibytes
      else { continue }
      values[words[0].dropLast()] = kibibytes << 10
    }
    func sum(_ names: [Substring]) -> Int? {
      var sum = 0
      for name in names {
        guard let value = values[name] else { return nil }
        sum += value
      }
      return sum
    }
    let others: [Substring] = [
      "MemFree", "Buffers", "Cached", "SwapCached", "AnonPages", "SReclaimable",
    ]
    let own: [Substring] = ["SUnreclaim", "VmallocUsed", "PageTables", "Percpu", "KernelStack"]
    guard let total = sum(["MemTotal"]), let rest = sum(others), let counted = sum(own),
      let available = sum(["MemAvailable"])
    else { return nil }
    used = total - rest
    self.counted = counted
    self.available = available
  }

  /// The middle of several looks within a second, as both figures vary.
  static func settled(in run: ScenarioRun) throws -> KernelMemory {
    var looks: [KernelMemory] = []
    for _ in 0..<11 {
      try run.wait(seconds: 0.1)
      guard let text = FileManager.default.contents(atPath: "/proc/meminfo"),
        let look = KernelMemory(String(decoding: text, as: UTF8.self))
      else {
        throw ScenarioError(.unavailable, "the kernel does not say what its memory is used for")
      }
      looks.append(look)
    }
    var middle = looks[0]
    middle.used = looks.map(\.used).sorted()[looks.count / 2]
    middle.counted = looks.map(\.counted).sorted()[looks.count / 2]
    return middle
  }

  /// Bytes of memory that this process has, shared ones included; 0 if the kernel does not say.
  static func resident() -> Int {
    let text = FileManager.default.contents(atPath: "/proc/self/statm") ?? Data()
    let words = String(decoding: text, as: UTF8.self).split(separator: " ")
    guard words.count > 1, let pages = Int(words[1]) else { return 0 }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }
}
