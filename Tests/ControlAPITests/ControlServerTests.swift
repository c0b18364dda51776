// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import ControlPlane
import Foundation
import Inet
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import ControlAPI

@Suite struct ControlServerTests {
  /// Runs a server in a directory of its own.
  @discardableResult
  private func serve<Value: Sendable>(
    _ service: FakeControlService = FakeControlService(), logger: Logger = .silent,
    _ body: @Sendable @escaping (RunningServer) async throws -> Value
  ) async throws -> Value {
    try await TemporaryDirectory.with { directory in
      try await RunningServer.run(service, at: "\(directory)/weft.sock", logger: logger, body)
    }
  }

  @Test func clientAndServerUnderstandEachOther() async throws {
    let service = FakeControlService()
    try await serve(service) { server in
      let request = AttachRequest(
        netns: "/run/netns/c1", addresses: [Samples.prefix], mac: Samples.mac, interface: "eth1")
      let report = try await server.client.attach(request)
      #expect(report.netns == "/run/netns/c1" && report.addresses == [Samples.prefix])
      #expect(report.mac == Samples.mac && report.interface == "eth1")
      #expect(await service.requests == [request])
      #expect(try await server.client.attachments() == [report])
      #expect(try await server.client.status() == Samples.status)
      #expect(try await server.client.macs() == Samples.macs)
      #expect(try await server.client.detach(DetachRequest(netns: "/run/netns/c1")) == [report])
      #expect(try await server.client.attachments() == [])
    }
  }

