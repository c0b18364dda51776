// SPDX-License-Identifier: Apache-2.0

public import Inet

/// What an outer frame said, and where the inner frame is in it.
public struct VXLANOpened: Hashable, Sendable, BitwiseCopyable {
  /// The underlay address of the sender.
  public let source: IPv4Address
  /// The underlay address that the frame was sent to.
  public let destination: IPv4Address
  /// The UDP port that the frame was sent to; the caller decides whether it is one of ours.
  public let destinationPort: UInt16
  /// The network identifier.
  public let network: VirtualNetwork
  /// Where the inner frame starts: 50, and up to 90 with IPv4 options.
  public let innerOffset: Int
  /// Bytes of the inner frame, at least 14; padding after the UDP datagram is not counted.
  public let innerLength: Int

  @inlinable
  init(
    addresses header: borrowing IPv4Header, port: UInt16, network: VirtualNetwork,
    inner: Range<Int>
  ) {
    source = header.source
    destination = header.destination
    destinationPort = port
    self.network = network
    innerOffset = inner.lowerBound
    innerLength = inner.count
  }
}

/// Why an outer frame was not opened; the first reason in the order of this list.
public enum VXLANRejection: UInt8, CaseIterable, Hashable, Sendable, BitwiseCopyable {
  /// Another EtherType, a VLAN tag, another IP version, or a header length that cannot be.
  case notIPv4
  /// The frame ends before a header or before the IPv4 packet does.
  case truncated
  /// The IPv4 header does not add up.
  case badHeaderChecksum
  /// A part of an IPv4 packet: reassembly is the kernel's.
  case fragment
  /// IPv4 carries something else.
  case notUDP
  /// The UDP length is below 8 or reaches beyond the IPv4 packet.
  case badUDPLength
  /// No VXLAN header with the I flag.
  case noVXLANFlag
  /// What VXLAN carries is shorter than an Ethernet header.
  case innerTooShort
}

/// What came of an outer frame.
public enum VXLANOpening: Hashable, Sendable, BitwiseCopyable {
  /// It is well formed.
  case opened(VXLANOpened)
  /// It is not, and this is the first thing found wrong.
  case rejected(VXLANRejection)
}

/// Checks an outer frame from its Ethernet header to its VXLAN header and finds the inner frame.
///
/// After `opened`, the inner frame is within `frame`, whatever the bytes are. The UDP checksum is
/// not looked at (RFC 7348, section 5, leaves that to the receiver).
@inlinable
@inline(__always)
public func openVXLAN(_ frame: Span<UInt8>) -> VXLANOpening {
  guard let ethernet = EthernetHeader(frame) else { return .rejected(.truncated) }
  guard ethernet.etherType == .ipv4 else { return .rejected(.notIPv4) }
  let packet = frame.extracting(droppingFirst: EthernetLayout.length)
  guard packet.count >= IPv4Layout.minimumLength else { return .rejected(.truncated) }
  // Version 4 and a length of 5 words or more are the numbers 0x45 to 0x4F.
  guard 0x45...0x4F ~= packet[IPv4Layout.versionAndLength] else { return .rejected(.notIPv4) }
  guard let header = IPv4Header(packet) else { return .rejected(.truncated) }
  guard header.isChecksumCorrect else { return .rejected(.badHeaderChecksum) }
  guard !header.isFragment else { return .rejected(.fragment) }
  guard header.protocolNumber == IPProtocol.udp else { return .rejected(.notUDP) }
  let headerLength = header.headerLength
  let datagram = packet.extracting(first: header.totalLength)
    .extracting(droppingFirst: headerLength)
  guard datagram.count >= UDPLayout.headerLength else { return .rejected(.truncated) }
  guard let udp = UDPHeader(datagram) else { return .rejected(.badUDPLength) }
  let payload = datagram.extracting(first: udp.length)
    .extracting(droppingFirst: UDPLayout.headerLength)
  guard let vxlan = VXLANHeader(payload) else { return .rejected(.noVXLANFlag) }
  guard payload.count >= VXLANLayout.length &+ EthernetLayout.length else {
    return .rejected(.innerTooShort)
  }
  let start = EnvelopeLayout.length &- IPv4Layout.minimumLength &+ headerLength
  let end = start &+ payload.count &- VXLANLayout.length
  return .opened(
    VXLANOpened(
      addresses: header, port: udp.destinationPort, network: vxlan.network, inner: start..<end))
}

extension VXLANOpened {
  /// Opens a frame of `frameLength` bytes, at least 64, by its leading words and the eight bytes
  /// from its 42nd on, the first of them lowest.
  ///
  /// The quick way for what nearly every sender sends, IPv4 without options and nothing wrong
  /// (`Wire.openVXLAN.words` in `Benchmarks/`). What it opens is what `openVXLAN` opens; nil says
  /// only that `openVXLAN` has to be asked.
  @inlinable
  @inline(__always)
  public init?(_ words: LeadingWords, vxlan: UInt64, frameLength: Int) {
    guard words.isPlainIPv4, words.isWhole, words.protocolNumber == IPProtocol.udp else {
      return nil
    }
    // The header is right if its words add up to a multiple of 65,535, whatever their byte order;
    // 2⁶⁴ leaves 1 in that division, so a carry counts 1, and a sum with 0x45 in it is not 0.
    let ends = (words.type >> 48) &+ (words.ports & 0xFFFF)
    let sum = InternetChecksum.add(InternetChecksum.add(words.middle, words.addresses), ends)
    guard sum % 0xFFFF == 0 else { return nil }
    let totalLength = Int(UInt16(truncatingIfNeeded: words.middle).byteSwapped)
    let udpLength = Int(UInt16(truncatingIfNeeded: words.ports >> 48).byteSwapped)
    let headers = EnvelopeLayout.length &- EnvelopeLayout.udp
    guard totalLength <= frameLength &- EnvelopeLayout.ipv4,
      udpLength <= totalLength &- IPv4Layout.minimumLength,
      udpLength >= headers &+ EthernetLayout.length,
      vxlan & UInt64(VXLANLayout.networkFlag) != 0
    else { return nil }
    source = IPv4Address(bits: UInt32(truncatingIfNeeded: words.addresses >> 16).byteSwapped)
    destination = IPv4Address(
      bits: UInt32(truncatingIfNeeded: words.addresses >> 48 | words.ports << 16).byteSwapped)
    destinationPort = UInt16(truncatingIfNeeded: words.ports >> 32).byteSwapped
    network = VirtualNetwork(bits: UInt32(truncatingIfNeeded: vxlan >> 32).byteSwapped >> 8)
    innerOffset = EnvelopeLayout.length
    innerLength = udpLength &- headers
  }
}

extension VXLANRejection: CustomStringConvertible {
  /// The reason as a sentence without its full stop.
  public var description: String {
    switch self {
    case .notIPv4: "the outer frame is not an untagged IPv4 packet"
    case .truncated: "the outer frame ends before its headers or its IPv4 packet"
    case .badHeaderChecksum: "the outer IPv4 header has a wrong checksum"
    case .fragment: "the outer packet is a fragment"
    case .notUDP: "the outer packet is not UDP"
    case .badUDPLength: "the outer UDP length is impossible"
    case .noVXLANFlag: "the datagram has no VXLAN header with a network identifier"
    case .innerTooShort: "the inner frame is shorter than an Ethernet header"
    }
  }
}
