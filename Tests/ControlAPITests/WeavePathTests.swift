// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Inet
import Mesh
import Testing

@testable import ControlAPI

/// The paths that Weave has too, as its users and its programs ask for them.
@Suite struct WeavePathTests {
  private func serve(
    _ service: FakeControlService = FakeControlService(mesh: Samples.mesh),
    _ body: @Sendable @escaping (RunningServer) async throws -> Void
  ) async throws {
    try await TemporaryDirectory.with { directory in
      try await RunningServer.run(service, at: "\(directory)/weft.sock", body)
    }
  }

  /// Without `accept` the request is one of curl's.
  private func ask(
    _ server: RunningServer, _ method: String, _ path: String, _ body: String? = nil,
    accept: String = "*/*"
  ) async throws -> String {
    let (status, answer) = try await Exchange.send(
      method, path, body, server.path, accept: accept)
    return "\(status) \(String(decoding: answer, as: UTF8.self))"
  }

  @Test func curlGetsWeavesText() async throws {
    try await serve { server async throws in
      let status = try await ask(server, "GET", "/status")
      #expect(status.hasPrefix("200         Version: 0.1.0 (version check update disabled)\n\n"))
      #expect(status.contains("\n           Name: 02:00:00:00:00:0a(hosta)\n"))
      let connections = try await ask(server, "GET", "/status/connections")
      #expect(
        connections.hasPrefix(
          "200 <- 10.97.0.2:50155       established encrypted   sleeve 02:00:00:00:00:0b(hostb) "
            + "encrypted=truemtu=1414\n-> 10.97.0.77:6783       connecting   \n"))
      let peers = WeaveText.peers(MeshPeerReport.all(in: Samples.mesh))
      #expect(try await ask(server, "GET", "/status/peers") == "200 \(peers)")
      #expect(
        try await ask(server, "GET", "/status/targets") == "200 192.0.2.2\nhost-c:6784\n")
    }
  }

  @Test(arguments: ["application/json", "text/plain, Application/JSON;q=0.5"])
  func whoAsksForJSONGetsIt(accept: String) async throws {
    try await serve { server async throws in
      for (path, expected) in [
        ("/status", try JSONForm.compact(Samples.status)),
        ("/status/connections", try JSONForm.compact(ConnectionReport.all(in: Samples.mesh))),
        ("/status/peers", try JSONForm.compact(MeshPeerReport.all(in: Samples.mesh))),
        ("/status/targets", try JSONForm.compact(Samples.mesh.targets)),
      ] {
        let answer = try await ask(server, "GET", path, accept: accept)
        #expect(answer == "200 \(String(decoding: expected, as: UTF8.self))")
      }
      let report = try await ask(server, "GET", "/report", accept: accept)
      #expect(report.hasPrefix("200 {\n    \"Ready\": true,\n") && report.hasSuffix("}\n"))
      #expect(report.contains("\n        \"NickName\": \"hosta\",\n"))
      #expect(report.contains("\"Mac\": \"\(Samples.mac)\""))
    }
  }

  @Test func encryptionIsToldToWhoAsksForJSON() async throws {
    let service = FakeControlService(mesh: Samples.mesh, security: Samples.security)
    try await serve(service) { server async throws in
      #expect(
        try await server.client.connections()
          == ConnectionReport.all(in: Samples.mesh, security: Samples.security))
    }
  }

  @Test func theClientUnderstandsEachOfThem() async throws {
    try await serve { server async throws in
      let client = server.client
      #expect(try await client.connections() == ConnectionReport.all(in: Samples.mesh))
      #expect(try await client.peers() == MeshPeerReport.all(in: Samples.mesh))
      #expect(try await client.targets() == Samples.mesh.targets)
      #expect(try await client.report().hasPrefix("{\n    \"Ready\""))
      #expect(try await client.status() == Samples.status)
    }
  }

  @Test(
    arguments: [
      ("/report", "400 error: must supply one format parameter\n"),
      ("/report?format=a&format=b", "400 error: must supply one format parameter\n"),
      (
        "/report?format=%7B%7B.Router.Name%7D%7D",
        "400 error: templates are not known here; ask with the header 'Accept: application/json'\n"
      ),
    ])
  func aReportIsJSONOrRefused(path: String, expected: String) async throws {
    try await serve { server async throws in
      #expect(try await ask(server, "GET", path) == expected)
    }
  }

  @Test(
    arguments: [
      ("/connect", "peer=host-b", ["host-b"], false),
      ("/connect", "peer=host-b&peer=192.0.2.3%3A6784", ["host-b", "192.0.2.3:6784"], false),
      ("/connect?peer=host-b", "", ["host-b"], false),
      ("/connect?replace=true&peer=c", "peer=b", ["b", "c"], true),
      ("/connect", "peer=host-b&replace=false", ["host-b"], false),
      ("/connect", "&peer=host-b&&replace=true&", ["host-b"], true),
      ("/connect", "replace=true", [], true),
    ] as [(String, String, [String], Bool)])
  func peersAreNamedInAFormOrInTheQuery(
    path: String, body: String, targets: [String], isReplacing: Bool
  ) async throws {
    let service = FakeControlService(mesh: Samples.mesh)
    try await serve(service) { server async throws in
      #expect(try await ask(server, "POST", path, body.isEmpty ? nil : body) == "200 ")
    }
    #expect(
      await service.connects == [ConnectRequest(targets: targets, isReplacing: isReplacing)])
  }

  @Test func forgottenPeersAreNamedTheSameWay() async throws {
    let service = FakeControlService(mesh: Samples.mesh)
    try await serve(service) { server async throws in
      #expect(try await ask(server, "POST", "/forget?peer=b", "peer=a") == "200 ")
    }
    #expect(await service.forgets == [ForgetRequest(targets: ["a", "b"])])
  }

  @Test(
    arguments: [
      ("/connect", "peer=:bad", "invalid peer name \":bad\", should be host[:port]"),
      ("/connect", "peer=a&peer=b:0", "invalid peer name \"b:0\", should be host[:port]"),
      ("/connect", "peer=", "invalid peer name \"\", should be host[:port]"),
      ("/connect", "peer", "invalid peer name \"\", should be host[:port]"),
      ("/forget", "peer=%1b%22%5c", "invalid peer name \"\\u{1B}\\\"\\\\\", should be host[:port]"),
      ("/connect", "", "no peer is named"), ("/forget", "", "no peer is named"),
      ("/forget", "peer=a&replace=true", "there is no parameter 'replace'"),
      ("/connect", "peers=a", "there is no parameter 'peers'"),
      ("/connect", "{\"peer\":\"a\"}", "there is no parameter '{\"peer\":\"a\"}'"),
      ("/connect", "peer=%2", "the parameters cannot be read"),
      ("/connect", "peer=%zz", "the parameters cannot be read"),
      ("/connect", "peer=%ff", "the parameters cannot be read"),
    ])
  func wrongPeersAreRefusedInBothForms(
    path: String, body: String, sentence: String
  ) async throws {
    let service = FakeControlService(mesh: Samples.mesh)
    try await serve(service) { server async throws in
      #expect(try await ask(server, "POST", path, body) == "400 \(sentence)\n")
      let (status, answer) = try await Exchange.send(
        "POST", path, body, server.path, accept: "application/json")
      let report = try JSONForm.decode(ErrorReport.self, from: answer)
      #expect(status == 400 && report.error == sentence)
      #expect(report.accepted?.isEmpty == false)
    }
    #expect(await service.connects.isEmpty)
    #expect(await service.forgets.isEmpty)
  }

  @Test func tooLongFormsAreRefused() async throws {
    try await serve { server async throws in
      let body = "peer=" + String(repeating: "a", count: 70_000)
      #expect(try await ask(server, "POST", "/connect", body) == "413 the body is too long\n")
    }
  }

  @Test func refusalsAreTextForCurl() async throws {
    let refusal = ServiceError(.unavailable, "weftd is stopping")
    try await serve(FakeControlService(refusal: refusal)) { server async throws in
      #expect(
        try await ask(server, "POST", "/connect", "peer=a") == "503 weftd is stopping\n")
      #expect(try await ask(server, "POST", "/forget", "peer=a") == "503 weftd is stopping\n")
      await #expect(
        throws: ControlClientError.refused(
          status: 503, ErrorReport(error: "weftd is stopping"))
      ) { try await server.client.connect(ConnectRequest(targets: ["a"])) }
    }
  }

  @Test func withoutAMeshItIsSaidHowToHaveOne() async throws {
    try await serve(FakeControlService()) { server async throws in
      let sentence = ControlPlaneError.noMesh.description
      #expect(sentence.contains("add a [mesh] section"))
      for path in ["/status/connections", "/status/peers", "/status/targets"] {
        #expect(try await ask(server, "GET", path) == "404 \(sentence)\n")
        let (status, answer) = try await Exchange.send(
          "GET", path, nil, server.path, accept: "application/json")
        #expect(status == 404)
        #expect(try JSONForm.decode(ErrorReport.self, from: answer).error == sentence)
      }
      #expect(
        try await ask(server, "GET", "/report", accept: "application/json").hasPrefix("404 {"))
      #expect(
        try await ask(server, "GET", "/status") == "200 \(TextReport.text(Samples.status))")
    }
  }

  @Test(arguments: [
    ("GET", "/connect"), ("GET", "/forget"), ("POST", "/report"), ("POST", "/status/peers"),
    ("DELETE", "/connect"), ("PUT", "/status"),
  ])
  func otherMethodsAreRefused(method: String, path: String) async throws {
    try await serve { server async throws in
      #expect(
        try await ask(server, method, path) == "405 \(path) does not know the method\n")
    }
  }
}

