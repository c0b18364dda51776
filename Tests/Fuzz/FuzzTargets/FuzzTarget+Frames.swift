// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Wire

extension FuzzTarget {
  static func checksum(_ bytes: [UInt8]) throws {
    let expected = internetChecksum(bytes)
    let sum = InternetChecksum.sum(bytes.span)
    try hold(~InternetChecksum.fold(sum) == expected, "the sum of RFC 1071's text")
    // The first word says where to cut, and what to write there.
    guard bytes.count >= 4 else { return }
    let cut = Int(plain(bytes, 0, 2)) % (bytes.count / 2) * 2
    let parts =
      InternetChecksum.sum(bytes.span.extracting(..<cut))
      + InternetChecksum.sum(bytes.span.extracting(cut...))
    try hold(InternetChecksum.fold(parts) == InternetChecksum.fold(sum), "a sum in parts")
    var changed = bytes
    let word = [bytes[1] ^ bytes[2], bytes[0] ^ bytes[3]]
    changed.replaceSubrange(cut..<cut + 2, with: word)
    let updated = InternetChecksum.updated(
      expected, replacing: UInt16(plain(bytes, cut, 2)), with: UInt16(plain(word, 0, 2)))
    // 0 and 0xFFFF are the same number in one's complement.
    try hold(updated % 0xFFFF == internetChecksum(changed) % 0xFFFF, "an updated sum")
  }

  static func opening(_ bytes: [UInt8]) throws {
    // The checksum as it is, and made right, or else little behind it would ever be reached.
    try open(bytes)
    try open(withChecksum(bytes))
  }

  private static func open(_ bytes: [UInt8]) throws {
    let opening = openVXLAN(bytes.span)
    try hold(PlainOpening(opening) == PlainOpening(frame: bytes), "\(opening)")
    guard case .opened(let opened) = opening else { return }
    let end = opened.innerOffset + opened.innerLength
    try hold(50...90 ~= opened.innerOffset && opened.innerLength >= 14, "\(opened)")
    try hold(end <= bytes.count, "the inner frame is within the outer: \(opened)")
    try sealAgain(bytes, opened)
  }

  /// The inner frame in an envelope of ours opens to the same.
  private static func sealAgain(_ bytes: [UInt8], _ opened: VXLANOpened) throws {
    let inner = Array(bytes[opened.innerOffset..<opened.innerOffset + opened.innerLength])
    guard inner.count <= VXLANTemplate.innerLengthMax else { return }
    let template = VXLANTemplate(
      sourceMAC: MACAddress(bits: 1), destinationMAC: MACAddress(bits: 2),
      source: opened.source, destination: opened.destination,
      destinationPort: opened.destinationPort, network: opened.network)
    var header = [UInt8](repeating: 0xAA, count: VXLANTemplate.length)
    var span = header.mutableSpan
    template.write(
      into: &span, innerLength: inner.count, sourcePort: outerSourcePort(flowHash(inner.span)))
    let again = PlainOpening(frame: header + inner)
    try hold(again == PlainOpening(opened, offset: 50), "an envelope of ours: \(again)")
    try hold(PlainOpening(openVXLAN((header + inner).span)) == again, "is opened by us")
  }

  static func flow(_ bytes: [UInt8]) throws {
    let hash = flowHash(bytes.span)
    try hold(outerSourcePort(hash) >= 49_152, "a dynamic port")
    try hold(bytes.count >= 14 || hash == 0, "no flow without a header")
    let irrelevant = irrelevantBytes(bytes)
    try hold(irrelevant.allSatisfy { $0 < bytes.count }, "within the frame")
    var changed = bytes
    for index in irrelevant { changed[index] = ~bytes[index] }
    try hold(flowHash(changed.span) == hash, "only what names the flow is hashed")
    for index in irrelevant { changed[index] = 0 }
    try hold(flowHash(changed.span) == hash, "only what names the flow is hashed")
  }

  /// Bytes that differ between frames of one flow.
  private static func irrelevantBytes(_ bytes: [UInt8]) -> [Int] {
    guard bytes.count >= 14 else { return Array(bytes.indices) }
    let type = plain(bytes, 12, 2)
    let packet = Array(bytes[14...])
    if type == 0x0800, packet.count >= 20 {
      let length = Int(packet[0] & 15) * 4
      let total = Int(plain(packet, 2, 2))
      guard packet[0] >> 4 == 4, length >= 20, length <= total, total <= packet.count else {
        return Array(bytes.indices.dropFirst(14)).filter { !(14..<18 ~= $0) }
      }
      let isFragment = plain(packet, 6, 2) & 0x3FFF != 0
      let hasPorts = [6, 17].contains(packet[9]) && !isFragment && total - length >= 4
      let header = [1, 4, 5, 8, 10, 11] + Array(20..<max(20, length))
      return (header + Array(packet.indices.dropFirst(length + (hasPorts ? 4 : 0)))).map { $0 + 14 }
    }
    if type == 0x86DD, packet.count >= 40, packet[0] >> 4 == 6 {
      let hasPorts = [6, 17].contains(packet[6]) && packet.count >= 44
      let header = [1, 2, 3, 4, 5, 7]
      return (header + Array(packet.indices.dropFirst(hasPorts ? 44 : 40))).map { $0 + 14 }
    }
    // The version decides whether it is a packet at all.
    return Array(bytes.indices.dropFirst(15))
  }
}

/// The frame with a right IPv4 checksum, if it has room for a header.
func withChecksum(_ frame: [UInt8]) -> [UInt8] {
  let length = frame.count > 14 ? Int(frame[14] & 15) * 4 : 0
  guard length >= 20, frame.count >= 14 + length else { return frame }
  var frame = frame
  frame.replaceSubrange(24..<26, with: [0, 0])
  let checksum = internetChecksum(Array(frame[14..<14 + length]))
  frame.replaceSubrange(24..<26, with: octets(checksum))
  return frame
}
