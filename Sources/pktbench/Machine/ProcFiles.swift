// SPDX-License-Identifier: Apache-2.0

// What single files of /proc say, from their text. Files that are not as expected leave the value
// that says "unknown": an empty name, 0, false.

/// `/proc/cpuinfo`.
struct ProcessorList: Equatable {
  /// The first processor's model; empty if the file does not say.
  private(set) var model = ""
  /// Processors listed.
  private(set) var count = 0
  /// Whether the processor says that it is a hypervisor's (x86 only).
  private(set) var isVirtual = false

  /// Reads the file's text.
  init(_ text: String) {
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = line[..<colon].filter { $0 != "\t" }
      let value = line[colon...].dropFirst().drop { $0 == " " }
      switch key {
      case "processor": count += 1
      case "model name" where model.isEmpty: model = String(value.prefix(80))
      case "flags" where count == 1:
        isVirtual = value.split(separator: " ").contains("hypervisor")
      default: break
      }
    }
  }
}

/// `/proc/meminfo`.
struct MemorySize: Equatable {
  /// Bytes of memory; 0 if the file does not say.
  private(set) var bytes: UInt64 = 0

  /// Reads the file's text.
  init(_ text: String) {
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
    let words = line?.split(separator: " ") ?? []
    guard words.count == 3, words[2] == "kB", let kibibytes = UInt64(words[1]) else { return }
    let product = kibibytes.multipliedReportingOverflow(by: 1024)
    if !product.overflow { bytes = product.partialValue }
  }
}

/// `/proc/loadavg`.
struct LoadAverage: Equatable {
  /// Over the last minute; 0 if the file does not say.
  private(set) var oneMinute = 0.0

  /// Reads the file's text.
  init(_ text: String) {
    guard let word = text.split(separator: " ").first, let load = Double(word), load.isFinite,
      load >= 0
    else { return }
    oneMinute = load
  }
}
