// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Wire

extension FuzzTarget {
  /// Every view is tried on the same bytes, so that one corpus serves all.
  static func headers(_ bytes: [UInt8]) throws {
    try ethernet(bytes)
    try arp(bytes)
    try ipv4(bytes)
    try udp(bytes)
    try vxlan(bytes)
  }

  private static func ethernet(_ bytes: [UInt8]) throws {
    guard let header = EthernetHeader(bytes.span) else {
      return try hold(bytes.count < 14, "14 bytes are an Ethernet header")
    }
    try hold(header.destination.bits == plain(bytes, 0, 6), "destination")
    try hold(header.source.bits == plain(bytes, 6, 6), "source")
    try hold(UInt64(header.etherType.rawValue) == plain(bytes, 12, 2), "type")
    let fields = EthernetFields(header)
    try roundTrip(fields.description, bytes, 0..<14) { fields.encode(into: &$0) }
    var copy = bytes
    var span = copy.mutableSpan
    guard var writer = EthernetWriter(&span) else { throw Violation(description: "no writer") }
    (writer.source, writer.destination) = (writer.destination, writer.source)
    writer.etherType = EtherType(rawValue: ~writer.etherType.rawValue)
    let type = ~UInt16(plain(bytes, 12, 2))
    let expected = bytes[6..<12] + bytes[0..<6] + octets(type) + bytes[14...]
    try hold(copy == Array(expected), "an Ethernet writer changes what it says")
  }

  private static func arp(_ bytes: [UInt8]) throws {
    let isPlain = bytes.count >= 28 && Array(bytes[..<6]) == [0, 1, 8, 0, 6, 4]
    guard let header = ARPHeader(bytes.span) else { return try hold(!isPlain, "an ARP packet") }
    try hold(isPlain, "only ARP for Ethernet and IPv4 is taken")
    let packet = ARPPacket(header)
    try roundTrip(packet.description, bytes, 0..<28) { packet.encode(into: &$0) }
    let reply = ARPPacket(replyTo: packet, from: MACAddress(bits: 1))
    try hold(reply.targetAddress == packet.senderAddress, "a reply goes to the sender")
    try hold(reply.senderAddress == packet.targetAddress, "a reply is from who was asked for")
  }

  private static func ipv4(_ bytes: [UInt8]) throws {
    let length = bytes.count >= 20 ? Int(bytes[0] & 15) * 4 : 0
    let total = bytes.count >= 20 ? Int(plain(bytes, 2, 2)) : 0
    let isPlain = length >= 20 && bytes[0] >> 4 == 4 && length <= total && total <= bytes.count
    guard let header = IPv4Header(bytes.span) else { return try hold(!isPlain, "an IPv4 packet") }
    try hold(isPlain, "only a whole IPv4 packet is taken")
    try hold(header.headerLength == length && header.totalLength == total, "lengths")
    let sum = internetChecksum(Array(bytes[..<length]))
    try hold(header.isChecksumCorrect == (sum == 0), "the checksum of a header")
    try hold(header.fragmentOffset == Int(plain(bytes, 6, 2) & 0x1FFF) * 8, "fragment offset")
    try hold(header.isFragment == (plain(bytes, 6, 2) & 0x3FFF != 0), "fragment")
    let fields = IPv4Fields(header)
    try ipv4Value(fields)
    try ipv4Writer(bytes, length)
  }

  private static func ipv4Value(_ fields: IPv4Fields) throws {
    // An encoded header has no options, so more payload fits than one with options can have.
    guard fields.payloadLength <= 65_515 else { return }
    var encoded = [UInt8](repeating: 0xAA, count: 20 + fields.payloadLength)
    var span = encoded.mutableSpan
    fields.encode(into: &span)
    guard let header = IPv4Header(encoded.span) else {
      throw Violation(description: "what is encoded can be read: \(fields)")
    }
    try hold(header.isChecksumCorrect, "an encoded header adds up: \(fields)")
    try hold(IPv4Fields(header) == fields, "encoding keeps every field: \(fields)")
  }

  private static func ipv4Writer(_ bytes: [UInt8], _ length: Int) throws {
    var copy = bytes
    var span = copy.mutableSpan
    guard var writer = IPv4Writer(&span) else { throw Violation(description: "no writer") }
    writer.timeToLive &-= 1
    writer.dscpAndECN = ~writer.dscpAndECN
    (writer.source, writer.destination) = (writer.destination, writer.source)
    writer.updateChecksum()
    guard let header = IPv4Header(copy.span) else {
      throw Violation(description: "a writer leaves the lengths alone")
    }
    try hold(header.isChecksumCorrect, "an updated header adds up")
    try hold(header.timeToLive == bytes[8] &- 1, "time to live")
    try hold(copy[length...] == bytes[length...], "a writer leaves the payload alone")
    try hold(header.source.bits == UInt32(plain(bytes, 16, 4)), "source")
  }

  private static func udp(_ bytes: [UInt8]) throws {
    let length = bytes.count >= 8 ? Int(plain(bytes, 4, 2)) : 0
    let isPlain = length >= 8 && length <= bytes.count
    guard let header = UDPHeader(bytes.span) else { return try hold(!isPlain, "a datagram") }
    try hold(isPlain && header.length == length, "only a whole datagram is taken")
    let fields = UDPFields(header)
    try roundTrip(fields.description, bytes, 0..<8) { fields.encode(into: &$0) }
    var copy = bytes
    var span = copy.mutableSpan
    guard var writer = UDPWriter(&span) else { throw Violation(description: "no writer") }
    (writer.sourcePort, writer.destinationPort) = (writer.destinationPort, writer.sourcePort)
    writer.checksum = 7
    let expected = bytes[2..<4] + bytes[..<2] + bytes[4..<6] + [0, 7] + bytes[8...]
    try hold(copy == Array(expected), "a UDP writer changes what it says")
  }

  private static func vxlan(_ bytes: [UInt8]) throws {
    let isPlain = bytes.count >= 8 && bytes[0] & 8 != 0
    guard let header = VXLANHeader(bytes.span) else { return try hold(!isPlain, "VXLAN") }
    try hold(isPlain, "only a header with the I flag is taken")
    try hold(UInt64(header.network.bits) == plain(bytes, 4, 3), "network")
    let fields = VXLANFields(header)
    let expected: [UInt8] = [8, 0, 0, 0] + bytes[4..<7] + [0]
    try roundTrip(fields.description, expected, 0..<8) { fields.encode(into: &$0) }
  }

  /// What `encode` writes must be the bytes in `range`, and nothing else may change.
  private static func roundTrip(
    _ value: String, _ bytes: [UInt8], _ range: Range<Int>,
    _ encode: (inout MutableSpan<UInt8>) -> Void
  ) throws {
    var encoded = bytes
    for index in range { encoded[index] = ~bytes[index] }
    var span = encoded.mutableSpan
    encode(&span)
    try hold(encoded == bytes, "what was read is written the same: \(value)")
  }
}

/// `count` bytes as a number, the first the most significant.
func plain(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
  bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
}
