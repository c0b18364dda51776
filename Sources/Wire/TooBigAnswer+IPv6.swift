// SPDX-License-Identifier: Apache-2.0

/// Numbers of IPv6's headers that say what follows them.
private enum IPv6NextHeader {
  static let hopByHop: UInt8 = 0
  static let routing: UInt8 = 43
  static let fragment: UInt8 = 44
  static let authentication: UInt8 = 51
  static let icmp: UInt8 = 58
  static let destinationOptions: UInt8 = 60
}

/// An IPv6 address as two words.
private struct IPv6Halves {
  let high: UInt64
  let low: UInt64

  init(_ bytes: Span<UInt8>, at offset: Int) {
    high = bytes.loadUInt64(at: offset)
    low = bytes.loadUInt64(at: offset &+ 8)
  }

  /// Neither of a group, nor nobody's, nor the loopback's.
  var isUnicast: Bool { high >> 56 != 0xFF && (high != 0 || low > 1) }
}

/// Writes IPv6 and ICMPv6, and of the packet what fits the least MTU and `answer`.
@_lifetime(answer: copy answer)
func writePacketTooBig(
  to bytes: Span<UInt8>, _ packet: InnerPacket, _ mtu: Int, _ answer: inout MutableSpan<UInt8>
) -> Int? {
  // Nobody sends less than every link carries, whatever is said (RFC 8201, section 4).
  let told = max(mtu, IPv6Layout.linkMTUMin)
  let headers = IPv6Layout.length &+ ICMPLayout.length
  // Two at a time: `min` of more makes an array of them.
  let room = min(IPv6Layout.linkMTUMin, answer.count &- packet.offset) &- headers
  let quotedLength = min(min(packet.length, bytes.count), room)
  guard packet.length > told, quotedLength >= IPv6Layout.length, mayBeAnsweredIPv6(bytes, packet)
  else { return nil }
  let start = packet.offset
  let messageLength = ICMPLayout.length &+ quotedLength
  answer.store(UInt32(0x6000_0000), at: start)
  answer.store(UInt16(truncatingIfNeeded: messageLength), at: start &+ IPv6Layout.payloadLength)
  answer.store(IPv6NextHeader.icmp, at: start &+ IPv6Layout.nextHeader)
  answer.store(UInt8(64), at: start &+ IPv6Layout.hopLimit)
  let addressLength = IPv6Layout.destination &- IPv6Layout.source
  let source = bytes.extracting(droppingFirst: IPv6Layout.source).extracting(first: addressLength)
  let destination = bytes.extracting(droppingFirst: IPv6Layout.destination)
    .extracting(first: addressLength)
  copy(destination, to: &answer, at: start &+ IPv6Layout.source)
  copy(source, to: &answer, at: start &+ IPv6Layout.destination)
  let message = start &+ IPv6Layout.length
  // Type 2, code 0, checksum 0.
  answer.store(UInt32(0x0200_0000), at: message)
  answer.store(UInt32(truncatingIfNeeded: told), at: message &+ ICMPLayout.mtu)
  copy(bytes.extracting(first: quotedLength), to: &answer, at: message &+ ICMPLayout.length)
  // Addresses and message are summed as they lie; length and protocol complete the pseudo header.
  let covered = (start &+ IPv6Layout.source)..<(message &+ messageLength)
  let sum =
    InternetChecksum.sum(answer.span.extracting(covered)) &+ UInt64(messageLength)
    &+ UInt64(IPv6NextHeader.icmp)
  answer.store(~InternetChecksum.fold(sum), at: message &+ ICMPLayout.checksum)
  return IPv6Layout.length &+ messageLength
}

/// Whether an IPv6 packet may be answered with an error; not if that cannot be told.
private func mayBeAnsweredIPv6(_ bytes: Span<UInt8>, _ packet: InnerPacket) -> Bool {
  guard IPv6Halves(bytes, at: IPv6Layout.source).isUnicast,
    IPv6Halves(bytes, at: IPv6Layout.destination).isUnicast
  else { return false }
  let end = min(bytes.count, packet.length)
  var offset = IPv6Layout.length
  var next = bytes[IPv6Layout.nextHeader]
  while true {
    let isShort = end &- offset < 8
    let length: Int
    switch next {
    case IPv6NextHeader.hopByHop, IPv6NextHeader.routing, IPv6NextHeader.destinationOptions:
      guard !isShort else { return false }
      length = (Int(bytes[offset &+ 1]) &+ 1) &* 8
    case IPv6NextHeader.authentication:
      guard !isShort else { return false }
      length = (Int(bytes[offset &+ 1]) &+ 2) &* 4
    case IPv6NextHeader.fragment:
      // Only the first fragment says what it is.
      guard !isShort, bytes.loadUInt16(at: offset &+ 2) >> 3 == 0 else { return false }
      length = 8
    case IPv6NextHeader.icmp:
      // Errors are below 128; 137 is a redirect, which is none and not answered either.
      return !isShort && bytes[offset] >= 128 && bytes[offset] != 137
    default:
      return true
    }
    next = bytes[offset]
    offset &+= length
  }
}
