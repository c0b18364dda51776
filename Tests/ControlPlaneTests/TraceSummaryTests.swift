// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing

@testable import ControlPlane

/// Frames in a few words, whatever their bytes are.
struct TraceSummaryTests {
  private static let builder = FrameBuilder()

  @Test(
    arguments: [
      (
        builder.udp(sourcePort: 1000, destinationPort: 53),
        "IPv4 10.32.0.1 > 10.32.0.2 UDP 1000 > 53"
      ),
      (builder.tcp(sourcePort: 1, destinationPort: 80), "IPv4 10.32.0.1 > 10.32.0.2 TCP 1 > 80"),
      (builder.echoRequest(), "IPv4 10.32.0.1 > 10.32.0.2 ICMP"),
      (builder.ipv4(protocolNumber: 50, payload: []), "IPv4 10.32.0.1 > 10.32.0.2 ESP"),
      (builder.ipv4(protocolNumber: 132, payload: []), "IPv4 10.32.0.1 > 10.32.0.2 protocol 132"),
      (builder.ipv6(nextHeader: 58, payload: []), "IPv6 ::a20:1 > ::a20:2 ICMPv6"),
      (
        builder.ipv6(nextHeader: 6, payload: [0, 7, 1, 0, 0]), "IPv6 ::a20:1 > ::a20:2 TCP 7 > 256"
      ),
      (
        builder.ipv6(nextHeader: 0, payload: [58, 0, 5, 2, 0, 0, 1, 0, 143]),
        "IPv6 ::a20:1 > ::a20:2 ICMPv6"
      ),
      (builder.ipv6(nextHeader: 0, payload: [58]), "IPv6 ::a20:1 > ::a20:2 protocol 0"),
      (builder.ipv6(nextHeader: 44, payload: [17, 0]), "IPv6 ::a20:1 > ::a20:2 fragment"),
      (builder.arpRequest(), "ARP who has 10.32.0.2? asks 10.32.0.1"),
      (
        FrameBuilder(destination: IPv4Address(bits: 0x0A20_0001)).arpRequest(),
        "ARP 10.32.0.1 announces itself"
      ),
      (builder.ethernet(type: 0x88CC, payload: [2, 7, 4]), "LLDP"),
      (builder.ethernet(type: 0x0026, payload: []), "IEEE 802.3"),
      (builder.ethernet(type: 0x9000, payload: []), "EtherType 0x9000"),
      (builder.ethernet(type: 0x8100, payload: [0x60, 42, 0x88, 0xCC]), "VLAN 42 LLDP"),
      (builder.ethernet(type: 0x8100, payload: [0x60]), "VLAN"),
      (builder.ethernet(type: 0x8100, payload: [0x60, 42]), "VLAN 42 cut off"),
      (builder.ethernet(type: 0x0800, payload: [0x45]), "IPv4, damaged or cut off"),
      (builder.ethernet(type: 0x86DD, payload: [0x60]), "IPv6, damaged or cut off"),
      (builder.ethernet(type: 0x0806, payload: [0, 1]), "ARP"),
    ])
  func framesAreNamedLikeThis(bytes: [UInt8], text: String) {
    #expect(TraceSummary.text(bytes, length: bytes.count) == text)
    #expect(
      TraceSummary.text(padded(bytes), length: padded(bytes).count) == text || bytes.count < 34)
  }

  @Test func repliesAndOtherOperationsOfARPAreTold() {
    var packet = Self.builder.arpRequest()
    packet[21] = 2
    #expect(
      TraceSummary.text(packet, length: packet.count) == "ARP 10.32.0.1 is at 02:00:00:00:00:0a")
    packet[21] = 9
    #expect(TraceSummary.text(packet, length: packet.count) == "ARP operation 9")
  }

  @Test func fragmentsSayWhereTheyBelong() {
    let parts = Self.builder.fragments(
      size: 16, sourcePort: 5, destinationPort: 6, payload: [UInt8](repeating: 0, count: 30))
    let texts = parts.map { TraceSummary.text($0, length: $0.count) }
    #expect(texts[0] == "IPv4 10.32.0.1 > 10.32.0.2 UDP 5 > 6, first fragment")
    #expect(texts[1] == "IPv4 10.32.0.1 > 10.32.0.2 UDP, fragment at 16")
  }

  @Test func longFrameIsNamedByItsBeginning() {
    let bytes = Self.builder.udp(
      sourcePort: 7, destinationPort: 8, payload: [UInt8](repeating: 1, count: 1400))
    let text = "IPv4 10.32.0.1 > 10.32.0.2 UDP 7 > 8"
    #expect(TraceSummary.text(Array(bytes.prefix(38)), length: bytes.count) == text)
    #expect(
      TraceSummary.text(Array(bytes.prefix(37)), length: bytes.count)
        == "IPv4 10.32.0.1 > 10.32.0.2 UDP")
  }

  @Test(
    arguments: [
      ("20010db8000000000000000000000001", "2001:db8::1"),
      ("20010db8000000010000000000000001", "2001:db8:0:1::1"),
      ("00000000000000000000000000000000", "::"),
      ("00010000000000000000000000000000", "1::"),
      ("00010002000300000005000600070008", "1:2:3:0:5:6:7:8"),
      ("fe800000000000000000abcdef012345", "fe80::abcd:ef01:2345"),
    ])
  func addressesAreWrittenAsRFC5952Does(digits: String, text: String) {
    var bytes = Self.builder.ipv6(nextHeader: 59, payload: [])
    bytes.replaceSubrange(22..<38, with: hexadecimal(digits))
    #expect(
      TraceSummary.text(bytes, length: bytes.count) == "IPv6 \(text) > ::a20:2 protocol 59")
  }

  @Test func everyTruncationHasAnAnswer() {
    let frames = [
      Self.builder.udp(sourcePort: 1000, destinationPort: 53), Self.builder.arpRequest(),
      Self.builder.ipv6(nextHeader: 17, payload: [1, 2, 3, 4, 5, 6, 7, 8]),
      Self.builder.ethernet(type: 0x8100, payload: [0, 1, 0x81, 0, 0, 2, 8, 0, 0x45]),
    ]
    for frame in frames {
      for count in 0...frame.count {
        for length in [0, count, frame.count, 65_535] {
          let text = TraceSummary.text(Array(frame.prefix(count)), length: length)
          #expect((text == nil) == (min(count, length) < 14))
        }
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func randomBytesHaveAnAnswer(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let types: [UInt16] = [0x0800, 0x86DD, 0x0806, 0x8100, 0x88CC]
    for _ in 0..<3000 {
      var bytes = random.bytes(random.number(below: 129))
      if bytes.count > 15, random.number(below: 4) > 0 {
        let type = types[random.number(below: types.count)]
        bytes.replaceSubrange(12..<14, with: octets(type))
        // Versions and header lengths that can be, so that it goes on behind them.
        if random.number(below: 2) == 0 { bytes[14] = type == 0x0800 ? 0x45 : 0x60 }
      }
      let text = TraceSummary.text(bytes, length: random.number(below: 4000))
      #expect(text?.contains("\n") != true, "\(random)")
    }
  }
}