/// Peers and forms as people and programs write them.
@Suite struct PeerNameTests {
  @Test(
    arguments: [
      ("host-b", "host-b", nil), ("192.0.2.2", "192.0.2.2", nil), ("a.b.c:1", "a.b.c", 1),
      ("192.0.2.2:65535", "192.0.2.2", 65535), ("127.0.0.1:6783", "127.0.0.1", 6783),
      ("1and1.example", "1and1.example", nil), ("a_b", "a_b", nil), ("x:06783", "x", 6783),
    ] as [(String, String, UInt16?)])
  func goodPeersAreRead(text: String, host: String, port: UInt16?) throws {
    let target = try #require(PeerTarget(text))
    #expect(target.host == host && target.port == port)
    #expect(PeerTarget(target.description) == target)
  }

  @Test(arguments: [
    "", ":", ":bad", ":6783", "a:", "a:0", "a:65536", "a:-1", "a:1:2", "a:x", "a:+1", "a b", "a/b",
    ".a", "a.", "a..b", "-a", "a-", "192.0.2.256", "192.0.2", "1", "0.0.0.0", "224.0.0.1", "::1",
    "[::1]:6783", "ä", "a\u{0}", "a\n", "255.255.255.255:1", String(repeating: "a", count: 64),
    String(repeating: "a.", count: 127) + "ab", "a:\u{0661}",
  ])
  func otherTextIsNoPeer(text: String) {
    #expect(PeerTarget(text) == nil)
  }

  @Test(arguments: ["%", "a=%", "a=%2", "a=%zz", "a=%+1", "a=%ff", "%c3=a", "a=%C3%28"])
  func brokenEscapesAreNoForm(text: String) {
    #expect(FormParameters(encoded: text) == nil)
  }

  @Test func whatIsEncodedIsReadBack() {
    var random = SystemRandomNumberGenerator()
    let scalars = Array("az09-._ +&=%:/é🧵\u{0}\n".unicodeScalars)
    for _ in 0..<500 {
      let pairs = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        (name: text(of: scalars), value: text(of: scalars))
      }
      let form = FormParameters(pairs)
      let read = FormParameters(encoded: form.encoded)
      #expect(read?.pairs.elementsEqual(pairs, by: ==) == true, "\(form.encoded)")
    }
  }

  private func text(of scalars: [Unicode.Scalar]) -> String {
    String(
      String.UnicodeScalarView(
        (0..<Int.random(in: 0...5)).compactMap { _ in
          scalars.randomElement()
        }))
  }
}
