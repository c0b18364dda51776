// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Wire

private func parse(_ bytes: [UInt8]) -> UDPFields? {
  guard let header = UDPHeader(bytes.span) else { return nil }
  return UDPFields(header)
}

/// From port 6783 to 6784 with two bytes of payload.
private let golden = hexadecimal("1A7F 1A80 000A BEEF 4142")

@Suite struct UDPTests {
  @Test func goldenDatagramIsDecoded() {
    let fields = parse(golden)
    #expect(
      fields == UDPFields(sourcePort: 6783, destinationPort: 6784, length: 10, checksum: 0xBEEF))
    #expect(fields?.description == "UDP 6783 > 6784, 10 bytes")
  }

  @Test func goldenHeaderIsEncodedBack() {
    var bytes = [UInt8](repeating: 0xEE, count: 10)
    var span = bytes.mutableSpan
    parse(golden)?.encode(into: &span, at: 1)
    #expect(bytes == [0xEE] + golden.prefix(8) + [0xEE])
  }

  @Test(arguments: fixedSeeds)
  func randomValuesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let length = UInt16(8 + generator.number(below: 100))
      let fields = UDPFields(
        sourcePort: generator.uint16(), destinationPort: generator.uint16(), length: length,
        checksum: generator.uint16())
      var bytes = generator.bytes(Int(length))
      var span = bytes.mutableSpan
      fields.encode(into: &span)
      #expect(parse(bytes) == fields, "\(generator)")
    }
  }

  @Test func truncatedDatagramsAreNil() {
    for length in 0..<golden.count {
      #expect(parse(Array(golden.prefix(length))) == nil, "length \(length)")
    }
    #expect(parse(golden + [0, 0, 0]) != nil)
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: golden) { bytes in
      if let fields = parse(bytes) {
        #expect(8...bytes.count ~= Int(fields.length), "seed \(seed)")
      }
    }
  }

  @Test func impossibleLengthsAreNil() {
    for length in 0...65_535 {
      var bytes = golden
      bytes.replaceSubrange(4..<6, with: octets(UInt16(length)))
      if (parse(bytes) != nil) != (8...10 ~= length) {
        Issue.record("length \(length)")
      }
    }
  }

  @Test func writerChangesOneFieldAtATime() {
    var bytes = golden
    var span = bytes.mutableSpan
    guard var writer = UDPWriter(&span) else {
      Issue.record("a whole datagram was refused")
      return
    }
    writer.sourcePort += 1
    writer.destinationPort += 1
    writer.checksum = 0
    #expect(bytes == hexadecimal("1A80 1A81 000A 0000 4142"))
    bytes[5] = 11
    span = bytes.mutableSpan
    let isRefused = UDPWriter(&span) == nil
    #expect(isRefused)
  }
}
