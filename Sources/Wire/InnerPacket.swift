// SPDX-License-Identifier: Apache-2.0

internal import Inet

/// Offsets in an IPv6 header (RFC 8200, section 3) and in those that may follow it.
enum IPv6Layout {
  static let payloadLength = 4
  static let nextHeader = 6
  static let hopLimit = 7
  static let source = 8
  static let destination = 24
  static let length = 40
  /// What every link carries in one piece (RFC 8200, section 5).
  static let linkMTUMin = 1280
}

/// What a frame carries, as far as it matters where frames are too long for their way.
///
/// One VLAN tag may be in front of the packet. A packet whose lengths contradict each other or the
/// frame's is `other`: nobody can cut it or answer it, but it may still be carried as it is.
public struct InnerPacket: BitwiseCopyable, Sendable, Equatable {
  /// How a packet may be made to fit.
  public enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// IPv4 that may be cut into fragments on its way.
    case fragmentable
    /// IPv4 with don't-fragment: its sender has to be told.
    case unfragmentable
    /// IPv6, which only its sender cuts.
    case ipv6
    /// Anything else.
    case other
  }

  /// How it may be made to fit.
  public let kind: Kind
  /// Bytes before the packet: Ethernet's header, and a tag if there is one.
  public let offset: Int
  /// Bytes of the IP header, with IPv4's options; 0 of what is not IP.
  public let headerLength: Int
  /// Bytes of the packet, without what Ethernet padded it with.
  public let length: Int
  /// Whether the frame is for a group of stations.
  public let isForGroup: Bool

  /// Where a packet begins in a frame without tag.
  public static var untaggedOffset: Int { EthernetLayout.length }

  /// Looks at a frame of `frameLength` bytes by its first bytes, which are `frame`.
  ///
  /// Not all of a long frame need be there, but the IP header does.
  public init(_ frame: Span<UInt8>, frameLength: Int) {
    guard let ethernet = EthernetHeader(frame) else {
      self.init(.other, offset: 0, headerLength: 0, length: frameLength, isForGroup: false)
      return
    }
    var offset = EthernetLayout.length
    var etherType = ethernet.etherType
    if etherType == .vlan, frame.count >= offset &+ 4 {
      etherType = EtherType(rawValue: frame.loadUInt16(at: offset &+ 2))
      offset &+= 4
    }
    let isForGroup = ethernet.destination.isMulticast
    let packet = frame.extracting(droppingFirst: offset)
    let rest = max(frameLength, frame.count) &- offset
    let found: (kind: Kind, headerLength: Int, length: Int)? =
      switch etherType {
      case .ipv4: InnerPacket.ipv4(packet, rest)
      case .ipv6: InnerPacket.ipv6(packet, rest)
      default: nil
      }
    self.init(
      found?.kind ?? .other, offset: offset, headerLength: found?.headerLength ?? 0,
      length: found?.length ?? rest, isForGroup: isForGroup)
  }

  private init(_ kind: Kind, offset: Int, headerLength: Int, length: Int, isForGroup: Bool) {
    self.kind = kind
    self.offset = offset
    self.headerLength = headerLength
    self.length = length
    self.isForGroup = isForGroup
  }

  /// Bytes of the packet that fit where `mtu` bytes fit behind an Ethernet header without tag.
  func room(at mtu: Int) -> Int { mtu &- (offset &- EthernetLayout.length) }

  private static func ipv4(_ packet: Span<UInt8>, _ rest: Int) -> (Kind, Int, Int)? {
    guard packet.count >= IPv4Layout.minimumLength else { return nil }
    let first = packet[IPv4Layout.versionAndLength]
    let headerLength = Int(first & 0xF) &* 4
    let length = Int(packet.loadUInt16(at: IPv4Layout.totalLength))
    guard first >> 4 == 4, headerLength >= IPv4Layout.minimumLength, headerLength <= packet.count,
      headerLength <= length, length <= rest
    else { return nil }
    // A header with an error in it must not get a right checksum, nor its sender an answer.
    let sum = InternetChecksum.sum(packet.extracting(first: headerLength))
    guard InternetChecksum.fold(sum) == 0xFFFF else { return nil }
    let flags = packet.loadUInt16(at: IPv4Layout.flagsAndOffset)
    let isUnfragmentable = flags & IPv4Layout.dontFragment != 0
    return (isUnfragmentable ? .unfragmentable : .fragmentable, headerLength, length)
  }

  private static func ipv6(_ packet: Span<UInt8>, _ rest: Int) -> (Kind, Int, Int)? {
    guard packet.count >= IPv6Layout.length, packet[0] >> 4 == 6 else { return nil }
    let payloadLength = Int(packet.loadUInt16(at: IPv6Layout.payloadLength))
    // 0 may stand for more than the field can say (RFC 2675).
    guard payloadLength > 0, IPv6Layout.length &+ payloadLength <= rest else { return nil }
    return (.ipv6, IPv6Layout.length, IPv6Layout.length &+ payloadLength)
  }
}
