// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Offsets in an Ethernet header (IEEE 802.3, clause 3).
@usableFromInline
enum EthernetLayout {
  @usableFromInline static let destination = 0
  @usableFromInline static let source = 6
  @usableFromInline static let etherType = 12
  @usableFromInline static let length = 14
}

/// What an Ethernet frame carries; values below 0x0600 are lengths of IEEE 802.3 frames.
public struct EtherType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  /// The number on the wire.
  public let rawValue: UInt16

  /// Takes any number.
  @inlinable
  @inline(__always)
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// IPv4 (RFC 894).
  @inlinable public static var ipv4: EtherType { EtherType(rawValue: 0x0800) }
  /// ARP (RFC 826).
  @inlinable public static var arp: EtherType { EtherType(rawValue: 0x0806) }
  /// A VLAN tag (IEEE 802.1Q).
  @inlinable public static var vlan: EtherType { EtherType(rawValue: 0x8100) }
  /// IPv6 (RFC 2464).
  @inlinable public static var ipv6: EtherType { EtherType(rawValue: 0x86DD) }
}

/// Looks at the header of an Ethernet frame.
public struct EthernetHeader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Bytes of the header, without any tag.
  public static let length = 14

  /// Takes a frame of at least 14 bytes.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= EthernetLayout.length else { return nil }
    self.bytes = bytes
  }

  /// The station or group that the frame is for.
  @inlinable public var destination: MACAddress {
    @inline(__always) get { bytes.loadMACAddress(at: EthernetLayout.destination) }
  }

  /// The station that sent the frame.
  @inlinable public var source: MACAddress {
    @inline(__always) get { bytes.loadMACAddress(at: EthernetLayout.source) }
  }

  /// What follows the header.
  @inlinable public var etherType: EtherType {
    @inline(__always) get { EtherType(rawValue: bytes.loadUInt16(at: EthernetLayout.etherType)) }
  }
}

/// Changes the header of an Ethernet frame in place.
public struct EthernetWriter: ~Copyable, ~Escapable {
  @usableFromInline var bytes: MutableSpan<UInt8>

  /// Takes a frame of at least 14 bytes.
  @inlinable
  @inline(__always)
  @_lifetime(&bytes)
  public init?(_ bytes: inout MutableSpan<UInt8>) {
    guard bytes.count >= EthernetLayout.length else { return nil }
    self.bytes = bytes._mutatingExtracting(...)
  }

  /// The station or group that the frame is for.
  @inlinable public var destination: MACAddress {
    @inline(__always) get { bytes.span.loadMACAddress(at: EthernetLayout.destination) }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: EthernetLayout.destination) }
  }

  /// The station that sent the frame.
  @inlinable public var source: MACAddress {
    @inline(__always) get { bytes.span.loadMACAddress(at: EthernetLayout.source) }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: EthernetLayout.source) }
  }

  /// What follows the header.
  @inlinable public var etherType: EtherType {
    @inline(__always) get {
      EtherType(rawValue: bytes.span.loadUInt16(at: EthernetLayout.etherType))
    }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue.rawValue, at: EthernetLayout.etherType) }
  }
}

/// The header of an Ethernet frame as a value.
public struct EthernetFields: Hashable, Sendable, BitwiseCopyable {
  /// The station or group that the frame is for.
  public var destination: MACAddress
  /// The station that sent the frame.
  public var source: MACAddress
  /// What follows the header.
  public var etherType: EtherType

  /// Names every field.
  @inlinable
  public init(destination: MACAddress, source: MACAddress, etherType: EtherType) {
    self.destination = destination
    self.source = source
    self.etherType = etherType
  }

  /// Copies the fields out of a frame.
  @inlinable
  public init(_ header: borrowing EthernetHeader) {
    self.init(
      destination: header.destination, source: header.source, etherType: header.etherType)
  }

  /// Writes 14 bytes at `offset`, which must be there.
  @inlinable
  @_lifetime(bytes: copy bytes)
  public func encode(into bytes: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(
      offset >= 0 && bytes.count &- offset >= EthernetLayout.length,
      "an Ethernet header needs 14 bytes")
    bytes.store(destination, at: offset &+ EthernetLayout.destination)
    bytes.store(source, at: offset &+ EthernetLayout.source)
    bytes.store(etherType.rawValue, at: offset &+ EthernetLayout.etherType)
  }
}

extension EtherType: CustomStringConvertible {
  /// The protocol's name, or the number in hexadecimal.
  public var description: String {
    switch self {
    case .ipv4: "IPv4"
    case .arp: "ARP"
    case .vlan: "VLAN"
    case .ipv6: "IPv6"
    default: "0x" + String(rawValue, radix: 16)
    }
  }
}

extension EthernetFields: CustomStringConvertible {
  /// Source, destination and type.
  public var description: String { "\(source) > \(destination), \(etherType)" }
}
