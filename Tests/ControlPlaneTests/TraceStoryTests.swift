// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import TestSupport
import Testing

@testable import ControlPlane

/// Records told with names.
struct TraceStoryTests {
  static let names = TraceNames(
    ports: [
      PortIndex(0): .init(interface: "weft0", kind: .host, netns: nil),
      PortIndex(1): .init(interface: "eth0", kind: .underlay, netns: nil),
      PortIndex(2): .init(interface: "weft-1a", kind: .container, netns: "/run/netns/c1"),
      PortIndex(3): .init(interface: "weft-2b", kind: .container, netns: "pid 42"),
    ],
    endpoints: [
      // As after a reload that took number 1 away.
      EndpointIndex(0): .init(
        address: IPv4Address(bits: 0xC000_0202), network: VirtualNetwork(bits: 42), port: 4789),
      EndpointIndex(2): .init(
        address: IPv4Address(bits: 0xC000_0204), network: VirtualNetwork(bits: 44), port: 4789),
    ])

  @Test func endpointIsNamedByItsNumberAndNotByItsPlace() {
    let named = TraceStoryTests.names
    #expect(named.text(Location(EndpointIndex(2))) == "endpoint 192.0.2.4, VNI 44")
    #expect(named.text(Location(EndpointIndex(1))) == "endpoint number 1")
  }

  /// A frame of a container for a station behind the endpoint, all the way.
  static func record(_ bytes: [UInt8], port: UInt16 = 2) -> TraceRecord {
    var record = TraceRecord()
    record.port = PortIndex(port)
    record.origin = Location(PortIndex(port))
    record.receivedLength = UInt32(bytes.count)
    record.innerLength = UInt32(bytes.count)
    record.byteCount = UInt8(min(bytes.count, TraceRecord.byteCountMax))
    for (index, byte) in bytes.prefix(TraceRecord.byteCountMax).enumerated() {
      record.bytes[index] = byte
    }
    record.acquaintance = .inPlace
    record.finding = .station
    record.destination = Location(EndpointIndex(0))
    record.isForEndpoint = true
    record.exit = PortIndex(1)
    record.sentLength = UInt32(bytes.count) + 50
    record.receiverCount = 1
    record.sentCount = 1
    return record
  }

  private func lines(_ record: TraceRecord) -> [String] {
    TraceStory(record: record, names: Self.names).frame(milliseconds: 0).steps.map {
      "\($0.stage): \($0.text)"
    }
  }

  @Test func wayToAnEndpointIsToldLikeThis() {
    let frame = FrameBuilder().echoRequest(payload: [UInt8](repeating: 0, count: 56))
    let record = Self.record(frame)
    #expect(
      lines(record) == [
        "parse: 02:00:00:00:00:0a > 02:00:00:00:00:0b  IPv4 10.32.0.1 > 10.32.0.2 ICMP",
        "learn: known at this port", "look up: station at endpoint 192.0.2.2, VNI 42",
        "encapsulate: VXLAN to 192.0.2.2:4789, 148 bytes", "end: eth0",
      ])
    let report = TraceStory(record: record, names: Self.names).frame(milliseconds: 1.5)
    #expect(report.port == "weft-1a" && report.kind == .container)
    #expect(report.netns == "/run/netns/c1" && report.length == 98 && report.milliseconds == 1.5)
    #expect(report.end == .sent && report.dropReason == nil)
    #expect(report.bytes.hasPrefix("02000000000b02000000000a0800") && report.bytes.count == 196)
  }

  @Test func wayFromAnEndpointBeginsWithTheOuterHeaders() {
    let inner = FrameBuilder().arpRequest()
    let outer = FrameBuilder(source: IPv4Address(bits: 0xC000_0202))
      .vxlan(network: 42, inner: inner)
    var record = Self.record(outer, port: 1)
    record.isUnderlay = true
    record.origin = Location(EndpointIndex(0))
    record.innerOffset = 50
    record.innerLength = UInt32(inner.count)
    record.acquaintance = .elsewhere
    record.home = Location(PortIndex(3))
    record.finding = .group
    record.isForEndpoint = false
    record.receiverCount = 3
    record.sentCount = 2
    record.drop = .transmitRingFull
    record.dropStage = .end
    #expect(
      lines(record) == [
        "open: VXLAN from 192.0.2.2, VNI 42, 42 bytes inside",
        "parse: 02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff  ARP who has 10.32.0.2? asks 10.32.0.1",
        "learn: known at port weft-2b (pid 42), hint to the control plane",
        "look up: group address, to everybody",
        "end: 3 receivers, 1 of them lost it: the port's TX ring is full (transmitRingFull)",
      ])
    let report = TraceStory(record: record, names: Self.names).frame(milliseconds: 0)
    #expect(report.end == .flooded && report.dropReason == "transmitRingFull")
  }

  @Test func droppedFrameIsToldUpToTheStageThatDroppedIt() {
    var record = TraceRecord()
    record.isUnderlay = true
    record.port = PortIndex(1)
    record.drop = .outerNotUDP
    record.dropStage = .open
    let reason = "the outer packet is not UDP over IPv4 (outerNotUDP)"
    #expect(lines(record) == ["open: no Ethernet header", "end: \(reason)"])
    var tooLong = Self.record(FrameBuilder().udp(sourcePort: 1, destinationPort: 2))
    tooLong.drop = .tooLongForUnderlay
    tooLong.dropStage = .encapsulate
    tooLong.sentCount = 0
    #expect(
      lines(tooLong).suffix(2) == [
        "encapsulate: VXLAN to 192.0.2.2:4789",
        "end: with outer headers it is longer than the underlay's MTU (tooLongForUnderlay)",
      ])
    let report = TraceStory(record: tooLong, names: Self.names).frame(milliseconds: 0)
    #expect(report.end == .dropped && report.dropReason == "tooLongForUnderlay")
  }

  @Test func whatIsGoneByNowIsToldByItsNumber() {
    var record = Self.record(FrameBuilder().arpRequest(), port: 77)
    record.destination = Location(EndpointIndex(9))
    let report = TraceStory(record: record, names: Self.names).frame(milliseconds: 0)
    #expect(report.port == "port 77")
    #expect(report.steps.map(\.text).contains("station at endpoint endpoint number 9") == false)
    #expect(report.steps.map(\.text).contains("station at endpoint number 9"))
  }

  @Test(arguments: fixedSeeds)
  func recordsOfAnyContentCanBeTold(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      var record = Self.record(random.bytes(random.number(below: 200)))
      record.byteCount = UInt8(random.number(below: 256))
      record.innerOffset = UInt32(truncatingIfNeeded: random.next()) >> (random.next() % 32)
      record.innerLength = UInt32(truncatingIfNeeded: random.next()) >> (random.next() % 32)
      record.receivedLength = UInt32(truncatingIfNeeded: random.next()) >> (random.next() % 32)
      record.isUnderlay = random.number(below: 2) == 0
      record.sentCount = UInt32(random.number(below: 2))
      record.destination = Location(bits: UInt32(truncatingIfNeeded: random.next()))
      let report = TraceStory(record: record, names: Self.names).frame(milliseconds: 0)
      #expect(report.steps.last?.stage == "end", "\(random)")
    }
  }
}
