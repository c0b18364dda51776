// SPDX-License-Identifier: Apache-2.0

internal import Inet

/// Bytes of the longest answer of `writeTooBigAnswer`: with IPv6, all that RFC 4443 section 3.2
/// allows, behind an Ethernet header with a tag.
public var tooBigAnswerLengthMax: Int { EthernetLayout.length &+ 4 &+ IPv6Layout.linkMTUMin }

/// Writes a frame that tells the sender of `frame` what fits: ICMP "fragmentation needed" (RFC
/// 1191, section 4) or ICMPv6 "packet too big" (RFC 4443, section 3.2); returns its length.
///
/// - `frame` is what did not fit, or as many of its `frameLength` bytes as there are in one piece.
/// - `mtu` counts what fits behind an Ethernet header without tag.
/// - `answer` needs 70 bytes for IPv4 without options; of IPv6 as much is quoted as there is room.
///
/// It comes from whom the packet was for. There is no answer, and nothing is written, where none
/// may be given (RFC 1122, section 3.2.2; RFC 4443, section 2.4e): to ICMP's own errors, to what is
/// for or from a group or nobody, to fragments but the first; nor to what fits, or may be
/// fragmented, or is damaged.
@_lifetime(answer: copy answer)
public func writeTooBigAnswer(
  to frame: Span<UInt8>, frameLength: Int? = nil, mtu: Int,
  into answer: inout MutableSpan<UInt8>
) -> Int? {
  let packet = InnerPacket(frame, frameLength: frameLength ?? frame.count)
  let room = packet.room(at: mtu)
  guard packet.kind != .other, packet.length > room, !packet.isForGroup,
    frame.loadMACAddress(at: EthernetLayout.source).isStation
  else { return nil }
  let bytes = frame.extracting(droppingFirst: packet.offset)
  let offset = packet.offset
  let length: Int? =
    switch packet.kind {
    case .unfragmentable: writeFragmentationNeeded(to: bytes, packet, room, &answer)
    case .ipv6: writePacketTooBig(to: bytes, packet, room, &answer)
    case .fragmentable, .other: nil
    }
  guard let length else { return nil }
  answer.store(frame.loadMACAddress(at: EthernetLayout.source), at: EthernetLayout.destination)
  answer.store(frame.loadMACAddress(at: EthernetLayout.destination), at: EthernetLayout.source)
  copy(
    frame.extracting(EthernetLayout.etherType..<offset), to: &answer, at: EthernetLayout.etherType)
  return offset &+ length
}

/// Copies bytes one by one: what is copied here is short, or the answer is rare.
@_lifetime(target: copy target)
func copy(_ bytes: Span<UInt8>, to target: inout MutableSpan<UInt8>, at offset: Int) {
  for index in bytes.indices { target[offset &+ index] = bytes[index] }
}

/// Offsets in the two messages, which agree in all but the number's width.
enum ICMPLayout {
  static let type = 0
  static let code = 1
  static let checksum = 2
  static let mtu = 4
  static let length = 8
}

/// Whether an IPv4 packet may be answered with an error.
private func mayBeAnswered(_ bytes: Span<UInt8>, _ packet: InnerPacket) -> Bool {
  let flags = bytes.loadUInt16(at: IPv4Layout.flagsAndOffset)
  guard flags & IPv4Layout.offsetMask == 0,
    bytes.loadIPv4Address(at: IPv4Layout.source).isUnicast,
    bytes.loadIPv4Address(at: IPv4Layout.destination).isUnicast
  else { return false }
  guard bytes[IPv4Layout.protocolNumber] == IPProtocol.icmp else { return true }
  guard bytes.count > packet.headerLength, packet.length > packet.headerLength else { return false }
  // Echo, router discovery, time stamp, information, address mask, and RFC 8335's extended echo;
  // whatever is unknown may be an error.
  switch bytes[packet.headerLength] {
  case 0, 8, 9, 10, 13...18, 42, 43: return true
  default: return false
  }
}

/// Writes IPv4 and ICMP, and the header with 8 bytes of what follows it.
@_lifetime(answer: copy answer)
private func writeFragmentationNeeded(
  to bytes: Span<UInt8>, _ packet: InnerPacket, _ mtu: Int, _ answer: inout MutableSpan<UInt8>
) -> Int? {
  let quotedLength = min(packet.headerLength &+ 8, packet.length)
  let headers = IPv4Layout.minimumLength &+ ICMPLayout.length
  guard mtu > 0, mayBeAnswered(bytes, packet), quotedLength <= bytes.count,
    packet.offset &+ headers &+ quotedLength <= answer.count
  else { return nil }
  var fields = IPv4Fields(
    source: bytes.loadIPv4Address(at: IPv4Layout.destination),
    destination: bytes.loadIPv4Address(at: IPv4Layout.source),
    protocolNumber: IPProtocol.icmp, payloadLength: ICMPLayout.length &+ quotedLength)
  fields.dscpAndECN = bytes[IPv4Layout.dscpAndECN]
  fields.encode(into: &answer, at: packet.offset)
  let start = packet.offset &+ IPv4Layout.minimumLength
  // Type 3, code 4, checksum 0.
  answer.store(UInt32(0x0304_0000), at: start)
  answer.store(UInt32(truncatingIfNeeded: min(mtu, 0xFFFF)), at: start &+ ICMPLayout.mtu)
  copy(bytes.extracting(first: quotedLength), to: &answer, at: start &+ ICMPLayout.length)
  let message = start..<(start &+ ICMPLayout.length &+ quotedLength)
  let sum = InternetChecksum.sum(answer.span.extracting(message))
  answer.store(~InternetChecksum.fold(sum), at: start &+ ICMPLayout.checksum)
  return headers &+ quotedLength
}
