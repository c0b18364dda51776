// SPDX-License-Identifier: Apache-2.0

import Inet
import Wire

extension FuzzTarget {
  /// The bytes are an outer frame, are what was sealed in one, and say what happens to a worker
  /// with neighbours who seal.
  static func esp(_ bytes: [UInt8]) throws {
    try packet(bytes)
    // With a right checksum, or else little behind it would ever be reached.
    try packet(withChecksum(bytes))
    try text(bytes)
    var input = Reading(bytes)
    var play = try SecurityPlay(&input)
    // More steps show nothing that another input could not show sooner.
    for _ in 0..<60 where !input.isAtEnd { try play.step(&input) }
    try play.end()
  }

  private static func packet(_ bytes: [UInt8]) throws {
    let expected = PlainSecurity(frame: bytes)
    let opening = openESP(bytes.span)
    try hold(PlainSecurity(opening) == expected, "ESP as defined: \(opening)")
    guard let words = LeadingWords(bytes.span),
      let opened = ESPOpened(words, frameLength: bytes.count)
    else { return }
    try hold(PlainSecurity(opened) == expected, "by words the same: \(opened)")
  }

  private static func text(_ bytes: [UInt8]) throws {
    let source = IPv4Address(bits: 1)
    let destination = IPv4Address(bits: 2)
    let opened = VXLANOpened(packet: bytes.span, source: source, destination: destination)
    let expected = PlainSecurity.inner(bytes)
    try hold((opened == nil) == (expected == nil), "text as defined: \(opened as Any)")
    guard let opened, let expected else { return }
    let inner = opened.innerOffset..<opened.innerOffset + opened.innerLength
    try hold(inner == expected.inner, "the inner frame: \(opened)")
    try hold(UInt64(opened.destinationPort) == expected.port, "the port: \(opened)")
    try hold(UInt64(opened.network.bits) == expected.network, "the network: \(opened)")
    try hold(opened.source == source && opened.destination == destination, "both addresses")
  }
}

/// ESP as RFC 4303 puts it, to compare `openESP` and what opens its text with.
enum PlainSecurity: Equatable {
  case other, tooShort
  case opened(source: UInt64, destination: UInt64, identifier: UInt64, packet: Range<Int>)

  init(_ opening: ESPOpening) {
    switch opening {
    case .other: self = .other
    case .tooShort: self = .tooShort
    case .opened(let opened): self.init(opened)
    }
  }

  init(_ opened: ESPOpened) {
    self = .opened(
      source: UInt64(opened.source.bits), destination: UInt64(opened.destination.bits),
      identifier: UInt64(opened.identifier), packet: opened.offset..<opened.offset + opened.length)
  }

  /// What is in an outer frame.
  init(frame: [UInt8]) {
    self = .other
    guard frame.count >= 34, plain(frame, 12, 2) == 0x0800, frame[14] / 16 == 4 else { return }
    let header = Int(frame[14]) % 16 * 4
    let total = Int(plain(frame, 16, 2))
    guard header >= 20, total >= header, 14 + total <= frame.count else { return }
    var sum = 0
    for word in 0..<header / 2 { sum += Int(plain(frame, 14 + 2 * word, 2)) }
    // More fragments, or an offset; the reserved bit and don't-fragment say nothing.
    guard sum % 0xFFFF == 0, plain(frame, 20, 2) % 0x4000 == 0, frame[23] == 50 else { return }
    self = .tooShort
    // SPI, number, IV and tag.
    guard total - header >= 4 + 4 + 8 + 16 else { return }
    self = .opened(
      source: plain(frame, 26, 4), destination: plain(frame, 30, 4),
      identifier: plain(frame, 14 + header, 4), packet: 14 + header..<14 + total)
  }

  /// The frame in an ESP packet whose text is in the clear.
  static func inner(
    _ packet: [UInt8]
  ) -> (inner: Range<Int>, port: UInt64, network: UInt64)? {
    guard packet.count >= 16 + 8 + 8 + 14 + 2 + 16 else { return nil }
    let end = packet.count - 16
    guard packet[end - 1] == 17 else { return nil }
    let padding = Int(packet[end - 2])
    let length = end - 2 - padding - 16
    guard length >= 8 + 8 + 14, Int(plain(packet, 20, 2)) == length else { return nil }
    guard (0..<padding).allSatisfy({ Int(packet[16 + length + $0]) == $0 + 1 }) else { return nil }
    guard packet[24] / 8 % 2 == 1 else { return nil }
    return (32..<16 + length, plain(packet, 18, 2), plain(packet, 28, 3))
  }
}
