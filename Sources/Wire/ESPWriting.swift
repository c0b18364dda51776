// SPDX-License-Identifier: Apache-2.0

public import Inet

/// VXLAN in ESP's transport mode (RFC 4303, section 3.1.1): what is around the inner frame.
///
///     Ethernet 14 | IPv4 20 | SPI 4, number 4, IV 8 | UDP 8 | VXLAN 8 | frame | trailer | tag 16
///
/// What is between the IV and the tag is encrypted, and its length is a multiple of 4.
public enum ESPEnvelope {
  /// Bytes before the inner frame.
  public static let length = 66
  /// Bytes before ESP's own header: Ethernet and IPv4.
  public static let outerLength = 34
  /// Bytes of the tag, behind the trailer.
  public static let tagLength = 16
  /// Bytes of the longest inner frame: what one IPv4 packet can hold.
  public static let innerLengthMax = 65_462

  /// Bytes of ESP's trailer behind an inner frame: padding, its length and the next header.
  @inlinable
  @inline(__always)
  public static func trailerLength(innerLength: Int) -> Int { 2 &+ ((2 &- innerLength) & 3) }

  /// Bytes of the whole packet, from its Ethernet header to its tag.
  @inlinable
  @inline(__always)
  public static func packetLength(innerLength: Int) -> Int {
    length &+ innerLength &+ trailerLength(innerLength: innerLength) &+ tagLength
  }

  /// Writes the trailer behind an inner frame: the bytes 1, 2, … as padding, how many they are, and
  /// that the text begins with UDP.
  ///
  /// `trailer` is exactly those bytes.
  @inlinable
  @_lifetime(trailer: copy trailer)
  public static func writeTrailer(into trailer: inout MutableSpan<UInt8>) {
    precondition(2...5 ~= trailer.count, "a trailer has two bytes and up to three of padding")
    let padding = trailer.count &- 2
    for index in 0..<padding { trailer.store(UInt8(truncatingIfNeeded: index &+ 1), at: index) }
    trailer.store(UInt8(truncatingIfNeeded: padding), at: padding)
    trailer.store(IPProtocol.udp, at: padding &+ 1)
  }
}

extension VXLANTemplate {
  /// Writes the 66 bytes before one inner frame that travels in ESP; ESP's own header, the last 16
  /// of the first 50, is left to whoever seals the packet.
  ///
  /// - Parameters:
  ///   - header: Exactly the 66 bytes.
  ///   - innerLength: Bytes of the inner frame, at most `ESPEnvelope.innerLengthMax`.
  ///   - sourcePort: The UDP source port, from `outerSourcePort(_:)`.
  ///   - source: The peer of the mesh where the frame entered it, if that is another than the one
  ///     in the template's network identifier.
  @inlinable
  @_lifetime(header: copy header)
  public func writeESP(
    into header: inout MutableSpan<UInt8>, innerLength: Int, sourcePort: UInt16,
    source: ShortID? = nil
  ) {
    precondition(
      header.count == ESPEnvelope.length && 0...ESPEnvelope.innerLengthMax ~= innerLength,
      "headers are 66 bytes before at most 65,462")
    let udp = ESPEnvelope.length &- EnvelopeLayout.length &+ EnvelopeLayout.udp
    let totalLength = UInt16(
      truncatingIfNeeded: ESPEnvelope.packetLength(innerLength: innerLength)
        &- EnvelopeLayout.ipv4)
    // The template's sum has UDP as the protocol, in the low half of a word.
    let change = UInt32(IPProtocol.esp &- IPProtocol.udp)
    var sum = UInt32(partialSum) &+ UInt32(totalLength) &+ change
    sum = (sum & 0xFFFF) &+ (sum >> 16)
    let checksum = ~(UInt16(truncatingIfNeeded: sum) &+ UInt16(truncatingIfNeeded: sum >> 16))
    header.storeAsIs(word0, at: 0)
    header.storeAsIs(word1, at: 8)
    header.storeAsIs(word2, at: 16)
    header.storeAsIs(word3, at: 24)
    header.storeAsIs(word4, at: 32)
    header.storeAsIs(word4, at: 48)
    header.storeAsIs(word5, at: 56)
    header.storeAsIs(word6, at: 64)
    header.store(totalLength, at: EnvelopeLayout.ipv4 &+ IPv4Layout.totalLength)
    header.store(IPProtocol.esp, at: EnvelopeLayout.ipv4 &+ IPv4Layout.protocolNumber)
    header.store(checksum, at: EnvelopeLayout.ipv4 &+ IPv4Layout.headerChecksum)
    header.store(sourcePort, at: udp &+ UDPLayout.sourcePort)
    header.store(
      UInt16(truncatingIfNeeded: innerLength &+ 16), at: udp &+ UDPLayout.length)
    guard let source else { return }
    let relayed = VirtualNetwork(from: source, to: network.destination)
    header.store(relayed.bits << 8, at: udp &+ UDPLayout.headerLength &+ VXLANLayout.network)
  }
}
