// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What `Benchmarks/check` makes of counts; the gate on instructions rests on it.
@Suite struct BenchmarkCheckTests {
  @Test func countThatGrowsByFivePercentFails() throws {
    #expect(try compare(counts: "{'A.b': 105.0}", thresholds: "{'A.b': 100.0}") == "(0, 1)")
    #expect(try compare(counts: "{'A.b': 102.9}", thresholds: "{'A.b': 100.0}") == "(1, 0)")
  }

  @Test func countThatShrinksPasses() throws {
    #expect(try compare(counts: "{'A.b': 50.0}", thresholds: "{'A.b': 100.0}") == "(1, 0)")
  }

  @Test func benchmarkWithoutThresholdAndThresholdWithoutBenchmarkFail() throws {
    #expect(try compare(counts: "{'A.b': 1.0, 'A.c': 1.0}", thresholds: "{'A.b': 1.0}") == "(1, 1)")
    #expect(try compare(counts: "{'A.b': 1.0}", thresholds: "{'A.b': 1.0, 'A.c': 1.0}") == "(1, 1)")
  }

  @Test func machineWithoutTheCounterIsSkippedAndNotFine() throws {
    let output = try run(
      """
      sys.argv[1:] = ["--totals", "/dev/stdout"]
      check["shutil"].which = lambda tool: None
      check["toolchain"].__globals__["toolchain"] = lambda: "swift-6.3.1-x86_64"
      print("ended with", check["main"]())
      """)
    #expect(output.contains("not measured: valgrind is missing"))
    #expect(output.contains(try Regex("0 0 [1-9][0-9]*\nended with 77")))
  }

  private func compare(counts: String, thresholds: String) throws -> String? {
    let output = try run("print(check['compare'](\(counts), \(thresholds)))")
    return output.split(separator: "\n").last.map(String.init)
  }

  /// Runs lines of Python that find the script's functions in `check`; returns all they print.
  private func run(_ lines: String) throws -> String {
    let script = Repository.root.appending(path: "Benchmarks/check").path
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let start = "import runpy, sys; check = runpy.run_path(sys.argv[1])\n"
    process.arguments = ["python3", "-u", "-c", start + lines, script]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
