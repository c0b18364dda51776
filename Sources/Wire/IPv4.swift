// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Offsets and bits in an IPv4 header (RFC 791, section 3.1).
@usableFromInline
enum IPv4Layout {
  @usableFromInline static let versionAndLength = 0
  @usableFromInline static let dscpAndECN = 1
  @usableFromInline static let totalLength = 2
  @usableFromInline static let identification = 4
  @usableFromInline static let flagsAndOffset = 6
  @usableFromInline static let timeToLive = 8
  @usableFromInline static let protocolNumber = 9
  @usableFromInline static let headerChecksum = 10
  @usableFromInline static let source = 12
  @usableFromInline static let destination = 16
  @usableFromInline static let minimumLength = 20

  @usableFromInline static let dontFragment: UInt16 = 0x4000
  @usableFromInline static let moreFragments: UInt16 = 0x2000
  /// In units of eight bytes.
  @usableFromInline static let offsetMask: UInt16 = 0x1FFF
}

/// Numbers of the protocols above IP that this code tells apart (RFC 5237).
public enum IPProtocol {
  /// ICMP (RFC 792).
  public static let icmp: UInt8 = 1
  /// TCP (RFC 9293).
  public static let tcp: UInt8 = 6
  /// UDP (RFC 768).
  public static let udp: UInt8 = 17
  /// ESP (RFC 4303).
  public static let esp: UInt8 = 50
}

/// Looks at the header of an IPv4 packet.
public struct IPv4Header: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Bytes of a header without options.
  public static let minimumLength = 20

  /// Takes a packet of version 4 whose header and total length are consistent and all there.
  ///
  /// The checksum is not looked at; ask `isChecksumCorrect`. Bytes after the packet are allowed:
  /// they are the padding of a short Ethernet frame.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= IPv4Layout.minimumLength else { return nil }
    let first = bytes[IPv4Layout.versionAndLength]
    let headerLength = Int(first & 0xF) &* 4
    let totalLength = Int(bytes.loadUInt16(at: IPv4Layout.totalLength))
    guard first >> 4 == 4, headerLength >= IPv4Layout.minimumLength,
      headerLength <= totalLength, totalLength <= bytes.count
    else { return nil }
    self.bytes = bytes
  }

  /// Bytes of the header with its options, 20 to 60.
  @inlinable public var headerLength: Int {
    @inline(__always) get { Int(bytes[IPv4Layout.versionAndLength] & 0xF) &* 4 }
  }

  /// The class of service: DSCP in the upper six bits (RFC 2474), ECN in the lower (RFC 3168).
  @inlinable public var dscpAndECN: UInt8 {
    @inline(__always) get { bytes[IPv4Layout.dscpAndECN] }
  }

  /// Bytes of header and payload.
  @inlinable public var totalLength: Int {
    @inline(__always) get { Int(bytes.loadUInt16(at: IPv4Layout.totalLength)) }
  }

  /// What the fragments of one packet have in common.
  @inlinable public var identification: UInt16 {
    @inline(__always) get { bytes.loadUInt16(at: IPv4Layout.identification) }
  }

  @inlinable var flagsAndOffset: UInt16 {
    @inline(__always) get { bytes.loadUInt16(at: IPv4Layout.flagsAndOffset) }
  }

  /// Whether routers must drop the packet when it is too large for a link.
  @inlinable public var dontFragment: Bool {
    @inline(__always) get { flagsAndOffset & IPv4Layout.dontFragment != 0 }
  }

  /// Whether this is a fragment and not the last.
  @inlinable public var moreFragments: Bool {
    @inline(__always) get { flagsAndOffset & IPv4Layout.moreFragments != 0 }
  }

  /// Where this fragment's payload belongs in the packet's, in bytes; a multiple of 8.
  @inlinable public var fragmentOffset: Int {
    @inline(__always) get { Int(flagsAndOffset & IPv4Layout.offsetMask) &* 8 }
  }

  /// Whether this is a part of a packet: the first, the last or one between.
  @inlinable public var isFragment: Bool {
    @inline(__always) get {
      flagsAndOffset & (IPv4Layout.moreFragments | IPv4Layout.offsetMask) != 0
    }
  }

  /// Hops that the packet may still take.
  @inlinable public var timeToLive: UInt8 {
    @inline(__always) get { bytes[IPv4Layout.timeToLive] }
  }

  /// What the payload is; see `IPProtocol`.
  @inlinable public var protocolNumber: UInt8 {
    @inline(__always) get { bytes[IPv4Layout.protocolNumber] }
  }

  /// The checksum field.
  @inlinable public var headerChecksum: UInt16 {
    @inline(__always) get { bytes.loadUInt16(at: IPv4Layout.headerChecksum) }
  }

  /// The sender.
  @inlinable public var source: IPv4Address {
    @inline(__always) get { bytes.loadIPv4Address(at: IPv4Layout.source) }
  }

  /// The receiver.
  @inlinable public var destination: IPv4Address {
    @inline(__always) get { bytes.loadIPv4Address(at: IPv4Layout.destination) }
  }

  /// Whether the header, options included, adds up.
  @inlinable public var isChecksumCorrect: Bool {
    @inline(__always) get { InternetChecksum.fold(sum) == 0xFFFF }
  }

  /// The unfolded sum of the header; the part without options is five loads and no loop.
  @inlinable var sum: UInt64 {
    @inline(__always) get {
      let fixed =
        UInt64(bytes.loadUInt32(at: 0)) &+ UInt64(bytes.loadUInt32(at: 4))
        &+ UInt64(bytes.loadUInt32(at: 8)) &+ UInt64(bytes.loadUInt32(at: 12))
        &+ UInt64(bytes.loadUInt32(at: 16))
      guard headerLength > IPv4Layout.minimumLength else { return fixed }
      let options = bytes.extracting(first: headerLength)
        .extracting(droppingFirst: IPv4Layout.minimumLength)
      return fixed &+ InternetChecksum.sum(options)
    }
  }
}
