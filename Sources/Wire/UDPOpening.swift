// SPDX-License-Identifier: Apache-2.0

public import Inet

/// A whole UDP datagram in a whole IPv4 packet, and where its payload is in the frame.
public struct UDPOpened: Hashable, Sendable, BitwiseCopyable {
  /// Who sent it.
  public let source: SocketAddress
  /// The UDP port that it was sent to; the caller decides whether it is one of ours.
  public let destinationPort: UInt16
  /// Where the payload starts: 42, and up to 82 with IPv4 options.
  public let payloadOffset: Int
  /// Bytes of the payload, from 0 on; padding after the datagram is not counted.
  public let payloadLength: Int

  /// Opens a frame of `frameLength` bytes, at least 40, by its leading words.
  ///
  /// The quick way for IPv4 without options and nothing wrong; nil says only that the other
  /// initializer has to be asked. The UDP checksum is not looked at.
  @inlinable
  @inline(__always)
  public init?(_ words: LeadingWords, frameLength: Int) {
    guard words.isPlainIPv4, words.isWhole, words.protocolNumber == IPProtocol.udp else {
      return nil
    }
    // As in `VXLANOpened`.
    let ends = (words.type >> 48) &+ (words.ports & 0xFFFF)
    let sum = InternetChecksum.add(InternetChecksum.add(words.middle, words.addresses), ends)
    guard sum % 0xFFFF == 0 else { return nil }
    let totalLength = Int(UInt16(truncatingIfNeeded: words.middle).byteSwapped)
    let udpLength = Int(UInt16(truncatingIfNeeded: words.ports >> 48).byteSwapped)
    guard totalLength <= frameLength &- EnvelopeLayout.ipv4,
      udpLength <= totalLength &- IPv4Layout.minimumLength, udpLength >= UDPLayout.headerLength
    else { return nil }
    source = SocketAddress(
      IPv4Address(bits: UInt32(truncatingIfNeeded: words.addresses >> 16).byteSwapped),
      port: UInt16(truncatingIfNeeded: words.ports >> 16).byteSwapped)
    destinationPort = UInt16(truncatingIfNeeded: words.ports >> 32).byteSwapped
    payloadOffset = EnvelopeLayout.vxlan
    payloadLength = udpLength &- UDPLayout.headerLength
  }

  /// Opens a frame field by field; nil if it is anything else than a whole UDP datagram.
  public init?(_ frame: Span<UInt8>) {
    guard let ethernet = EthernetHeader(frame), ethernet.etherType == .ipv4 else { return nil }
    let packet = frame.extracting(droppingFirst: EthernetLayout.length)
    guard let header = IPv4Header(packet), header.isChecksumCorrect, !header.isFragment,
      header.protocolNumber == IPProtocol.udp
    else { return nil }
    let datagram = packet.extracting(first: header.totalLength)
      .extracting(droppingFirst: header.headerLength)
    guard let udp = UDPHeader(datagram) else { return nil }
    source = SocketAddress(header.source, port: udp.sourcePort)
    destinationPort = udp.destinationPort
    payloadOffset = EthernetLayout.length &+ header.headerLength &+ UDPLayout.headerLength
    payloadLength = udp.length &- UDPLayout.headerLength
  }
}

extension SleeveRecordFields {
  /// Reads the 14 bytes that a record begins with; nil if there are fewer.
  ///
  /// Whether the frame is as long as they say is the caller's to compare.
  @inlinable
  @inline(__always)
  public init?(beginning bytes: Span<UInt8>) {
    guard bytes.count >= SleeveLayout.recordLength else { return nil }
    self.init(
      source: PeerName(bits: bytes.loadUInt48(at: SleeveLayout.source)),
      destination: PeerName(bits: bytes.loadUInt48(at: SleeveLayout.destination)),
      frameLength: bytes.loadUInt16(at: SleeveLayout.frameLength))
  }
}
