// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private struct Reading: Equatable {
  var fields: IPv4Fields
  var headerLength: Int
  var totalLength: Int
  var isFragment: Bool
  var checksum: UInt16
  var isChecksumCorrect: Bool
}

private func parse(_ bytes: [UInt8]) -> Reading? {
  guard let header = IPv4Header(bytes.span) else { return nil }
  return Reading(
    fields: IPv4Fields(header), headerLength: header.headerLength,
    totalLength: header.totalLength, isFragment: header.isFragment,
    checksum: header.headerChecksum, isChecksumCorrect: header.isChecksumCorrect)
}

/// 192.0.2.1 to 198.51.100.2, DSCP 46, id 0x1234, DF, TTL 64, UDP, four bytes of payload.
///
/// 45B8 + 0018 + 1234 + 4000 + 4011 + C000 + 0201 + C633 + 6402 = 2C44B, folded C44D,
/// inverted 3BB2.
private let golden = hexadecimal(
  "45 B8 0018 1234 4000 40 11 3BB2 C0000201 C6336402 DEADBEEF")

/// The packet of a frame from the builder.
private func packet(_ frame: [UInt8]) -> [UInt8] { Array(frame.dropFirst(14)) }

@Suite struct IPv4Tests {
  @Test func goldenPacketIsDecoded() throws {
    let reading = try #require(parse(golden))
    #expect(reading.fields.source == IPv4Address("192.0.2.1"))
    #expect(reading.fields.destination == IPv4Address("198.51.100.2"))
    #expect(reading.fields.dscpAndECN == 46 << 2)
    #expect(reading.fields.identification == 0x1234)
    #expect(reading.fields.dontFragment && !reading.fields.moreFragments && !reading.isFragment)
    #expect(reading.fields.fragmentOffset == 0 && reading.fields.timeToLive == 64)
    #expect(reading.fields.protocolNumber == IPProtocol.udp && reading.fields.payloadLength == 4)
    #expect(reading.headerLength == 20 && reading.totalLength == 24)
    #expect(reading.checksum == 0x3BB2 && reading.isChecksumCorrect)
    #expect(
      reading.fields.description == "192.0.2.1 > 198.51.100.2, protocol 17, 4 bytes")
  }

  @Test func goldenHeaderIsEncodedBack() {
    var bytes = [UInt8](repeating: 0xEE, count: 22)
    var span = bytes.mutableSpan
    parse(golden)?.fields.encode(into: &span, at: 1)
    #expect(bytes == [0xEE] + golden.prefix(20) + [0xEE])
  }

  @Test(arguments: fixedSeeds)
  func randomValuesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      var fields = IPv4Fields(
        source: .random(&generator), destination: .random(&generator),
        protocolNumber: generator.uint8(), payloadLength: generator.number(below: 80))
      fields.dscpAndECN = generator.uint8()
      fields.identification = generator.uint16()
      fields.dontFragment = generator.bool()
      fields.moreFragments = generator.bool()
      fields.fragmentOffset = generator.number(below: 8192) * 8
      fields.timeToLive = generator.uint8()
      var bytes = generator.bytes(20 + fields.payloadLength)
      var span = bytes.mutableSpan
      fields.encode(into: &span)
      let reading = parse(bytes)
      #expect(reading?.fields == fields, "\(generator)")
      #expect(reading?.isChecksumCorrect == true, "\(generator)")
      #expect(internetChecksum(Array(bytes.prefix(20))) == 0, "\(generator)")
      let isFragment = fields.moreFragments || fields.fragmentOffset > 0
      #expect(reading?.isFragment == isFragment, "\(generator)")
    }
  }

  @Test func truncatedPacketsAreNil() {
    for length in 0..<golden.count {
      #expect(parse(Array(golden.prefix(length))) == nil, "length \(length)")
    }
    #expect(parse(golden + [0, 0]) == parse(golden))
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    var builder = FrameBuilder()
    builder.options = [UInt8](repeating: 1, count: 8)
    let golden = packet(builder.udp(sourcePort: 1, destinationPort: 2, payload: [1, 2, 3]))
    var accepted = 0
    hammer(seed: seed, golden: golden) { bytes in
      guard let reading = parse(bytes) else { return }
      accepted += 1
      if !(20...60 ~= reading.headerLength && reading.headerLength <= reading.totalLength
        && reading.totalLength <= bytes.count)
      {
        Issue.record("lengths are inconsistent, seed \(seed)")
      }
    }
    #expect(accepted > 10_000)
  }

  @Test func everyVersionAndLengthButTheRightOnesIsNil() {
    for first in UInt8.min...UInt8.max {
      var bytes = golden + [UInt8](repeating: 0, count: 40)
      bytes[0] = first
      bytes[3] = UInt8(bytes.count)
      #expect((parse(bytes) != nil) == (0x45...0x4F ~= first), "first byte \(first)")
    }
  }

  @Test func totalLengthMustHoldTheHeaderAndBeThere() {
    for total in 0...65_535 {
      var bytes = golden
      bytes.replaceSubrange(2..<4, with: octets(UInt16(total)))
      if (parse(bytes) != nil) != (20...24 ~= total) { Issue.record("total length \(total)") }
    }
  }

  @Test func optionsAreCoveredByTheChecksum() throws {
    var generator = SeededGenerator(seed: 1)
    for count in stride(from: 0, through: 40, by: 4) {
      var builder = FrameBuilder()
      builder.options = generator.bytes(count)
      var bytes = packet(builder.udp(sourcePort: 1, destinationPort: 2))
      let reading = try #require(parse(bytes))
      #expect(reading.isChecksumCorrect && reading.headerLength == 20 + count)
      #expect(reading.fields.payloadLength == 8)
      bytes[20 + count - 1] ^= 0x10
      #expect(parse(bytes)?.isChecksumCorrect == false, "\(count) bytes of options")
    }
  }

  @Test func everySingleBitErrorInTheHeaderIsSeen() {
    for index in 0..<20 {
      for bit in UInt8(0)..<8 {
        var bytes = golden + [UInt8](repeating: 0, count: 40)
        bytes[index] ^= 1 << bit
        #expect(parse(bytes)?.isChecksumCorrect != true, "byte \(index), bit \(bit)")
      }
    }
  }

  @Test func allPartsOfAPacketAreFragments() throws {
    let payload = SeededGenerator.payload(100)
    let frames = FrameBuilder().fragments(
      size: 40, sourcePort: 1, destinationPort: 2, payload: payload)
    let readings = try frames.map { try #require(parse(packet($0))) }
    #expect(readings.map(\.isFragment) == [true, true, true])
    #expect(readings.map(\.fields.moreFragments) == [true, true, false])
    #expect(readings.map(\.fields.fragmentOffset) == [0, 40, 80])
    #expect(readings.map(\.isChecksumCorrect) == [true, true, true])
    #expect(readings[0].fields.description.hasSuffix("40 bytes at 0 of more"))
    #expect(readings[2].fields.description.hasSuffix("28 bytes at 80, the last"))
  }

  @Test func writerChangesFieldsAndRepairsTheChecksum() throws {
    var builder = FrameBuilder()
    builder.options = [1, 1, 1, 0]
    var bytes = packet(builder.tcp(sourcePort: 1, destinationPort: 2))
    var span = bytes.mutableSpan
    guard var writer = IPv4Writer(&span) else {
      Issue.record("a whole packet was refused")
      return
    }
    writer.timeToLive -= 1
    writer.dscpAndECN |= 3
    let source = writer.source
    writer.source = writer.destination
    writer.destination = source
    writer.updateChecksum()
    let checksum = writer.headerChecksum
    let reading = try #require(parse(bytes))
    #expect(reading.isChecksumCorrect && reading.checksum == checksum)
    #expect(reading.fields.timeToLive == 63 && reading.fields.dscpAndECN == 3)
    #expect(reading.fields.source == builder.destination)
    #expect(reading.fields.destination == builder.source)
  }

  @Test func writerRefusesWhatTheViewRefuses() {
    for length in 0..<golden.count {
      var bytes = Array(golden.prefix(length))
      var span = bytes.mutableSpan
      let isRefused = IPv4Writer(&span) == nil
      #expect(isRefused, "length \(length)")
    }
  }
}

extension SeededGenerator {
  fileprivate static func payload(_ count: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: 1)
    return generator.bytes(count)
  }
}
