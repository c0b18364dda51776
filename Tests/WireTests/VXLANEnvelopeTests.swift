// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private func headers(_ template: VXLANTemplate, inner: Int, sourcePort: UInt16) -> [UInt8] {
  var bytes = [UInt8](repeating: 0xEE, count: VXLANTemplate.length)
  var span = bytes.mutableSpan
  template.write(into: &span, innerLength: inner, sourcePort: sourcePort)
  return bytes
}

private func template(
  _ ends: FrameBuilder, port: UInt16 = 4789, network: UInt32 = 0
) -> VXLANTemplate {
  VXLANTemplate(
    sourceMAC: ends.sourceMAC, destinationMAC: ends.destinationMAC, source: ends.source,
    destination: ends.destination, destinationPort: port,
    network: VirtualNetwork(bits: network), timeToLive: ends.timeToLive)
}

@Suite struct VXLANEnvelopeTests {
  /// Field by field from RFC 791, RFC 768 and RFC 7348, for an inner frame of 60 bytes.
  ///
  /// 4500 + 0060 + 0000 + 4000 + 4011 + C000 + 0201 + C000 + 0202 = 24974, folded 4976,
  /// inverted B689.
  @Test func goldenHeadersAreWritten() {
    let ends = FrameBuilder(
      source: IPv4Address(bits: 0xC000_0201), destination: IPv4Address(bits: 0xC000_0202))
    let written = headers(
      template(ends, port: 6784, network: 0x12_3ABC), inner: 60, sourcePort: 0xC001)
    let golden = hexadecimal(
      """
      02000000000B 02000000000A 0800
      45 00 0060 0000 4000 40 11 B689 C0000201 C0000202
      C001 1A80 004C 0000
      08 000000 123ABC 00
      """)
    #expect(written == golden)
  }

  @Test(arguments: [0, 1, 0x12_3ABC, 0xFF_FFFF] as [UInt32])
  func templateKnowsItsNetworkAndItsDestination(network: UInt32) {
    for bits: UInt32 in [0, 0xC000_0201, 0x0102_0304, .max] {
      let ends = FrameBuilder(destination: IPv4Address(bits: bits))
      let template = template(ends, network: network)
      #expect(template.network == VirtualNetwork(bits: network))
      #expect(template.destination == IPv4Address(bits: bits))
    }
  }

  @Test func everyInnerLengthAgreesWithTheBuilder() {
    let ends = FrameBuilder()
    let template = template(ends, network: 42)
    let inner = [UInt8](repeating: 0xA5, count: 9000)
    for length in 14...9000 {
      let port = UInt16(49_152 + length)
      let expected = ends.vxlan(
        network: 42, inner: Array(inner.prefix(length)), sourcePort: port)
      if headers(template, inner: length, sourcePort: port) != Array(expected.prefix(50)) {
        Issue.record("inner length \(length)")
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func randomPeersAgreeWithTheBuilder(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      var ends = FrameBuilder(
        sourceMAC: .random(&generator), destinationMAC: .random(&generator),
        source: .random(&generator), destination: .random(&generator))
      ends.timeToLive = generator.uint8()
      let (port, sourcePort) = (generator.uint16(), generator.uint16())
      let network = UInt32(generator.number(below: 1 << 24))
      let inner = generator.bytes(14 + generator.number(below: 300))
      let expected = ends.vxlan(
        network: network, inner: inner, destinationPort: port, sourcePort: sourcePort)
      let written = headers(
        template(ends, port: port, network: network), inner: inner.count, sourcePort: sourcePort)
      #expect(written + inner == expected, "\(generator)")
    }
  }

  @Test func checksumIsRightForEverySumOfHeaderAndLength() {
    for last in UInt32(0)..<300 {
      let ends = FrameBuilder(destination: IPv4Address(bits: 0xFFFF_FF00 &+ last))
      let template = template(ends)
      for length in [0, 1, 14, 1499, 32_767, 65_498, VXLANTemplate.innerLengthMax] {
        let ipv4 = Array(headers(template, inner: length, sourcePort: 0)[14..<34])
        if internetChecksum(ipv4) != 0 { Issue.record("length \(length), address \(last)") }
      }
    }
  }

  @Test func layoutIsFixed() {
    #expect(MemoryLayout<VXLANTemplate>.size == 56)
    #expect(MemoryLayout<VXLANTemplate>.stride == 56)
    #expect(MemoryLayout<VXLANTemplate>.alignment == 8)
  }

  @Test func templatesOfTheSamePeerAreEqual() {
    let ends = FrameBuilder()
    #expect(template(ends, network: 1) == template(ends, network: 1))
    #expect(template(ends, network: 1) != template(ends, network: 2))
  }

  @Test func wrongSizesTrap() async {
    await #expect(processExitsWith: .failure) {
      var bytes = [UInt8](repeating: 0, count: 51)
      var span = bytes.mutableSpan
      template(FrameBuilder()).write(into: &span, innerLength: 60, sourcePort: 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = headers(template(FrameBuilder()), inner: 65_500, sourcePort: 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = headers(template(FrameBuilder()), inner: -1, sourcePort: 0)
    }
  }
}
