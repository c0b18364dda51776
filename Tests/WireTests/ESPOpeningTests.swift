// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private let outer = FrameBuilder(
  source: IPv4Address(bits: 0xC000_0201), destination: IPv4Address(bits: 0xC000_0202))
private let packet = octets(UInt32(0xA1B2_C3D4)) + (4..<60).map { UInt8($0) }
private let golden = outer.ipv4(protocolNumber: 50, payload: packet)
private let inner = FrameBuilder().udp(sourcePort: 1000, destinationPort: 2000, payload: [1, 2, 3])

/// What is found by words, if there are enough of them; it must not differ from what is found field
/// by field.
private func open(_ frame: [UInt8]) -> ESPOpening {
  let opening = openESP(frame.span)
  if let words = LeadingWords(frame.span),
    let opened = ESPOpened(words, frameLength: frame.count), opening != .opened(opened)
  {
    Issue.record("by words \(opened), field by field \(opening)")
  }
  return opening
}

/// Puts a right checksum into a frame's IPv4 header without options.
private func resummed(_ frame: [UInt8]) -> [UInt8] {
  guard frame.count >= 34 else { return frame }
  var frame = frame
  frame.replaceSubrange(24..<26, with: [0, 0])
  frame.replaceSubrange(24..<26, with: octets(internetChecksum(Array(frame[14..<34]))))
  return frame
}

@Suite struct ESPOpeningTests {
  @Test func goldenFrameIsOpenedByWordsToo() {
    guard case .opened(let opened) = open(golden) else {
      Issue.record("\(open(golden))")
      return
    }
    #expect(opened.source == outer.source && opened.destination == outer.destination)
    #expect(opened.identifier == 0xA1B2_C3D4)
    #expect(opened.offset == 34 && opened.length == packet.count)
    let words = LeadingWords(golden.span)
    #expect(words.flatMap { ESPOpened($0, frameLength: golden.count) } == opened)
  }

  @Test func optionsAndPaddingDoNotMatter() {
    for count in stride(from: 0, through: 40, by: 4) {
      var builder = outer
      builder.options = [UInt8](repeating: 1, count: count)
      let frame = builder.ipv4(protocolNumber: 50, payload: packet)
      guard case .opened(let opened) = open(frame + [UInt8](repeating: 3, count: count)) else {
        Issue.record("\(count) bytes of options")
        continue
      }
      #expect(opened.offset == 34 + count && opened.length == packet.count)
      #expect(opened.identifier == 0xA1B2_C3D4)
    }
  }

  @Test func packetThatIsNoMoreThanWhatSurroundsItsTextIsThere() {
    for length in 0...32 {
      let frame = outer.ipv4(protocolNumber: 50, payload: Array(packet.prefix(length)))
      for frame in [frame, padded(frame)] {
        if length < 32 {
          #expect(open(frame) == .tooShort, "length \(length)")
        } else if case .opened(let opened) = open(frame) {
          #expect(opened.length == 32)
        } else {
          Issue.record("length \(length): \(open(frame))")
        }
      }
    }
  }

  @Test func whatIsNoWholePacketOfESPIsSomethingElse() {
    for length in golden.indices { #expect(open(Array(golden.prefix(length))) == .other) }
    for (index, byte) in [(12, UInt8(0x86)), (14, 0x65), (14, 0x44), (16, 0xFF), (22, 0x3F)] {
      var frame = golden
      frame[index] = byte
      #expect(open(frame) == .other, "byte \(index)")
    }
    for (index, byte) in [(20, UInt8(0x20)), (21, 1), (23, 17), (23, 51)] {
      var frame = golden
      frame[index] = byte
      #expect(open(resummed(frame)) == .other, "byte \(index)")
    }
    #expect(open(outer.arpRequest()) == .other)
    #expect(open(outer.ipv6(nextHeader: 50, payload: packet)) == .other)
  }

  private func check(_ frame: [UInt8], seed: UInt64) {
    guard case .opened(let opened) = open(frame) else { return }
    if !(34...74 ~= opened.offset) || opened.length < 32
      || opened.offset + opened.length > frame.count
    {
      Issue.record("\(opened) in \(frame.count) bytes, seed \(seed)")
    }
  }

  @Test(arguments: fixedSeeds)
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: golden) { frame in
      check(frame, seed: seed)
      check(resummed(frame), seed: seed)
    }
  }
}

