// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

@Suite struct SleeveEnvelopeTests {
  private func template(_ ends: FrameBuilder, port: UInt16 = 6783) -> VXLANTemplate {
    VXLANTemplate(
      sourceMAC: ends.sourceMAC, destinationMAC: ends.destinationMAC, source: ends.source,
      destination: ends.destination, destinationPort: port,
      network: VirtualNetwork(bits: 0xFF_FFFF), timeToLive: ends.timeToLive)
  }

  private func headers(
    _ template: VXLANTemplate, payload: Int, sourcePort: UInt16, identification: UInt16? = nil
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: SleeveEnvelope.length)
    var span = bytes.mutableSpan
    template.writeSleeve(
      into: &span, payloadLength: payload, sourcePort: sourcePort, identification: identification)
    return bytes
  }

  /// The same headers with plain loops, and a UDP checksum of 0.
  private func expected(
    _ ends: FrameBuilder, payload: Int, from sourcePort: UInt16, to port: UInt16
  ) -> [UInt8] {
    let udp = octets(sourcePort) + octets(port) + octets(UInt16(8 + payload)) + [0, 0]
    let packet = udp + [UInt8](repeating: 0, count: payload)
    return Array(ends.ipv4(protocolNumber: 17, payload: packet).prefix(42))
  }

  /// Field by field from RFC 791 and RFC 768, for 42 bytes of payload.
  ///
  /// 4500 + 0046 + 0000 + 4000 + 4011 + C000 + 0201 + C000 + 0202 = 2495A, folded 495C, inverted
  /// B6A3; without don't-fragment and with the identification 0102 it is 0A5E, and F5A1.
  @Test func goldenHeadersAreWritten() {
    let ends = FrameBuilder(
      source: IPv4Address(bits: 0xC000_0201), destination: IPv4Address(bits: 0xC000_0202))
    let whole = headers(template(ends), payload: 42, sourcePort: 6783)
    #expect(
      whole
        == hexadecimal(
          """
          02000000000B 02000000000A 0800
          45 00 0046 0000 4000 40 11 B6A3 C0000201 C0000202
          1A7F 1A7F 0032 0000
          """))
    let fragmentable = headers(
      template(ends), payload: 42, sourcePort: 6783, identification: 0x0102)
    #expect(
      fragmentable
        == hexadecimal(
          """
          02000000000B 02000000000A 0800
          45 00 0046 0102 0000 40 11 F5A1 C0000201 C0000202
          1A7F 1A7F 0032 0000
          """))
  }

  @Test(arguments: fixedSeeds)
  func randomHeadersAgreeWithTheBuilder(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      var ends = FrameBuilder(
        sourceMAC: .random(&generator), destinationMAC: .random(&generator),
        source: .random(&generator), destination: .random(&generator))
      ends.timeToLive = generator.uint8()
      let (port, sourcePort) = (generator.uint16(), generator.uint16())
      let payload = [0, 6, generator.number(below: 3000), 65_507][generator.number(below: 4)]
      ends.dontFragment = true
      #expect(
        headers(template(ends, port: port), payload: payload, sourcePort: sourcePort)
          == expected(ends, payload: payload, from: sourcePort, to: port), "\(generator)")
      ends.dontFragment = false
      ends.identification = max(1, generator.uint16())
      #expect(
        headers(
          template(ends, port: port), payload: payload, sourcePort: sourcePort,
          identification: ends.identification)
          == expected(ends, payload: payload, from: sourcePort, to: port), "\(generator)")
    }
  }

  @Test(arguments: [0, 1, 4789, 6783, .max] as [UInt16])
  func templateKnowsItsDestinationPort(port: UInt16) {
    #expect(template(FrameBuilder(), port: port).destinationPort == port)
  }
}
