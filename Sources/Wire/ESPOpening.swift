// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Offsets and lengths in an ESP packet (RFC 4303, section 2) that is sealed as RFC 4106 says.
@usableFromInline
enum ESPLayout {
  /// SPI 4, low half of the number 4, IV 8.
  @usableFromInline static let textOffset = 16
  /// Pad length and next header, behind the padding.
  @usableFromInline static let trailerLength = 2
  @usableFromInline static let tagLength = 16
  /// What surrounds the text.
  @usableFromInline static let lengthMin = 32
}

/// An ESP packet in a whole IPv4 packet, and where it is in the frame.
public struct ESPOpened: Hashable, Sendable, BitwiseCopyable {
  /// Who sent it.
  public let source: IPv4Address
  /// The underlay address that it was sent to.
  public let destination: IPv4Address
  /// The SPI: which key it is sealed with.
  public let identifier: UInt32
  /// Where the SPI is: 34, and up to 74 with IPv4 options.
  public let offset: Int
  /// Bytes from there to the end of the IPv4 packet, at least 32; padding behind it is not counted.
  public let length: Int

  /// Opens a frame of `frameLength` bytes, at least 40, by its leading words.
  ///
  /// The quick way for IPv4 without options and nothing wrong; nil says only that `openESP` has to
  /// be asked.
  @inlinable
  @inline(__always)
  public init?(_ words: LeadingWords, frameLength: Int) {
    guard words.isPlainIPv4, words.isWhole, words.protocolNumber == IPProtocol.esp else {
      return nil
    }
    // As in `VXLANOpened`.
    let ends = (words.type >> 48) &+ (words.ports & 0xFFFF)
    let sum = InternetChecksum.add(InternetChecksum.add(words.middle, words.addresses), ends)
    guard sum % 0xFFFF == 0 else { return nil }
    let totalLength = Int(UInt16(truncatingIfNeeded: words.middle).byteSwapped)
    guard totalLength <= frameLength &- EnvelopeLayout.ipv4,
      totalLength >= IPv4Layout.minimumLength &+ ESPLayout.lengthMin
    else { return nil }
    source = IPv4Address(bits: UInt32(truncatingIfNeeded: words.addresses >> 16).byteSwapped)
    destination = IPv4Address(
      bits: UInt32(truncatingIfNeeded: words.addresses >> 48 | words.ports << 16).byteSwapped)
    identifier = UInt32(truncatingIfNeeded: words.ports >> 16).byteSwapped
    offset = EnvelopeLayout.udp
    length = totalLength &- IPv4Layout.minimumLength
  }

  fileprivate init(_ header: borrowing IPv4Header, identifier: UInt32) {
    source = header.source
    destination = header.destination
    self.identifier = identifier
    offset = EthernetLayout.length &+ header.headerLength
    length = header.totalLength &- header.headerLength
  }
}

/// What came of a frame that may be an ESP packet.
public enum ESPOpening: Hashable, Sendable, BitwiseCopyable {
  /// It is one, and well formed.
  case opened(ESPOpened)
  /// It is one, but shorter than what surrounds the text.
  case tooShort
  /// It is something else: no whole IPv4 packet with a right header, or one of another protocol.
  case other
}

/// Checks a frame field by field up to the ESP packet in it.
///
/// After `opened`, the packet is within `frame`, whatever the bytes are. Nothing in it is looked at
/// but the SPI.
public func openESP(_ frame: Span<UInt8>) -> ESPOpening {
  guard let ethernet = EthernetHeader(frame), ethernet.etherType == .ipv4 else { return .other }
  let packet = frame.extracting(droppingFirst: EthernetLayout.length)
  guard let header = IPv4Header(packet), header.isChecksumCorrect, !header.isFragment,
    header.protocolNumber == IPProtocol.esp
  else { return .other }
  let payload = packet.extracting(first: header.totalLength)
    .extracting(droppingFirst: header.headerLength)
  guard payload.count >= ESPLayout.lengthMin else { return .tooShort }
  return .opened(ESPOpened(header, identifier: payload.loadUInt32(at: 0)))
}

extension VXLANOpened {
  /// Takes what was sealed in an ESP packet: a UDP datagram with VXLAN, padding that counts from 1,
  /// its length, and UDP's number (RFC 4303, section 2.4); nil if it is anything else.
  ///
  /// The datagram has to fill the text: what Linux calls TFC padding is not taken.
  ///
  /// - Parameters:
  ///   - packet: The ESP packet from its SPI on, whose text is in the clear; the tag is behind it.
  ///   - source: The underlay address of the sender.
  ///   - destination: The underlay address that it was sent to.
  public init?(packet: Span<UInt8>, source: IPv4Address, destination: IPv4Address) {
    guard packet.count >= ESPLayout.lengthMin &+ ESPLayout.trailerLength else { return nil }
    let text = packet.extracting(first: packet.count &- ESPLayout.tagLength)
      .extracting(droppingFirst: ESPLayout.textOffset)
    let end = text.count &- ESPLayout.trailerLength
    let paddingLength = Int(text[end])
    guard text[end &+ 1] == IPProtocol.udp, paddingLength <= end else { return nil }
    let length = end &- paddingLength
    for place in 0..<paddingLength where Int(text[length &+ place]) != place &+ 1 { return nil }
    let datagram = text.extracting(first: length)
    guard let udp = UDPHeader(datagram), udp.length == length else { return nil }
    let payload = datagram.extracting(droppingFirst: UDPLayout.headerLength)
    guard let vxlan = VXLANHeader(payload),
      payload.count >= VXLANLayout.length &+ EthernetLayout.length
    else { return nil }
    self.source = source
    self.destination = destination
    destinationPort = udp.destinationPort
    network = vxlan.network
    innerOffset = ESPLayout.textOffset &+ UDPLayout.headerLength &+ VXLANLayout.length
    innerLength = payload.count &- VXLANLayout.length
  }
}
