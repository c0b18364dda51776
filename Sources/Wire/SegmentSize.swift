// SPDX-License-Identifier: Apache-2.0

/// Offsets and bits in a TCP header (RFC 9293, section 3.1).
private enum TCPLayout {
  static let dataOffset = 12
  static let flags = 13
  static let checksum = 16
  static let length = 20

  static let synchronize: UInt8 = 0x02
  static let endOfOptions: UInt8 = 0
  static let noOperation: UInt8 = 1
  static let segmentSize: UInt8 = 2
  static let segmentSizeLength = 4
}

extension LeadingWords {
  /// Whether the frame may open a TCP connection, which `clampSegmentSize` looks at more closely;
  /// `next` are the eight bytes behind these.
  ///
  /// Of IPv4 without options it can be told: TCP's flags are the last of the eight. With options,
  /// or with IPv6, all of TCP may be; with a tag nothing is.
  @inlinable
  @inline(__always)
  public func mayBeSYN(_ next: UInt64) -> Bool {
    if isPlainIPv4 { return protocolNumber == IPProtocol.tcp && next & 1 << 57 != 0 }
    return mayBeOtherTCP
  }

  /// Whether this is TCP in IPv6, or in IPv4 with options.
  @inlinable var mayBeOtherTCP: Bool {
    @inline(__always) get {
      // The EtherType as it lies in memory; IPv6's next header is byte 20.
      let etherType = UInt16(truncatingIfNeeded: type >> 32)
      if etherType == 0xDD86 {
        return UInt8(truncatingIfNeeded: middle >> 32) == IPProtocol.tcp
      }
      return etherType == 0x0008 && protocolNumber == IPProtocol.tcp
    }
  }
}

/// Lowers the longest segment that a TCP SYN asks for, and repairs the checksum, if segments of
/// that length would not fit `mtu`; true if it did.
///
/// - `frame` is the frame, or as many of its `frameLength` bytes as there are in one piece.
/// - `mtu` counts what fits behind an Ethernet header without tag.
///
/// So both ends send what fits from their first segment on, also where ICMP is filtered. A SYN that
/// asks for nothing, or whose options are damaged, stays as it is.
@_lifetime(frame: copy frame)
public func clampSegmentSize(
  of frame: inout MutableSpan<UInt8>, frameLength: Int? = nil, mtu: Int
) -> Bool {
  let packet = InnerPacket(frame.span, frameLength: frameLength ?? frame.count)
  guard let start = synchronizingSegment(of: frame.span, packet) else { return false }
  let end = min(packet.offset &+ packet.length, frame.count)
  let overhead = packet.headerLength &+ TCPLayout.length
  // IPv4's options are not counted: this is about segments to come (RFC 6691, section 2).
  let fixed = packet.kind == .ipv6 ? overhead : IPv4Layout.minimumLength &+ TCPLayout.length
  let segmentSize = packet.room(at: mtu) &- fixed
  guard segmentSize > 0, let place = segmentSizePlace(in: frame.span.extracting(start..<end)) else {
    return false
  }
  let old = frame.span.loadUInt16(at: start &+ place)
  guard segmentSize < Int(old) else { return false }
  let new = UInt16(truncatingIfNeeded: segmentSize)
  frame.store(new, at: start &+ place)
  let checksum = frame.span.loadUInt16(at: start &+ TCPLayout.checksum)
  // At an odd place the two bytes belong to two words; their sum is the same with bytes swapped
  // (RFC 1071, section 2).
  let isOdd = place & 1 != 0
  let updated = InternetChecksum.updated(
    checksum, replacing: isOdd ? old.byteSwapped : old, with: isOdd ? new.byteSwapped : new)
  frame.store(updated, at: start &+ TCPLayout.checksum)
  return true
}

/// Where TCP's header begins, if the packet begins with one that has the SYN bit.
private func synchronizingSegment(of frame: Span<UInt8>, _ packet: InnerPacket) -> Int? {
  let protocolNumber: UInt8
  switch packet.kind {
  case .fragmentable, .unfragmentable:
    let flags = frame.loadUInt16(at: packet.offset &+ IPv4Layout.flagsAndOffset)
    guard flags & IPv4Layout.offsetMask == 0 else { return nil }
    protocolNumber = frame[packet.offset &+ IPv4Layout.protocolNumber]
  case .ipv6: protocolNumber = frame[packet.offset &+ IPv6Layout.nextHeader]
  case .other: return nil
  }
  let start = packet.offset &+ packet.headerLength
  guard protocolNumber == IPProtocol.tcp,
    min(packet.offset &+ packet.length, frame.count) &- start >= TCPLayout.length,
    frame[start &+ TCPLayout.flags] & TCPLayout.synchronize != 0
  else { return nil }
  return start
}

/// Where in a segment the value of the option for its longest length is; nil without one, and if
/// any option is damaged or this one is there twice.
private func segmentSizePlace(in segment: Span<UInt8>) -> Int? {
  let end = Int(segment[TCPLayout.dataOffset] >> 4) &* 4
  guard TCPLayout.length <= end, end <= segment.count else { return nil }
  var found: Int?
  var place = TCPLayout.length
  while place < end {
    let kind = segment[place]
    if kind == TCPLayout.endOfOptions { break }
    if kind == TCPLayout.noOperation {
      place &+= 1
      continue
    }
    guard place &+ 1 < end else { return nil }
    let length = Int(segment[place &+ 1])
    guard length >= 2, place &+ length <= end else { return nil }
    if kind == TCPLayout.segmentSize {
      guard found == nil, length == TCPLayout.segmentSizeLength else { return nil }
      found = place &+ 2
    }
    place &+= length
  }
  return found
}
