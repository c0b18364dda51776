// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What `.ci/count-tests` makes of a run; the last line of `.ci/run` rests on it.
@Suite struct TestCountTests {
  @Test func testsAreCountedOnceHoweverOftenTheyFail() throws {
    let xml = """
      <testsuites><testsuite name="TestResults" errors="0" tests="5" failures="3" skipped="1">
        <testcase classname="A" name="good()" time="0.1" />
        <testcase classname="A" name="cancelled()" time="0.1" />
        <testcase classname="A" name="off()"><skipped>no</skipped></testcase>
        <testcase classname="A" name="bad()"><failure message="1" /><failure /></testcase>
        <testcase classname="A" name="worse()"><failure message="3" /></testcase>
      </testsuite></testsuites>
      """
    let log = "\u{279C} Test cancelled() was cancelled after 0.001 seconds: \"not here\"\n"
    #expect(try count(xml, log, status: 1) == "1 2 2\n")
  }

  @Test func crashIsOneMoreFailure() throws {
    let log = """
      \u{2714} Test good() passed after 0.001 seconds.
      \u{2714} Test with spaces, passed after a fashion passed after 0.001 seconds.
      \u{2718} Test bad() failed after 0.001 seconds with 1 issue.
      \u{279C} Test off() skipped: "no"
      \u{2714} Suite A passed after 0.001 seconds.
      """
    #expect(try count("<?xml version=\"1.0\"?>\n<testsuites>", log, status: 1) == "2 2 1\n")
    #expect(try count(nil, "", status: 1) == "0 1 0\n")
  }

  @Test func runThatFailedWithoutAFailedTestIsAFailure() throws {
    #expect(try count("<testsuites/>", "", status: 1) == "0 1 0\n")
    #expect(try count("<testsuites/>", "", status: 0) == "0 0 0\n")
  }

  private func count(_ xml: String?, _ log: String, status: Int) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "weft-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    if let xml { try Data(xml.utf8).write(to: folder.appending(path: "x.xml")) }
    try Data(log.utf8).write(to: folder.appending(path: "x.log"))
    let process = Process()
    let output = Pipe()
    process.executableURL = Repository.root.appending(path: ".ci/count-tests")
    process.arguments = ["x.xml", "x.log", "\(status)"]
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
