// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The optimised daemon, as binutils see it.
struct ReleaseBinary {
  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  private let path: String
  private let symbols: [String: Range<UInt64>]

  /// Finds the binary and reads its symbols.
  init() throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let named = ProcessInfo.processInfo.environment["WEFT_RELEASE_BINARY"]
    path = named ?? package.appending(path: ".build/release/weftd").path
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw Missing(
        description: "there is no release binary at \(path); build it with make build, or name"
          + " one in WEFT_RELEASE_BINARY")
    }
    symbols = try ReleaseBinary.symbols(of: path)
  }

  /// The one function whose mangled name contains `part`.
  func function(containing part: String) throws -> String {
    let names = symbols.keys.filter { $0.contains(part) }
    guard names.count == 1, let name = names.first else {
      throw Missing(description: "\(path) has \(names.count) functions named \(part), not one")
    }
    return name
  }

  /// The function's instructions as objdump prints them.
  func disassembly(of function: String) throws -> String {
    guard let range = symbols[function] else {
      throw Missing(description: "\(path) has no symbol \(function); is it stripped?")
    }
    return try ReleaseBinary.run(
      "objdump",
      [
        "-d", "--no-show-raw-insn", "--start-address=\(range.lowerBound)",
        "--stop-address=\(range.upperBound)", path,
      ])
  }

  /// Every sized function, by name.
  private static func symbols(of path: String) throws -> [String: Range<UInt64>] {
    var symbols: [String: Range<UInt64>] = [:]
    for line in try run("nm", ["--print-size", "--defined-only", path]).split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count == 4, fields[2] == "t" || fields[2] == "T",
        let start = UInt64(fields[0], radix: 16), let length = UInt64(fields[1], radix: 16)
      else { continue }
      symbols[String(fields[3])] = start..<(start + length)
    }
    return symbols
  }

  private static func run(_ tool: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Missing(
        description: "\(tool) ended with \(process.terminationStatus); install binutils")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
