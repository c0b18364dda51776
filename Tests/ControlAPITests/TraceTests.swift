// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Inet
import Testing

@testable import ControlAPI

/// `POST /trace` and the text of its answer.
@Suite struct TraceTests {
  private func serve(
    _ service: FakeControlService = FakeControlService(),
    _ body: @Sendable @escaping (RunningServer) async throws -> Void
  ) async throws {
    try await TemporaryDirectory.with { directory in
      try await RunningServer.run(service, at: "\(directory)/weft.sock", body)
    }
  }

  @Test func clientAndServerUnderstandEachOther() async throws {
    let service = FakeControlService()
    try await serve(service) { server in
      let request = TraceRequest(count: 3, port: "eth0", mac: Samples.mac, seconds: 4)
      let first = try await server.client.trace(request)
      let second = try await server.client.trace(TraceRequest(count: 1))
      #expect(first == Samples.trace && second == Samples.trace)
      #expect(await service.traces == [request, TraceRequest(count: 1)])
    }
  }

  @Test(
    arguments: [
      ("{}", "count"), (#"{"count":0}"#, "count"), (#"{"count":1001}"#, "count"),
      (#"{"count":"1"}"#, "count"), (#"{"count":null}"#, "count"), (#"{"count":1e99}"#, "count"),
      (#"{"count":1,"seconds":0}"#, "seconds"), (#"{"count":1,"seconds":61}"#, "seconds"),
      (#"{"count":1,"seconds":1.5}"#, "seconds"), (#"{"count":1,"port":7}"#, "port"),
      (#"{"count":1,"port":""}"#, "port"), (#"{"count":1,"mac":"x"}"#, "mac"),
      (#"{"count":1,"mac":"ff:ff:ff:ff:ff:ff"}"#, "mac"), (#"{"count":1,"n":2}"#, "n"),
      ("[]", nil), ("", nil),
    ] as [(String, String?)])
  func wrongBodiesAreRefusedByTheFieldAndWhatItAccepts(
    body: String, field: String?
  ) async throws {
    let service = FakeControlService()
    try await serve(service) { server in
      let (status, answer) = try await Exchange.send("POST", "/trace", body, server.path)
      let report = try JSONForm.decode(ErrorReport.self, from: answer)
      #expect(status == 400 && report.field == field, "\(report)")
      #expect(report.accepted?.isEmpty == false && !report.error.isEmpty)
    }
    #expect(await service.traces.isEmpty)
  }

  @Test func secondTraceIsAConflict() async throws {
    let refusal = ServiceError(.conflict, "another trace is under way")
    try await serve(FakeControlService(refusal: refusal)) { server in
      await #expect(
        throws: ControlClientError.refused(
          status: 409, ErrorReport(error: "another trace is under way"))
      ) { try await server.client.trace(TraceRequest(count: 1)) }
    }
  }

  @Test func clientThatGoesAwayEndsItsTrace() async throws {
    let service = FakeControlService(delay: .seconds(60))
    try await serve(service) { server in
      let client = Task { try await server.client.trace(TraceRequest(count: 1, seconds: 60)) }
      try await Self.eventually { await service.traces.count == 1 }
      #expect(await service.tracesEnded == 0)
      client.cancel()
      try await Self.eventually { await service.tracesEnded == 1 }
      if case .success = await client.result { Issue.record("it was told of a cancelled call") }
    }
  }

  @Test func stopOfTheServerEndsATraceWithWhatThereIs() async throws {
    let service = FakeControlService(delay: .seconds(60))
    try await serve(service) { server in
      async let report = server.client.trace(TraceRequest(count: 1, seconds: 60))
      try await Self.eventually { await service.traces.count == 1 }
      await server.stop()
      let answer = try await report
      #expect(answer == Samples.trace)
    }
  }

  @Test func tracesLookLikeThis() {
    let golden = """
      #1  worker 0  12.003 ms  98 bytes from vethwe1a2b (c1)
          parse        02:00:00:00:00:01 > 02:00:00:00:00:02  IPv4 10.32.0.1 > 10.32.0.2 ICMP
          learn        known at this port
          look up      station at endpoint 192.0.2.2, VNI 42
          encapsulate  VXLAN to 192.0.2.2:4789, 148 bytes
          sent         eth0

      #2  worker 1  100.000 ms  110 bytes from eth0
          open         VXLAN from 192.0.2.9, VNI 7, 60 bytes inside
          dropped      no configured endpoint sends from this address and network identifier \
      (endpointUnknown)

      #3  worker 0  1500.500 ms  42 bytes from weft0 (host)
          parse        02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff  ARP who has 10.32.0.2? asks 10.32.0.1
          learn        new, hint to the control plane
          look up      group address, to everybody
          flooded      3 receivers

      """
    #expect(TextReport.text(Samples.trace) == golden)
  }

  @Test func tracesWithoutFramesAndWithLossesSaySo() {
    var trace = TraceReport(frames: [], lost: 0)
    #expect(TextReport.text(trace) == "no such frame came\n")
    trace = TraceReport(frames: Array(Samples.trace.frames.prefix(1)), lost: 2)
    #expect(
      TextReport.text(trace).hasSuffix(
        "eth0\n\n2 more were lost: the workers were faster than they were read\n"))
  }

  @Test func traceSurvivesJSONAndHasTheDocumentedKeys() throws {
    let data = try JSONForm.compact(Samples.trace)
    #expect(try JSONForm.decode(TraceReport.self, from: data) == Samples.trace)
    let text = String(decoding: data, as: UTF8.self)
    #expect(text.contains(#""drop_reason":"endpointUnknown""#) && text.contains(#""lost":0"#))
  }

  @Test func namesCannotSteerTheTerminal() {
    var trace = Samples.trace
    trace.frames[0].netns = "/tmp/\u{1B}[2J"
    trace.frames[0].milliseconds = .nan
    #expect(
      TextReport.text(trace).hasPrefix(
        "#1  worker 0  0.000 ms  98 bytes from vethwe1a2b (/tmp/?[2J)\n"))
  }

  private static func eventually(_ isTrue: () async -> Bool) async throws {
    for _ in 0..<6000 {
      if await isTrue() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within a minute")
  }
}
