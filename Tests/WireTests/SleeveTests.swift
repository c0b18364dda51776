// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

/// What a record says, with its frame.
private func parse(_ bytes: [UInt8]) -> SleeveRecordFields? {
  guard let header = SleeveRecordHeader(bytes.span) else { return nil }
  return SleeveRecordFields(header)
}

private func parseHeader(_ bytes: [UInt8]) -> SleeveFields? {
  guard let header = SleeveHeader(bytes.span) else { return nil }
  return SleeveFields(sender: header.sender)
}

private func parseSealedHeader(_ bytes: [UInt8]) -> SleeveFields? {
  guard let header = SleeveSealedHeader(bytes.span) else { return nil }
  return SleeveFields(sender: header.sender, sequence: header.sequence)
}

/// From peer a for peer b, a frame of two bytes.
private let golden = hexadecimal("0200 0000 000A 0200 0000 000B 0002 BEEF")
private let goldenFields = SleeveRecordFields(
  source: PeerName(bits: 0x0200_0000_000A), destination: PeerName(bits: 0x0200_0000_000B),
  frameLength: 2)
/// The third of those datagrams of peer a that may not be fragmented.
private let goldenSealed = hexadecimal("0200 0000 000A 8000 0000 0000 0002")
private let goldenSealedFields = SleeveFields(
  sender: PeerName(bits: 0x0200_0000_000A),
  sequence: SleeveSequence(number: 2, isFragmentable: false))

@Suite struct SleeveTests {
  @Test func goldenDatagramIsDecoded() {
    #expect(parse(golden) == goldenFields)
    #expect(parse(golden)?.description == "02:00:00:00:00:0a > 02:00:00:00:00:0b, 2 bytes")
    #expect(parseHeader(golden) == SleeveFields(sender: PeerName(bits: 0x0200_0000_000A)))
    #expect(parseHeader(golden)?.description == "sleeve from 02:00:00:00:00:0a")
    #expect(parseSealedHeader(goldenSealed) == goldenSealedFields)
    #expect(
      goldenSealedFields.description
        == "sleeve from 02:00:00:00:00:0a, number 2 of those that may not be fragmented")
  }

  @Test func goldenHeadersAreEncodedBack() {
    var bytes = [UInt8](repeating: 0xEE, count: 16)
    var span = bytes.mutableSpan
    goldenFields.encode(into: &span, at: 1)
    #expect(bytes == [0xEE] + golden.prefix(14) + [0xEE])
    span = bytes.mutableSpan
    goldenSealedFields.encode(into: &span, at: 2)
    #expect(bytes == [0xEE, 2] + goldenSealed)
    #expect(goldenSealedFields.length == SleeveSealedHeader.length)
    bytes = [UInt8](repeating: 0xEE, count: 8)
    span = bytes.mutableSpan
    SleeveFields(sender: goldenSealedFields.sender).encode(into: &span, at: 1)
    #expect(bytes == [0xEE] + goldenSealed.prefix(6) + [0xEE])
  }

  @Test(arguments: fixedSeeds)
  func randomValuesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let length = generator.number(below: 100)
      let fields = SleeveRecordFields(
        source: PeerName(bits: generator.next()), destination: PeerName(bits: generator.next()),
        frameLength: UInt16(length))
      var bytes = generator.bytes(14 + length + generator.number(below: 3))
      var span = bytes.mutableSpan
      fields.encode(into: &span)
      #expect(parse(bytes) == fields, "\(generator)")
      let sealed = SleeveFields(
        sender: PeerName(bits: generator.next()), sequence: SleeveSequence(bits: generator.next()))
      span = bytes.mutableSpan
      sealed.encode(into: &span)
      #expect(parseSealedHeader(bytes) == sealed, "\(generator)")
    }
  }

  @Test func truncatedDatagramsAreNil() {
    for length in 0..<golden.count {
      let cut = Array(golden.prefix(length))
      #expect(parse(cut) == nil, "length \(length)")
      #expect((parseHeader(cut) == nil) == (length < 6), "length \(length)")
      #expect((parseSealedHeader(cut) == nil) == (length < 14), "length \(length)")
    }
    #expect(parse(golden + [0]) != nil)
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: golden) { bytes in
      if let fields = parse(bytes) {
        #expect(Int(fields.frameLength) <= bytes.count - 14, "seed \(seed)")
      }
      if let fields = parseSealedHeader(bytes) {
        #expect(bytes.count >= 14 && !fields.description.isEmpty, "seed \(seed)")
      }
      _ = parseHeader(bytes)
    }
  }

  @Test func impossibleLengthsAreNil() {
    for length in 0...65_535 {
      var bytes = golden
      bytes.replaceSubrange(12..<14, with: octets(UInt16(length)))
      if (parse(bytes) != nil) != (length <= 2) { Issue.record("length \(length)") }
    }
  }
}