/// What is in an ESP packet.
@Suite struct ESPTextTests {
  private static let datagram =
    octets(UInt16(50_001)) + octets(UInt16(6784)) + octets(UInt16(16 + inner.count)) + [0, 0]
    + [8, 0, 0, 0] + octets(UInt32(0x12_3ABC << 8)) + inner

  private func open(_ text: [UInt8]) -> VXLANOpened? {
    let around = [UInt8](repeating: 0xEE, count: 16)
    return VXLANOpened(
      packet: (around + text + around).span, source: outer.source, destination: outer.destination)
  }

  private func text(_ padding: [UInt8], length: Int? = nil, next: UInt8 = 17) -> [UInt8] {
    Self.datagram + padding + [UInt8(length ?? padding.count), next]
  }

  @Test func everyPaddingThatCountsIsTakenOff() throws {
    for count in 0...255 {
      let opened = try #require(open(text((0..<count).map { UInt8($0 + 1) })))
      #expect(opened.source == outer.source && opened.destination == outer.destination)
      #expect(opened.destinationPort == 6784 && opened.network.bits == 0x12_3ABC)
      #expect(opened.innerOffset == 32 && opened.innerLength == inner.count)
    }
  }

  @Test func otherPaddingLengthsAndProtocolsAreRefused() {
    #expect(open(text([1, 2, 3])) != nil)
    for padding: [UInt8] in [[0], [2], [1, 1], [1, 2, 4], [0, 0, 0], [3, 2, 1]] {
      #expect(open(text(padding)) == nil, "\(padding)")
    }
    for length in (0...255).filter({ $0 != 3 }) {
      #expect(open(text([1, 2, 3], length: length)) == nil, "\(length)")
    }
    for next in UInt8.min...UInt8.max where next != 17 {
      #expect(open(text([1, 2], next: next)) == nil)
    }
  }

  @Test func datagramsThatDoNotFillTheTextOrAreNoVXLANAreRefused() {
    for change in [-30, -1, 1, 2, 300] {
      var text = text([1])
      text.replaceSubrange(4..<6, with: octets(UInt16(16 + inner.count + change)))
      #expect(open(text) == nil)
    }
    var unflagged = text([1])
    unflagged[8] = 0xF7
    #expect(open(unflagged) == nil)
    for length in 0..<14 {
      var short = Array(Self.datagram.prefix(16 + length))
      short.replaceSubrange(4..<6, with: octets(UInt16(short.count)))
      #expect(open(short + [0, 17]) == nil)
    }
  }

  @Test func everyTruncationIsRefused() {
    let whole = text([1, 2])
    for length in whole.indices { #expect(open(Array(whole.prefix(length))) == nil) }
    for length in 0..<48 {
      let bytes = [UInt8](repeating: 17, count: length)
      let opened = VXLANOpened(
        packet: bytes.span, source: outer.source, destination: outer.destination)
      #expect(opened == nil)
    }
  }

  @Test(arguments: fixedSeeds)
  func randomBytesNeverTrap(seed: UInt64) {
    let whole = text([1, 2, 3])
    hammer(seed: seed, golden: whole) { text in
      guard let opened = open(text) else { return }
      if opened.innerOffset != 32 || opened.innerLength < 14
        || opened.innerOffset + opened.innerLength + 2 > 16 + text.count
      {
        Issue.record("\(opened) in \(text.count) bytes, seed \(seed)")
      }
    }
  }
}
