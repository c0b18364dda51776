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

  @Test func peersAreConnectedWithAndForgotten() async throws {
    let service = FakeControlService(mesh: Samples.mesh)
    try await serve(service) { server in
      for arguments in [
        ["connect", "host-b", "192.0.2.3:6784"], ["connect", "--replace", "host-c"],
        ["forget", "host-b"],
      ] {
        let outcome = try await Self.run(arguments, socket: server.path)
        #expect(outcome.code == 0 && outcome.output == "" && outcome.errors == "", "\(outcome)")
      }
    }
    #expect(
      await service.connects == [
        ConnectRequest(targets: ["host-b", "192.0.2.3:6784"]),
        ConnectRequest(targets: ["host-c"], isReplacing: true),
      ])
    #expect(await service.forgets == [ForgetRequest(targets: ["host-b"])])
  }

  @Test func theMeshIsShownAsTextAndAsJSON() async throws {
    try await serve(FakeControlService(mesh: Samples.mesh)) { server in
      let connections = ConnectionReport.all(in: Samples.mesh)
      let table = try await Self.run(["status", "connections"], socket: server.path)
      #expect(table.code == 0 && table.output == TextReport.text(connections))
      let json = try await Self.run(["status", "connections", "--json"], socket: server.path)
      #expect(try JSONForm.pretty(connections) + "\n" == json.output)
      let peers = try await Self.run(["status", "peers"], socket: server.path)
      #expect(peers.output == WeaveText.peers(MeshPeerReport.all(in: Samples.mesh)))
      let targets = try await Self.run(["status", "targets"], socket: server.path)
      #expect(targets.output == "192.0.2.2\nhost-c:6784\n")
      let report = try await Self.run(["report", "--json"], socket: server.path)
      #expect(report.code == 0 && report.output.hasPrefix("{\n    \"Ready\": true,\n"))
    }
  }

  @Test func withoutAMeshItIsSaidHowToHaveOne() async throws {
    try await serve { server in
      for arguments in [["status", "peers"], ["status", "connections"], ["report"]] {
        let outcome = try await Self.run(arguments, socket: server.path)
        #expect(outcome.code == 1 && outcome.output == "")
        #expect(outcome.errors == "weft: \(ControlPlaneError.noMesh.description)\n")
      }
    }
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
    ["detach"], ["detach", "--pid", "x"], ["status", "dns"], ["launch"], ["ps", "c1"],
    ["trace", "-n", "0"], ["trace", "-n", "1001"], ["trace", "-n", "x"], ["trace", "--port", ""],
    ["trace", "--mac", "ff:ff:ff:ff:ff:ff"], ["trace", "--seconds", "61"], ["trace", "c1"],
    ["connect"], ["connect", ":bad"], ["connect", "--replace"], ["connect", "a:0"], ["forget"],
    ["forget", "a b"], ["forget", "--replace", "a"], ["report", "x"], ["report", "-f", "x"],
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
      ["status", "peers"], ["connect", "a"], ["forget", "a"], ["report"],
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
      ["trace", "-h"], ["connect", "-h"], ["forget", "-h"], ["report", "-h"],
    ] {
      let outcome = try await Self.run(arguments)
      #expect(outcome.code == 0)
      for text in ["EXIT CODES", "EXAMPLE", "64", "69", "77"] {
        #expect(outcome.output.contains(text), "\(arguments) lacks \(text)")
      }
    }
  }
}
