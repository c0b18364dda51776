// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private func parse(_ bytes: [UInt8]) -> EthernetFields? {
  guard let header = EthernetHeader(bytes.span) else { return nil }
  return EthernetFields(header)
}

private let golden = hexadecimal("FFFFFFFFFFFF 02000000000A 0806")

@Suite struct EthernetTests {
  @Test func goldenHeaderIsDecoded() {
    let fields = parse(golden + [1, 2, 3])
    #expect(fields?.destination == .broadcast)
    #expect(fields?.source == MACAddress("02:00:00:00:00:0a"))
    #expect(fields?.etherType == .arp)
    #expect(fields?.description == "02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff, ARP")
  }

  @Test func goldenHeaderIsEncodedBack() {
    var bytes = [UInt8](repeating: 0xEE, count: 20)
    var span = bytes.mutableSpan
    parse(golden)?.encode(into: &span, at: 3)
    #expect(bytes == [0xEE, 0xEE, 0xEE] + golden + [0xEE, 0xEE, 0xEE])
  }

  @Test(arguments: fixedSeeds)
  func randomValuesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let fields = EthernetFields(
        destination: .random(&generator), source: .random(&generator),
        etherType: EtherType(rawValue: generator.uint16()))
      var bytes = generator.bytes(14)
      var span = bytes.mutableSpan
      fields.encode(into: &span)
      #expect(parse(bytes) == fields, "\(generator)")
      let ends = FrameBuilder(sourceMAC: fields.source, destinationMAC: fields.destination)
      #expect(bytes == ends.ethernet(type: fields.etherType.rawValue, payload: []), "\(generator)")
    }
  }

  @Test func truncatedHeadersAreNil() {
    for length in 0..<golden.count {
      #expect(parse(Array(golden.prefix(length))) == nil, "length \(length)")
    }
    #expect(parse(golden) != nil)
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: golden) { _ = parse($0) }
  }

  @Test func writerChangesOneFieldAtATime() {
    var bytes = golden + [0xEE]
    var span = bytes.mutableSpan
    guard var writer = EthernetWriter(&span) else {
      Issue.record("a whole header was refused")
      return
    }
    let source = writer.source
    writer.destination = source
    writer.source = MACAddress(bits: 0x0102_0304_0506)
    writer.etherType = .ipv6
    let read = (writer.destination, writer.etherType)
    #expect(read == (source, .ipv6))
    #expect(bytes == hexadecimal("02000000000A 010203040506 86DD EE"))
  }

  @Test func writerRefusesShortFrames() {
    for length in 0..<14 {
      var bytes = [UInt8](repeating: 0, count: length)
      var span = bytes.mutableSpan
      let isRefused = EthernetWriter(&span) == nil
      #expect(isRefused, "length \(length)")
    }
  }

  @Test func everyTypeHasAName() {
    let types: [EtherType] = [.ipv4, .arp, .vlan, .ipv6, EtherType(rawValue: 0x88CC)]
    #expect(types.map(\.description) == ["IPv4", "ARP", "VLAN", "IPv6", "0x88cc"])
  }
}