  @Test(arguments: ServiceError.Kind.allCases)
  func refusalsArriveWithTheirStatus(kind: ServiceError.Kind) async throws {
    let refusal = ServiceError(kind, "no", field: "pid", accepted: "another")
    try await serve(FakeControlService(refusal: refusal)) { server in
      await #expect(
        throws: ControlClientError.refused(
          status: UInt(kind.rawValue),
          ErrorReport(error: "no", field: "pid", accepted: "another"))
      ) { try await server.client.attach(AttachRequest(pid: 1, addresses: [Samples.prefix])) }
    }
  }

  @Test func detachingWhatIsNotThereIsNotFound() async throws {
    try await serve { server in
      await #expect(
        throws: ControlClientError.refused(
          status: 404, ErrorReport(error: "pid 1 is not attached"))
      ) { try await server.client.detach(DetachRequest(pid: 1)) }
    }
  }

  @Test(
    arguments: [
      ("", nil), ("{", nil), ("[]", nil), ("null", nil), ("7", nil), ("\"a\"", nil),
      ("{}", "addresses"),
      ("\u{0}", nil), ("{\"pid\":1} trailing", nil), (String(repeating: "[", count: 60_000), nil),
      (#"{"pid":1,"addresses":["10.32.0.1"]}"#, "addresses[0]"),
      (#"{"pid":1,"addresses":["10.32.0.1/12",7]}"#, "addresses[1]"),
      (#"{"pid":1,"addresses":[null]}"#, "addresses[0]"),
      (#"{"pid":1,"addresses":"10.32.0.1/12"}"#, "addresses"),
      (#"{"pid":1,"addresses":[]}"#, "addresses"), (#"{"pid":1,"addresses":null}"#, "addresses"),
      (#"{"pid":1,"addresses":["10.32.0.0/12"]}"#, "addresses[0]"),
      (#"{"pid":"1","addresses":["10.32.0.1/12"]}"#, "pid"),
      (#"{"pid":1.5,"addresses":["10.32.0.1/12"]}"#, "pid"),
      (#"{"pid":2147483648,"addresses":["10.32.0.1/12"]}"#, "pid"),
      (#"{"pid":1e400,"addresses":["10.32.0.1/12"]}"#, "pid"),
      (#"{"pid":0,"addresses":["10.32.0.1/12"]}"#, "pid"),
      (#"{"netns":true,"addresses":["10.32.0.1/12"]}"#, "netns"),
      (#"{"netns":"c1","addresses":["10.32.0.1/12"]}"#, "netns"),
      (#"{"pid":1,"netns":"/n","addresses":["10.32.0.1/12"]}"#, "pid"),
      (#"{"addresses":["10.32.0.1/12"]}"#, "netns"),
      (#"{"pid":1,"mac":"02-00-00-00-00-0a","addresses":["10.32.0.1/12"]}"#, "mac"),
      (#"{"pid":1,"mac":"ff:ff:ff:ff:ff:ff","addresses":["10.32.0.1/12"]}"#, "mac"),
      (#"{"pid":1,"interface":"a b","addresses":["10.32.0.1/12"]}"#, "interface"),
      (#"{"pid":1,"adresses":[],"addresses":["10.32.0.1/12"]}"#, "adresses"),
      (#"{"PID":1,"addresses":["10.32.0.1/12"]}"#, "PID"),
    ] as [(String, String?)])
  func wrongBodiesAreRefusedByTheFieldAndWhatItAccepts(
    body: String, field: String?
  ) async throws {
    let service = FakeControlService()
    try await serve(service) { server in
      let (status, answer) = try await Exchange.send("POST", "/attachments", body, server.path)
      let report = try JSONForm.decode(ErrorReport.self, from: answer)
      #expect(status == 400)
      #expect(report.field == field, "\(report)")
      #expect(report.accepted?.isEmpty == false && !report.error.isEmpty)
    }
    #expect(await service.requests.isEmpty)
  }

  @Test func anUnknownFieldIsAnsweredWithTheKnownOnes() async throws {
    try await serve { server in
      let (status, answer) = try await Exchange.send(
        "DELETE", "/attachments", #"{"pid":1,"mac":"02:00:00:00:00:0a"}"#, server.path)
      #expect(status == 400)
      #expect(
        try JSONForm.decode(ErrorReport.self, from: answer)
          == ErrorReport(
            error: "there is no field 'mac'", field: "mac",
            accepted: "only the fields netns, pid, addresses"))
    }
  }

  @Test(arguments: [65_537, 1 << 20, 8 << 20])
  func tooLongBodiesAreRefused(length: Int) async throws {
    try await serve { server in
      let body = #"{"netns":""# + String(repeating: "a", count: length) + #"""#
      let (status, answer) = try await Exchange.send("POST", "/attachments", body, server.path)
      #expect(status == 413)
      let report = try JSONForm.decode(ErrorReport.self, from: answer)
      #expect(report.accepted == "at most 65536 bytes")
      #expect(try await server.client.attachments() == [])
    }
  }

  @Test(arguments: [
    ("GET", "/", 404), ("GET", "/statuss", 404), ("GET", "/status/", 200),
    ("GET", "/status/macs/x", 404), ("POST", "/status", 405), ("PUT", "/attachments", 405),
    ("GET", "/../etc/passwd", 404), ("GET", "/%2e%2e/%00", 404), ("GET", "/status?x=1", 200),
    ("DELETE", "/status/macs", 405),
  ])
  func lostRequestsAreToldWhatThereIs(
    method: String, path: String, expected: UInt
  ) async throws {
    try await serve { server in
      let (status, answer) = try await Exchange.send(
        method, path, nil, server.path, accept: "application/json")
      #expect(status == expected)
      guard expected != 200 else { return }
      let accepted = try JSONForm.decode(ErrorReport.self, from: answer).accepted ?? ""
      #expect(accepted.contains(expected == 404 ? "/attachments, /status" : "GET"))
    }
  }

  @Test func fiftyRequestsAtOnceAreAllAnswered() async throws {
    let service = FakeControlService(delay: .milliseconds(50))
    try await serve(service) { server in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...50 {
          group.addTask {
            let report = try await server.client.attach(
              AttachRequest(pid: Int32(number), addresses: [Samples.prefix]))
            #expect(report.netns == "pid \(number)")
          }
        }
        try await group.waitForAll()
      }
      #expect(try await server.client.attachments().count == 50)
    }
  }

  @Test func aRequestInProgressIsAnsweredDuringShutdown() async throws {
    let service = FakeControlService(delay: .milliseconds(500))
    try await serve(service) { server in
      async let report = server.client.attach(AttachRequest(pid: 1, addresses: [Samples.prefix]))
      while await service.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      await server.stop()
      #expect(try await report.netns == "pid 1")
    }
  }

  @Test func bodiesAreNeverLogged() async throws {
    let lines = LogLines()
    var logger = Logger(label: "test") { _ in lines }
    logger.logLevel = .trace
    try await serve(logger: logger) { server in
      for body in [
        #"{"netns":"/secret","addresses":["10.32.0.1/12"]}"#, "secret", "{\"secret\":1}",
      ] {
        _ = try await Exchange.send("POST", "/attachments", body, server.path)
      }
    }
    #expect(lines.text.contains("API ready"))
    #expect(!lines.text.contains("secret"))
    #expect(!lines.text.contains("/s\""), "the hidden path is nobody's business")
  }

  @Test func aSlowServerTimesOut() async throws {
    try await serve(FakeControlService(delay: .seconds(15))) { server in
      let client = ControlClient(socketPath: server.path, timeout: .seconds(1))
      await #expect(throws: ControlClientError.timedOut(path: server.path, seconds: 1)) {
        try await client.attach(AttachRequest(pid: 1, addresses: [Samples.prefix]))
      }
    }
  }
}

/// One exchange with an arbitrary method, path and body.
enum Exchange {
  static func send(
    _ method: String, _ path: String, _ body: String?, _ socketPath: String,
    accept: String? = nil
  ) async throws -> (UInt, Data) {
    guard let url = URL(httpURLWithSocketPath: socketPath, uri: path) else {
      throw CancellationError()
    }
    let client = HTTPClient(eventLoopGroupProvider: .singleton)
    let outcome: Result<(UInt, Data), any Error>
    do {
      var request = HTTPClientRequest(url: url.absoluteString)
      request.method = .init(rawValue: method)
      if let accept { request.headers.add(name: "accept", value: accept) }
      if let body { request.body = .bytes(Data(body.utf8)) }
      let response = try await client.execute(request, timeout: .seconds(20))
      let answer = try await response.body.collect(upTo: 1 << 20)
      outcome = .success((response.status.code, Data(answer.readableBytesView)))
    } catch {
      outcome = .failure(error)
    }
    try await client.shutdown()
    return try outcome.get()
  }
}

/// A log handler that keeps everything.
final class LogLines: LogHandler {
  private let kept = Mutex("")

  var text: String { kept.withLock { $0 } }
  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { nil }
    set { kept.withLock { $0 += "\(key)=\(String(describing: newValue))\n" } }
  }

  func log(event: LogEvent) {
    kept.withLock { $0 += "\(event.message) \(event.metadata ?? [:])\n" }
  }
}
