// SPDX-License-Identifier: Apache-2.0

import ControlAPI
import ControlPlane
import Foundation
import Glibc
import Inet
import Testing

/// The built `weft` program against a fake daemon.
@Suite struct CommandTests {
  /// What one run of the program left behind.
  struct Outcome: Sendable {
    let code: Int32
    let output: String
    let errors: String
  }

  /// The program beside this test bundle.
  private static let program = URL(fileURLWithPath: CommandLine.arguments[0])
    .deletingLastPathComponent().appendingPathComponent("weft").path

  private static func run(
    _ arguments: [String], socket: String? = nil, through wrapper: [String] = []
  ) async throws -> Outcome {
    let command = wrapper + [program] + arguments
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    var environment = ProcessInfo.processInfo.environment
    environment["WEFT_SOCKET"] = socket
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    let code = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    return Outcome(code: code, output: try text(output), errors: try text(errors))
  }

  private static func text(_ pipe: Pipe) throws -> String {
    String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  }

  private func serve(
    _ service: FakeControlService = FakeControlService(),
    _ body: @Sendable @escaping (RunningServer) async throws -> Void
  ) async throws {
    try await TemporaryDirectory.with { directory in
      try await RunningServer.run(service, at: "\(directory)/weft.sock", body)
    }
  }

