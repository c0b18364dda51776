// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Offsets in an ARP packet for Ethernet and IPv4 (RFC 826).
@usableFromInline
enum ARPLayout {
  @usableFromInline static let hardwareType = 0
  @usableFromInline static let protocolType = 2
  @usableFromInline static let addressLengths = 4
  @usableFromInline static let operation = 6
  @usableFromInline static let senderMAC = 8
  @usableFromInline static let senderAddress = 14
  @usableFromInline static let targetMAC = 18
  @usableFromInline static let targetAddress = 24
  @usableFromInline static let length = 28

  /// Hardware type 1, Ethernet, and protocol type 0x0800, IPv4.
  @usableFromInline static let types: UInt32 = 0x0001_0800
  /// A hardware address of 6 bytes and a protocol address of 4.
  @usableFromInline static let lengths: UInt16 = 0x0604
}

/// What an ARP packet wants.
public struct ARPOperation: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  /// The number on the wire.
  public let rawValue: UInt16

  /// Takes any number.
  @inlinable
  @inline(__always)
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// Asks who has the target address.
  @inlinable public static var request: ARPOperation { ARPOperation(rawValue: 1) }
  /// Says that the sender has its address.
  @inlinable public static var reply: ARPOperation { ARPOperation(rawValue: 2) }
}

/// Looks at an ARP packet, which follows an Ethernet header of type `arp`.
public struct ARPHeader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Bytes of the packet.
  public static let length = 28

  /// Takes at least 28 bytes that are about Ethernet and IPv4 addresses; any operation will do.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= ARPLayout.length,
      bytes.loadUInt32(at: ARPLayout.hardwareType) == ARPLayout.types,
      bytes.loadUInt16(at: ARPLayout.addressLengths) == ARPLayout.lengths
    else { return nil }
    self.bytes = bytes
  }

  /// What the packet wants.
  @inlinable public var operation: ARPOperation {
    @inline(__always) get { ARPOperation(rawValue: bytes.loadUInt16(at: ARPLayout.operation)) }
  }

  /// The sender's MAC address.
  @inlinable public var senderMAC: MACAddress {
    @inline(__always) get { bytes.loadMACAddress(at: ARPLayout.senderMAC) }
  }

  /// The sender's IPv4 address; 0.0.0.0 in a probe (RFC 5227).
  @inlinable public var senderAddress: IPv4Address {
    @inline(__always) get { bytes.loadIPv4Address(at: ARPLayout.senderAddress) }
  }

  /// The target's MAC address; without meaning in a request.
  @inlinable public var targetMAC: MACAddress {
    @inline(__always) get { bytes.loadMACAddress(at: ARPLayout.targetMAC) }
  }

  /// The target's IPv4 address.
  @inlinable public var targetAddress: IPv4Address {
    @inline(__always) get { bytes.loadIPv4Address(at: ARPLayout.targetAddress) }
  }
}

/// An ARP packet as a value.
public struct ARPPacket: Hashable, Sendable, BitwiseCopyable {
  /// What the packet wants.
  public var operation: ARPOperation
  /// The sender's MAC address.
  public var senderMAC: MACAddress
  /// The sender's IPv4 address.
  public var senderAddress: IPv4Address
  /// The target's MAC address.
  public var targetMAC: MACAddress
  /// The target's IPv4 address.
  public var targetAddress: IPv4Address

  /// Bytes of an Ethernet frame with an ARP packet, without padding to Ethernet's minimum.
  public static let frameLength = 42

  /// A request; `targetMAC`, which nobody reads in one, is zero.
  @inlinable
  public init(request targetAddress: IPv4Address, from mac: MACAddress, address: IPv4Address) {
    operation = .request
    senderMAC = mac
    senderAddress = address
    targetMAC = .zero
    self.targetAddress = targetAddress
  }

  /// A reply to `request` that says: `address`, which was asked for, is at `mac`.
  @inlinable
  public init(replyTo request: ARPPacket, from mac: MACAddress) {
    operation = .reply
    senderMAC = mac
    senderAddress = request.targetAddress
    targetMAC = request.senderMAC
    targetAddress = request.senderAddress
  }

  /// Copies the fields out of a packet.
  @inlinable
  public init(_ header: borrowing ARPHeader) {
    operation = header.operation
    senderMAC = header.senderMAC
    senderAddress = header.senderAddress
    targetMAC = header.targetMAC
    targetAddress = header.targetAddress
  }

  /// Writes 28 bytes at `offset`, which must be there.
  @inlinable
  @_lifetime(bytes: copy bytes)
  public func encode(into bytes: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(
      offset >= 0 && bytes.count &- offset >= ARPLayout.length, "an ARP packet needs 28 bytes")
    bytes.store(ARPLayout.types, at: offset &+ ARPLayout.hardwareType)
    bytes.store(ARPLayout.lengths, at: offset &+ ARPLayout.addressLengths)
    bytes.store(operation.rawValue, at: offset &+ ARPLayout.operation)
    bytes.store(senderMAC, at: offset &+ ARPLayout.senderMAC)
    bytes.store(senderAddress, at: offset &+ ARPLayout.senderAddress)
    bytes.store(targetMAC, at: offset &+ ARPLayout.targetMAC)
    bytes.store(targetAddress, at: offset &+ ARPLayout.targetAddress)
  }

  /// Writes a whole frame of 42 bytes that tells everybody where `address` is now.
  ///
  /// It is the announcement of RFC 5227 section 3, which RFC 5944 section 4.6 calls gratuitous: a
  /// broadcast request with the address as both sender and target. `frame` must have 42 bytes or
  /// more; the rest is left alone.
  @inlinable
  @_lifetime(frame: copy frame)
  public static func gratuitous(
    sender: MACAddress, address: IPv4Address, into frame: inout MutableSpan<UInt8>
  ) {
    precondition(frame.count >= frameLength, "a frame with an ARP packet needs 42 bytes")
    EthernetFields(destination: .broadcast, source: sender, etherType: .arp).encode(into: &frame)
    ARPPacket(request: address, from: sender, address: address)
      .encode(into: &frame, at: EthernetLayout.length)
  }
}

extension ARPOperation: CustomStringConvertible {
  /// The operation's name, or its number.
  public var description: String {
    switch self {
    case .request: "request"
    case .reply: "reply"
    default: "operation \(rawValue)"
    }
  }
}

extension ARPPacket: CustomStringConvertible {
  /// The operation with both parties.
  public var description: String {
    "ARP \(operation): \(senderAddress) at \(senderMAC), for \(targetAddress) at \(targetMAC)"
  }
}
