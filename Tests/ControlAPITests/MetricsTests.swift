// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Foundation
import Inet
import TestSupport
import Testing

@testable import ControlAPI

/// `GET /metrics`, and the form of it.
@Suite struct MetricsTests {
  /// Everything that there can be.
  private static let status: StatusReport = {
    var status = Samples.status
    status.mesh = MeshSummaryReport(Samples.mesh)
    return status
  }()

  private static let connections = ConnectionReport.all(
    in: Samples.mesh, security: Samples.security)

  private static func form() throws -> PrometheusForm {
    try PrometheusForm(MetricsText.text(status, connections))
  }

  @Test func everyLineIsInTheFormAndEveryNameSaysWhatItIs() throws {
    let form = try Self.form()
    #expect(form.families.count > 40)
    for family in form.families {
      let begins = family.name.hasPrefix("weft_") || family.name.hasPrefix("weave_")
      #expect(begins && !family.samples.isEmpty, "\(family.name)")
      #expect(family.name.hasSuffix("_total") == (family.kind == "counter"), "\(family.name)")
      #expect(Set(family.samples.map { Set($0.labels.keys) }).count == 1, "\(family.name)")
    }
  }

  @Test func framesAreCountedByWorkerAndDropsByReason() throws {
    let form = try Self.form()
    for (name, value) in [
      ("received", 31), ("generated", 32), ("copied", 33), ("sent", 34), ("punted", 35),
      ("merged", 37), ("taken_over", 39), ("handed_over", 40),
    ] {
      #expect(form.value("weft_frames_\(name)_total", ["worker": "0"]) == Double(value))
      #expect(form.value("weft_frames_\(name)_total", ["worker": "1"]) == 0)
    }
    #expect(form.value("weft_frames_held", ["worker": "0"]) == 38)
    #expect(form.value("weft_frames_dropped_total", ["reason": "truncated"]) == 7)
    #expect(form.value("weft_frames_dropped_total", ["reason": "noRoute"]) == 0)
    #expect(form.value("weft_frames_balanced") == 1)
    #expect(form.value("weft_worker_load_ratio", ["worker": "0"]) == 0.125)
    #expect(form.value("weft_worker_free_chunks", ["worker": "0"]) == 16_000)
  }

  @Test func portsAreToldByNumberInterfaceAndKind() throws {
    let form = try Self.form()
    let underlay = ["port": "0", "interface": "eth0", "kind": "underlay"]
    let host = ["port": "12", "interface": "weft0", "kind": "host"]
    #expect(form.value("weft_port_received_frames_total", underlay) == 1000)
    #expect(form.value("weft_port_sent_bytes_total", underlay) == Double(5 << 30))
    #expect(form.value("weft_port_received_bytes_total", host) == 180)
    #expect(form.value("weft_port_sent_frames_total", host) == 4)
    let drops = [
      "rx_dropped", "rx_ring_full", "fill_ring_empty", "rx_invalid", "tx_invalid", "missed",
    ].map { cause in
      form.value(
        "weft_port_kernel_drops_total", underlay.merging(["cause": cause]) { $1 })
    }
    #expect(drops == [1, 2, 3, 4, 5, 6])
  }

  @Test func theRestOfTheStatusIsThereToo() throws {
    let form = try Self.form()
    #expect(form.value("weft_info", ["version": "0.1.0"]) == 1)
    #expect(form.value("weft_uptime_seconds") == 93_784)
    #expect(form.value("weft_problems") == 1 && form.value("weft_underlay_up") == 1)
    #expect(form.value("weft_endpoints", ["state": "resolved"]) == 1)
    #expect(form.value("weft_macs_max") == 65_536 && form.value("weft_macs_refused_total") == 4)
    #expect(form.value("weft_losses_total", ["what": "addresses"]) == 22)
  }

  @Test func connectionsHaveWeavesNames() throws {
    let form = try Self.form()
    func connections(_ state: String, _ type: String, _ encryption: String) -> Double? {
      form.value(
        "weave_connections", ["state": state, "type": type, "encryption": encryption])
    }
    #expect(connections("established", "sleeve", "yes") == 1)
    #expect(connections("connecting", "", "") == 1 && connections("failed", "", "") == 1)
    #expect(connections("pending", "", "") == 0 && connections("suspended", "", "") == 0)
    #expect(form.samples("weave_connections").count == 7)
    #expect(form.value("weave_connection_terminations_total") == 7)
    #expect(form.value("weft_sessions_refused_total", ["reason": "another password"]) == 3)
    #expect(form.value("weft_peers") == 4)
  }