  @Test func attachAndDetachPrintAddressesWithoutTheirPrefix() async throws {
    let service = FakeControlService()
    try await serve(service) { server in
      let attach = try await Self.run(
        [
          "attach", "--netns", "c1", "--mac", "02:00:00:00:00:0a", "--interface", "eth1",
          "10.32.0.1/12", "192.168.7.2/24",
        ], socket: server.path)
      #expect(attach.code == 0 && attach.output == "10.32.0.1 192.168.7.2\n", "\(attach)")
      let list = try await Self.run(["ps", "--socket", server.path])
      #expect(list.output == "c1 02:00:00:00:00:0a 10.32.0.1/12 192.168.7.2/24\n")
      let some = try await Self.run(
        ["detach", "--netns", "c1", "10.32.0.1/12"], socket: server.path)
      #expect(some.code == 0 && some.output == "10.32.0.1\n")
      let all = try await Self.run(["detach", "--netns", "/run/netns/c1"], socket: server.path)
      #expect(all.code == 0 && all.output == "192.168.7.2\n")
      #expect(try await Self.run(["ps"], socket: server.path).output == "")
    }
    #expect(
      await service.requests == [
        AttachRequest(
          netns: "/run/netns/c1",
          addresses: [Samples.prefix("10.32.0.1/12"), Samples.prefix("192.168.7.2/24")],
          mac: Samples.mac, interface: "eth1")
      ])
  }

  @Test func namespacesAreResolvedBeforeTheyAreSent() async throws {
    let service = FakeControlService()
    let current = FileManager.default.currentDirectoryPath
    try await serve(service) { server in
      for netns in ["c1", "/proc/1/ns/net", "./x/../y", "sub/z"] {
        let outcome = try await Self.run(
          ["attach", "--netns", netns, "10.32.0.1/12"], socket: server.path)
        #expect(outcome.code == 0, "\(outcome)")
      }
      _ = try await Self.run(["attach", "--pid", "42", "10.32.0.1/12"], socket: server.path)
    }
    #expect(
      await service.requests.map { $0.netns ?? "pid \($0.pid ?? 0)" } == [
        "/run/netns/c1", "/proc/1/ns/net", "\(current)/y", "\(current)/sub/z", "pid 42",
      ])
  }

  @Test func textAndJSONAreThoseOfTheReports() async throws {
    try await serve { server in
      let status = try await Self.run(["status"], socket: server.path)
      #expect(status.code == 0 && status.output == TextReport.text(Samples.status))
      let macs = try await Self.run(["status", "macs"], socket: server.path)
      #expect(macs.code == 0 && macs.output == TextReport.text(Samples.macs))
      let json = try await Self.run(["status", "--json"], socket: server.path)
      #expect(try JSONForm.pretty(Samples.status) + "\n" == json.output)
      let table = try await Self.run(["status", "macs", "--json"], socket: server.path)
      #expect(try JSONForm.pretty(Samples.macs) + "\n" == table.output)
      #expect(try await Self.run(["ps", "--json"], socket: server.path).output == "[\n\n]\n")
      let attach = try await Self.run(
        ["attach", "--pid", "1", "10.32.0.1/12", "--json"], socket: server.path)
      let report = try JSONForm.decode(AttachmentReport.self, from: Data(attach.output.utf8))
      #expect(report.netns == "pid 1")
    }
  }

  @Test func aTraceIsAskedForAndPrinted() async throws {
    let service = FakeControlService()
    try await serve(service) { server in
      let usual = try await Self.run(["trace"], socket: server.path)
      #expect(usual.code == 0 && usual.output == TextReport.text(Samples.trace))
      let json = try await Self.run(
        [
          "trace", "-n", "1000", "--port", "c1", "--mac", "02:00:00:00:00:0a", "--seconds", "60",
          "--json",
        ], socket: server.path)
      #expect(try JSONForm.pretty(Samples.trace) + "\n" == json.output)
    }
    #expect(
      await service.traces == [
        TraceRequest(count: 10, seconds: 10),
        TraceRequest(count: 1000, port: "c1", mac: Samples.mac, seconds: 60),
      ])
  }

  @Test func theVersionIsPrintedInEveryForm() async throws {
    for arguments in [["version"], ["--version"]] {
      let outcome = try await Self.run(arguments)
      #expect(outcome.code == 0 && outcome.output == "weft \(Version.text)\n")
    }
    let json = try await Self.run(["version", "--json"])
    #expect(json.output == "{\n  \"version\" : \"\(Version.text)\"\n}\n")
  }

  @Test(arguments: [
    ["attach", "--netns", "c1", "10.32.0.1"], ["attach", "--netns", "c1"],
    ["attach", "10.32.0.1/12"], ["attach", "--netns", "c1", "--pid", "1", "10.32.0.1/12"],
    ["attach", "--netns", "c1", "10.32.0.0/12"], ["attach", "--netns", "c1", "x"],
    ["attach", "--netns", "c1", "--mac", "x", "10.32.0.1/12"],
    ["attach", "--netns", "c1", "--interface", "a/b", "10.32.0.1/12"],
    ["attach", "--netns", "", "10.32.0.1/12"], ["attach", "--pid", "0", "10.32.0.1/12"],
    ["detach"], ["detach", "--pid", "x"], ["status", "peers"], ["launch"], ["ps", "c1"],
    ["trace", "-n", "0"], ["trace", "-n", "1001"], ["trace", "-n", "x"], ["trace", "--port", ""],
    ["trace", "--mac", "ff:ff:ff:ff:ff:ff"], ["trace", "--seconds", "61"], ["trace", "c1"],
    ["ps", "--nonsense"], ["ps", "--socket", String(repeating: "a", count: 108)],
  ])
  func wrongCommandLinesExitWith64(arguments: [String]) async throws {
    let outcome = try await Self.run(arguments, socket: "/nonexistent/weft.sock")
    #expect(outcome.code == 64, "\(outcome)")
    #expect(outcome.output == "" && !outcome.errors.isEmpty)
  }

  @Test func anAddressWithoutPrefixLengthIsExplained() async throws {
    let outcome = try await Self.run(["attach", "--netns", "c1", "10.32.0.1"])
    #expect(outcome.errors.contains("give the subnet's as well, like 10.32.0.1/24"))
  }

  @Test func aMissingDaemonExitsWith69() async throws {
    for arguments in [
      ["ps"], ["status"], ["status", "macs"], ["detach", "--pid", "1"], ["trace"],
    ] {
      let outcome = try await Self.run(arguments, socket: "/nonexistent/weft.sock")
      #expect(outcome.code == 69 && outcome.output == "")
      #expect(
        outcome.errors
          == "weft: weftd does not answer on /nonexistent/weft.sock: is it running? "
          + "give --socket or WEFT_SOCKET\n")
    }
  }

  @Test func aRefusalExitsWith1AndOneSentence() async throws {
    let refusal = ServiceError(.conflict, "10.32.0.1 is taken", accepted: "a free address")
    try await serve(FakeControlService(refusal: refusal)) { server in
      let outcome = try await Self.run(
        ["attach", "--pid", "1", "10.32.0.1/12"], socket: server.path)
      #expect(outcome.code == 1 && outcome.output == "")
      #expect(outcome.errors == "weft: 10.32.0.1 is taken: give a free address\n")
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can run the program as somebody else"))
  func somebodyElseExitsWith77() async throws {
    try await serve { server in
      let outcome = try await Self.run(
        ["status"], socket: server.path,
        through: ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
      #expect(outcome.code == 77 && outcome.output == "", "\(outcome)")
      #expect(outcome.errors == "weft: no permission to open \(server.path): run as root\n")
    }
  }

  @Test func helpNamesExitCodesAndExamples() async throws {
    for arguments in [
      ["--help"], ["attach", "-h"], ["detach", "-h"], ["ps", "-h"], ["status", "-h"],
      ["trace", "-h"],
    ] {
      let outcome = try await Self.run(arguments)
      #expect(outcome.code == 0)
      for text in ["EXIT CODES", "EXAMPLE", "64", "69", "77"] {
        #expect(outcome.output.contains(text), "\(arguments) lacks \(text)")
      }
    }
  }
}
