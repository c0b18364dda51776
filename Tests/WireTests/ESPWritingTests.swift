// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

@Suite struct ESPWritingTests {
  private func template(_ ends: FrameBuilder, port: UInt16, network: UInt32) -> VXLANTemplate {
    VXLANTemplate(
      sourceMAC: ends.sourceMAC, destinationMAC: ends.destinationMAC, source: ends.source,
      destination: ends.destination, destinationPort: port,
      network: VirtualNetwork(bits: network), timeToLive: ends.timeToLive)
  }

  private func headers(
    _ template: VXLANTemplate, inner: Int, sourcePort: UInt16, source: ShortID? = nil
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: ESPEnvelope.length)
    var span = bytes.mutableSpan
    template.writeESP(into: &span, innerLength: inner, sourcePort: sourcePort, source: source)
    return bytes
  }

  private func trailer(_ inner: Int) -> [UInt8] {
    let length = ESPEnvelope.trailerLength(innerLength: inner)
    var bytes = [UInt8](repeating: 0xEE, count: length)
    var span = bytes.mutableSpan
    ESPEnvelope.writeTrailer(into: &span)
    return bytes
  }

  /// What is before the SPI and behind the IV; those and the number are somebody else's.
  private func parts(_ headers: [UInt8]) -> [[UInt8]] {
    [Array(headers[..<34]), Array(headers[50...])]
  }

  /// Field by field from RFC 791, RFC 4303, RFC 768 and RFC 7348, for a frame of 60 bytes: the text
  /// is 16 + 60 + 2 bytes and 2 of padding, the packet 20 + 16 + 80 + 16.
  ///
  /// 4500 + 0084 + 0000 + 4000 + 4032 + C000 + 0201 + C000 + 0202 = 249B9, folded 49BB, inverted
  /// B644.
  @Test func goldenHeadersAreWritten() {
    let ends = FrameBuilder(
      source: IPv4Address(bits: 0xC000_0201), destination: IPv4Address(bits: 0xC000_0202))
    let template = template(ends, port: 6784, network: 0xABC_DEF)
    #expect(
      parts(headers(template, inner: 60, sourcePort: 0xC123))
        == [
          hexadecimal(
            """
            02000000000B 02000000000A 0800
            45 00 0084 0000 4000 40 32 B644 C0000201 C0000202
            """),
          hexadecimal("C123 1A80 004C 0000 08000000 ABCDEF00"),
        ])
    #expect(
      parts(headers(template, inner: 60, sourcePort: 0xC123, source: ShortID(0x123)))[1]
        == hexadecimal("C123 1A80 004C 0000 08000000 ABC12300"))
    #expect(trailer(60) == [1, 2, 2, 17])
  }

  @Test func trailersFillTheTextToAMultipleOfFour() {
    #expect((0..<8).map(trailer).map(\.count) == [4, 3, 2, 5, 4, 3, 2, 5])
    #expect(trailer(14) == [0, 17])
    #expect(trailer(13) == [1, 1, 17])
    #expect(trailer(15) == [1, 2, 3, 3, 17])
    for inner in 0...ESPEnvelope.innerLengthMax {
      let behind = ESPEnvelope.trailerLength(innerLength: inner)
      #expect((16 + inner + behind) % 4 == 0 && 2...5 ~= behind)
      #expect(ESPEnvelope.packetLength(innerLength: inner) == 66 + inner + behind + 16)
    }
    // The longest one is what an IPv4 packet can hold.
    let longest = ESPEnvelope.packetLength(innerLength: ESPEnvelope.innerLengthMax)
    #expect(65_535 - (longest - 14) < 4)
    #expect(ESPEnvelope.packetLength(innerLength: ESPEnvelope.innerLengthMax + 1) > 14 + 65_535)
  }

  @Test(arguments: fixedSeeds)
  func randomHeadersAgreeWithTheBuilder(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      var ends = FrameBuilder(
        sourceMAC: .random(&generator), destinationMAC: .random(&generator),
        source: .random(&generator), destination: .random(&generator))
      ends.timeToLive = generator.uint8()
      ends.dontFragment = true
      let (port, sourcePort) = (generator.uint16(), generator.uint16())
      let network = UInt32(generator.number(below: 1 << 24))
      let inner = [0, 14, generator.number(below: 3000), 65_462][generator.number(below: 4)]
      let source = generator.bool() ? ShortID(generator.number(below: 4096)) : nil
      let named = source.map { network & 0xFFF000 | UInt32($0.number) } ?? network
      let text =
        octets(sourcePort) + octets(port) + octets(UInt16(16 + inner)) + [0, 0]
        + [8, 0, 0, 0] + octets(named << 8) + [UInt8](repeating: 0, count: inner)
        + trailer(inner)
      let packet = ends.ipv4(
        protocolNumber: 50,
        payload: [UInt8](repeating: 0, count: 16) + text + [UInt8](repeating: 0, count: 16))
      #expect(
        parts(
          headers(
            template(ends, port: port, network: network), inner: inner, sourcePort: sourcePort,
            source: source)) == parts(Array(packet.prefix(66))), "\(generator)")
    }
  }
}
