// SPDX-License-Identifier: Apache-2.0

import ControlAPI
import ControlPlane
import Foundation
import Inet
import Mesh
import Sealing
import Testing

@Suite struct ReportTests {
  private func survives<Value: Codable & Equatable>(_ value: Value) throws {
    let data = try JSONForm.compact(value)
    #expect(try JSONForm.decode(Value.self, from: data) == value)
    let pretty = Data(try JSONForm.pretty(value).utf8)
    #expect(try JSONForm.decode(Value.self, from: pretty) == value)
  }

  @Test func everyReportSurvivesJSON() throws {
    try survives(Samples.status)
    try survives(Samples.attachments)
    try survives(Samples.macs)
    try survives(ErrorReport(error: "e"))
    try survives(ErrorReport(error: "e", field: "f", accepted: "a"))
    try survives(ConnectionReport.all(in: Samples.mesh))
    try survives(ConnectionReport.all(in: Samples.mesh, security: Samples.security))
    try survives(MeshPeerReport.all(in: Samples.mesh))
    var status = Samples.status
    status.mesh = MeshSummaryReport(Samples.mesh)
    try survives(status)
    for worker in Samples.workers { try survives(worker) }
    for port in Samples.ports { try survives(port) }
    for endpoint in Samples.endpoints { try survives(endpoint) }
  }

  @Test func everyRequestSurvivesJSON() throws {
    try survives(AttachRequest(netns: "/run/netns/c1", addresses: [Samples.prefix]))
    try survives(
      AttachRequest(pid: 1, addresses: [Samples.prefix], mac: Samples.mac, interface: "eth1"))
    try survives(DetachRequest(netns: "/run/netns/c1"))
    try survives(DetachRequest(pid: 7, addresses: [Samples.prefix]))
  }

  @Test func countersKeepAllTheirBits() throws {
    var drop = Samples.status.drops[0]
    drop.frames = .max
    try survives(drop)
    try survives(MACCountReport(count: .max, limit: .max - 1))
  }

  @Test func keysAreSnakeCaseAndValuesText() throws {
    let text = String(decoding: try JSONForm.compact(Samples.status), as: UTF8.self)
    for fragment in [
      #""host_name":"hosta""#, #""uptime_seconds":93784"#, #""overlay_mtu":1450"#,
      #""zero_copy":false"#, #""vxlan_port":4789"#, #""mode":"generic""#, #""load_percent":12.5"#,
      #""idle_breaths":1000"#, #""frames_free":16000"#, #""kernel_drops":{"#,
      #""rx_ring_full":2"#, #""fill_ring_empty":3"#, #""tx_invalid":5"#,
      #""next_hop_mac":"02:00:00:00:00:0a""#, #""source_address":"192.0.2.2""#,
      #""faults":{"corruption":0,"duplication":0.5,"loss":10,"#,
      #""fill_rings":768"#, #""handed_over":0"#, #""ports_left":510"#,
      #""bytes_per_queue":2359296"#,
      #""addresses":["192.0.2.1/24"]"#, #""balanced":true"#, #""state":"unresolved""#,
    ] {
      #expect(text.contains(fragment), "\(fragment) is missing")
    }
    let keys = text.matches(of: /"([^"]*)":/).map { String($0.1) }
    #expect(keys.allSatisfy { $0 == $0.lowercased() }, "a key has capitals: \(keys)")
    let attachment = String(decoding: try JSONForm.compact(Samples.attachments), as: UTF8.self)
    #expect(attachment.contains(#""host_interface":"vw1""#))
    let macs = String(decoding: try JSONForm.compact(Samples.macs), as: UTF8.self)
    #expect(macs.contains(#""age_seconds":61,"location":"port vw1""#))
    #expect(macs.contains(#""location":"vtep 192.0.2.1 vni 42""#))
  }

  @Test func encryptionIsToldOfConnectionsThatHaveIt() throws {
    let connections = ConnectionReport.all(in: Samples.mesh, security: Samples.security)
    #expect(connections.map { $0.security != nil } == [true, false, false, false, false])
    let text = String(decoding: try JSONForm.compact(connections), as: UTF8.self)
    #expect(
      text.contains(
        #""security":{"key_age_seconds":723,"opened":80,"protocol":"sleeve","#
          + #""refused":{"not_authentic":9,"replayed":11},"sealed":70,"suite":"aes256gcm"}"#),
      "\(text)")
    // An address that is dialled besides is not the connection.
    var mesh = Samples.mesh
    mesh.connections[1].peer = Samples.name(11)
    let reports = ConnectionReport.all(in: mesh, security: Samples.security)
    #expect(reports.map { $0.security != nil } == [true, false, false, false, false])
    let esp = SecurityReport(
      suite: .aes256gcm, layout: .esp, keyAgeSeconds: -1, counts: KeyCounts())
    #expect(esp.packets == .esp && esp.keyAgeSeconds == 0 && esp.refused.total == 0)
  }

  @Test func reasonsWithoutFramesStayInTheJSON() throws {
    let text = String(decoding: try JSONForm.compact(Samples.status), as: UTF8.self)
    #expect(text.contains("noRoute"))
  }

  @Test func framesAreBalancedWhenBothSidesAreEqual() {
    #expect(Samples.status.frames.balanced)
    #expect(FrameReport().balanced)
    #expect(!FrameReport(received: 1).balanced)
    #expect(FrameReport(received: .max, generated: 1).balanced, "sums wrap like counters")
  }

  @Test(arguments: [
    (Double.nan, 0.0), (.infinity, 0), (-.infinity, 0), (-3, 0), (250, 100), (33.3333, 33.3),
  ])
  func loadIsAlwaysAShareThatJSONCanHold(given: Double, shown: Double) throws {
    let worker = WorkerReport(
      index: 0, core: 0, idle: .spin, state: .running, breaths: 0, idleBreaths: 0,
      loadPercent: given, framesFree: 0, framesTotal: 0)
    #expect(worker.loadPercent == shown)
    try survives(worker)
  }
}