  @Test func encryptionIsToldByPeer() throws {
    let form = try Self.form()
    let peer = ["peer": "02:00:00:00:00:0b", "protocol": "sleeve"]
    func value(_ name: String, _ more: [String: String] = [:]) -> Double? {
      form.value("weft_connection_\(name)", peer.merging(more) { $1 })
    }
    #expect(value("cipher_info", ["suite": "aes256gcm"]) == 1)
    #expect(value("key_age_seconds") == 723)
    #expect(value("sealed_packets_total") == 70 && value("opened_packets_total") == 80)
    #expect(value("refused_packets_total", ["reason": "not_authentic"]) == 9)
    #expect(value("refused_packets_total", ["reason": "replayed"]) == 11)
  }

  @Test func withoutAMeshNothingIsSaidOfOne() throws {
    let form = try PrometheusForm(MetricsText.text(Samples.status, []))
    #expect(!form.families.contains { $0.name.hasPrefix("weave_") })
    #expect(!form.families.contains { $0.name.hasPrefix("weft_connection_") })
    #expect(!form.families.contains { $0.name == "weft_peers" })
  }

  @Test(arguments: [true, false])
  func theDaemonAnswersWithIt(hasMesh: Bool) async throws {
    let service = FakeControlService(
      mesh: hasMesh ? Samples.mesh : nil, security: Samples.security)
    try await TemporaryDirectory.with { directory in
      try await RunningServer.run(service, at: "\(directory)/weft.sock") { server async throws in
        let (status, body) = try await Exchange.send("GET", "/metrics", nil, server.path)
        let form = try PrometheusForm(String(decoding: body, as: UTF8.self))
        #expect(status == 200 && form.value("weft_uptime_seconds") == 93_784)
        #expect(
          (form.value(
            "weft_connection_sealed_packets_total",
            [
              "peer": "02:00:00:00:00:0b", "protocol": "sleeve",
            ]) == 70) == hasMesh)
        let refused = try await Exchange.send("POST", "/metrics", nil, server.path)
        #expect(refused.0 == 405)
      }
    }
  }

  // MARK: The form

  @Test func aFamilyLooksLikeThis() {
    var output = PrometheusText()
    output.write("b_total", .counter, "Bs.", [])
    let whole = PrometheusText.Sample(7 as UInt64, [("x", "y"), ("z", "")])
    output.write("a", .gauge, "As,\nand \\.", [.init(1.5), whole])
    #expect(
      output.text == """
        # HELP a As,\\nand \\\\.
        # TYPE a gauge
        a 1.5
        a{x="y",z=""} 7

        """)
  }

  @Test(
    arguments: [
      (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (0, "0.0"), (1e300, "1e+300"),
    ] as [(Double, String)])
  func numbersThatAreNoneAreWrittenAsGoDoes(value: Double, written: String) throws {
    var output = PrometheusText()
    output.write("a", .gauge, "A.", [.init(value)])
    #expect(output.text.hasSuffix("\na \(written)\n"))
    let read = try #require(try PrometheusForm(output.text).value("a"))
    #expect(read == value || read.isNaN && value.isNaN)
  }

  @Test func whateverStandsInALabelIsReadBack() throws {
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    let scalars = Array("a\\\"\n\r\t{}=, #é🧵\u{0}\u{301}\u{2028}".unicodeScalars)
    for _ in 0..<500 {
      let values = (0..<3).map { _ in
        String(
          String.UnicodeScalarView(
            (0..<Int.random(in: 0...6, using: &random)).compactMap { _ in
              scalars.randomElement(using: &random)
            }))
      }
      var output = PrometheusText()
      let labels = zip(["a", "b", "c"], values).map { (name: $0, value: $1) }
      output.write("x", .gauge, "x" + values[0], [.init(1 as UInt64, labels)])
      let read = try PrometheusForm(output.text).samples("x").first?.labels
      #expect(read == Dictionary(uniqueKeysWithValues: labels.map { ($0, $1) }), "seed \(seed)")
    }
  }

  @Test(arguments: [
    "a 1", "# TYPE a gauge\na 1\n", "# HELP a A.\na 1\n", "# HELP a A.\n# TYPE a number\na 1\n",
    "# HELP a A.\n# TYPE b gauge\n", "# HELP a A.\n# TYPE a gauge\nb 1\n",
    "# HELP a A.\n# TYPE a gauge\na 1\na 2\n", "# HELP a A.\n# TYPE a gauge\na{x=1} 1\n",
    "# HELP a A.\n# TYPE a gauge\na{x=\"1} 1\n", "# HELP a A.\n# TYPE a gauge\na{x=\"\\t\"} 1\n",
    "# HELP a A.\n# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n", "# HELP a A.\n# TYPE a gauge\na one\n",
    "# HELP a A.\n# TYPE a gauge\n# HELP a A.\n# TYPE a gauge\n", "# HELP a A.\n",
  ])
  func theReaderOfTheseTestsIsStrict(text: String) {
    #expect(throws: (any Error).self) { try PrometheusForm(text) }
  }
}
