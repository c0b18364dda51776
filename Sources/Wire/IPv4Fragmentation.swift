// SPDX-License-Identifier: Apache-2.0

/// How the IPv4 packet of a frame is cut into fragments (RFC 791, section 3.2).
///
/// Every piece is a frame of its own: headers, which `writeHeader` makes, and a range of the
/// packet's payload. All options go into all pieces, as Weave Net does it. What was a fragment
/// before is cut again: the pieces keep its place, and the last one whether more follow.
public struct IPv4Fragmentation: Sendable {
  /// Pieces; one if all of the packet fits without what padded it.
  public let count: Int
  /// Bytes before the payload of every piece: Ethernet's and IPv4's headers.
  public let headerLength: Int

  /// The frame's own headers, with a tag and options at most 78 bytes.
  private let header: [78 of UInt8]
  /// Where IPv4's header begins.
  private let offset: Int
  private let flagsAndOffset: UInt16
  private let payloadLength: Int
  /// Bytes of payload in every piece but the last.
  private let stride: Int

  /// Plans how to cut a frame of `frameLength` bytes, of which `frame` are the first.
  ///
  /// `mtu` counts what fits behind an Ethernet header without tag. Nil if there is no IPv4 packet,
  /// or it is damaged or must not be fragmented, or not even 8 bytes of payload fit.
  public init?(_ frame: Span<UInt8>, frameLength: Int? = nil, mtu: Int) {
    let packet = InnerPacket(frame, frameLength: frameLength ?? frame.count)
    guard packet.kind == .fragmentable else { return nil }
    offset = packet.offset
    headerLength = packet.offset &+ packet.headerLength
    flagsAndOffset = frame.loadUInt16(at: offset &+ IPv4Layout.flagsAndOffset)
    payloadLength = packet.length &- packet.headerLength
    stride = max(packet.room(at: mtu) &- packet.headerLength, 0) & ~7
    let isWhole = packet.length <= packet.room(at: mtu)
    guard isWhole || stride > 0 else { return nil }
    let place = Int(flagsAndOffset & IPv4Layout.offsetMask) &* 8
    // What would end behind the longest packet, or in the middle of eight bytes, fits no other.
    guard place &+ packet.length <= 0xFFFF,
      flagsAndOffset & IPv4Layout.moreFragments == 0 || payloadLength & 7 == 0
    else { return nil }
    count = isWhole ? 1 : (payloadLength &+ stride &- 1) / stride
    var header = [78 of UInt8](repeating: 0)
    for index in 0..<min(headerLength, header.count) { header[index] = frame[index] }
    self.header = header
  }

  /// Where the payload of a piece is in the frame.
  public func payload(of piece: Int) -> Range<Int> {
    precondition(0..<count ~= piece, "a piece of the packet")
    guard count > 1 else { return headerLength..<(headerLength &+ payloadLength) }
    let start = piece &* stride
    return (headerLength &+ start)..<(headerLength &+ min(start &+ stride, payloadLength))
  }

  /// Bytes of a piece, as a frame.
  public func length(of piece: Int) -> Int { headerLength &+ payload(of: piece).count }

  /// Writes the `headerLength` bytes before a piece's payload to the start of `bytes`.
  @_lifetime(bytes: copy bytes)
  public func writeHeader(of piece: Int, into bytes: inout MutableSpan<UInt8>) {
    precondition(bytes.count >= headerLength, "a fragment's headers have room")
    let payload = payload(of: piece)
    copy(header.span.extracting(first: headerLength), to: &bytes, at: 0)
    let isLast = piece == count &- 1
    let place = UInt16(truncatingIfNeeded: (payload.lowerBound &- headerLength) / 8)
    let flags = (flagsAndOffset &+ place) | (isLast ? 0 : IPv4Layout.moreFragments)
    let totalLength = headerLength &- offset &+ payload.count
    bytes.store(UInt16(truncatingIfNeeded: totalLength), at: offset &+ IPv4Layout.totalLength)
    bytes.store(flags, at: offset &+ IPv4Layout.flagsAndOffset)
    bytes.store(UInt16(0), at: offset &+ IPv4Layout.headerChecksum)
    let sum = InternetChecksum.sum(bytes.span.extracting(offset..<headerLength))
    bytes.store(~InternetChecksum.fold(sum), at: offset &+ IPv4Layout.headerChecksum)
  }
}
