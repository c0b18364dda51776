// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Changes the header of an IPv4 packet in place.
///
/// The checksum becomes wrong with the first change and is right again after `updateChecksum`.
public struct IPv4Writer: ~Copyable, ~Escapable {
  @usableFromInline var bytes: MutableSpan<UInt8>

  /// Takes a packet that `IPv4Header` takes.
  @inlinable
  @inline(__always)
  @_lifetime(&bytes)
  public init?(_ bytes: inout MutableSpan<UInt8>) {
    guard IPv4Header(bytes.span) != nil else { return nil }
    self.bytes = bytes._mutatingExtracting(...)
  }

  /// The class of service: DSCP in the upper six bits, ECN in the lower two.
  @inlinable public var dscpAndECN: UInt8 {
    @inline(__always) get { bytes[IPv4Layout.dscpAndECN] }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: IPv4Layout.dscpAndECN) }
  }

  /// Hops that the packet may still take.
  @inlinable public var timeToLive: UInt8 {
    @inline(__always) get { bytes[IPv4Layout.timeToLive] }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: IPv4Layout.timeToLive) }
  }

  /// The checksum field.
  @inlinable public var headerChecksum: UInt16 {
    @inline(__always) get { bytes.span.loadUInt16(at: IPv4Layout.headerChecksum) }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: IPv4Layout.headerChecksum) }
  }

  /// The sender.
  @inlinable public var source: IPv4Address {
    @inline(__always) get { bytes.span.loadIPv4Address(at: IPv4Layout.source) }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: IPv4Layout.source) }
  }

  /// The receiver.
  @inlinable public var destination: IPv4Address {
    @inline(__always) get { bytes.span.loadIPv4Address(at: IPv4Layout.destination) }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: IPv4Layout.destination) }
  }

  /// Computes the checksum of the header, options included, anew.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func updateChecksum() {
    headerChecksum = 0
    let headerLength = Int(bytes[IPv4Layout.versionAndLength] & 0xF) &* 4
    let sum = InternetChecksum.sum(bytes.span.extracting(first: headerLength))
    headerChecksum = ~InternetChecksum.fold(sum)
  }
}

/// The header of an IPv4 packet as a value; options and the reserved flag are not part of it.
public struct IPv4Fields: Hashable, Sendable, BitwiseCopyable {
  /// The sender.
  public var source: IPv4Address
  /// The receiver.
  public var destination: IPv4Address
  /// What the payload is; see `IPProtocol`.
  public var protocolNumber: UInt8
  /// Bytes after the header, at most 65,515.
  public var payloadLength: Int

  /// The class of service: DSCP in the upper six bits, ECN in the lower two.
  public var dscpAndECN: UInt8 = 0
  /// What the fragments of one packet have in common.
  public var identification: UInt16 = 0
  /// Whether routers must drop the packet when it is too large for a link.
  public var dontFragment = false
  /// Whether this is a fragment and not the last.
  public var moreFragments = false
  /// Where this fragment's payload belongs in the packet's, in bytes; a multiple of 8 below 65,536.
  public var fragmentOffset = 0
  /// Hops that the packet may still take.
  public var timeToLive: UInt8 = 64

  /// A whole packet with default class and time to live; other fields can be set afterwards.
  @inlinable
  public init(
    source: IPv4Address, destination: IPv4Address, protocolNumber: UInt8, payloadLength: Int
  ) {
    self.source = source
    self.destination = destination
    self.protocolNumber = protocolNumber
    self.payloadLength = payloadLength
  }

  /// Copies the fields out of a packet.
  @inlinable
  public init(_ header: borrowing IPv4Header) {
    self.init(
      source: header.source, destination: header.destination,
      protocolNumber: header.protocolNumber,
      payloadLength: header.totalLength &- header.headerLength)
    dscpAndECN = header.dscpAndECN
    identification = header.identification
    dontFragment = header.dontFragment
    moreFragments = header.moreFragments
    fragmentOffset = header.fragmentOffset
    timeToLive = header.timeToLive
  }

  /// Writes 20 bytes with their checksum at `offset`, which must be there.
  @inlinable
  @_lifetime(bytes: copy bytes)
  public func encode(into bytes: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(
      offset >= 0 && bytes.count &- offset >= IPv4Layout.minimumLength,
      "an IPv4 header needs 20 bytes")
    precondition(
      0...65_515 ~= payloadLength && 0...65_528 ~= fragmentOffset && fragmentOffset & 7 == 0,
      "an IPv4 payload has at most 65,515 bytes and starts at a multiple of 8")
    bytes.store(UInt8(0x45), at: offset &+ IPv4Layout.versionAndLength)
    bytes.store(dscpAndECN, at: offset &+ IPv4Layout.dscpAndECN)
    bytes.store(
      UInt16(truncatingIfNeeded: payloadLength &+ IPv4Layout.minimumLength),
      at: offset &+ IPv4Layout.totalLength)
    bytes.store(identification, at: offset &+ IPv4Layout.identification)
    bytes.store(flagsAndOffset, at: offset &+ IPv4Layout.flagsAndOffset)
    bytes.store(timeToLive, at: offset &+ IPv4Layout.timeToLive)
    bytes.store(protocolNumber, at: offset &+ IPv4Layout.protocolNumber)
    bytes.store(UInt16(0), at: offset &+ IPv4Layout.headerChecksum)
    bytes.store(source, at: offset &+ IPv4Layout.source)
    bytes.store(destination, at: offset &+ IPv4Layout.destination)
    let range = offset..<(offset &+ IPv4Layout.minimumLength)
    let sum = InternetChecksum.sum(bytes.span.extracting(range))
    bytes.store(~InternetChecksum.fold(sum), at: offset &+ IPv4Layout.headerChecksum)
  }

  @inlinable var flagsAndOffset: UInt16 {
    (dontFragment ? IPv4Layout.dontFragment : 0)
      | (moreFragments ? IPv4Layout.moreFragments : 0)
      | UInt16(truncatingIfNeeded: fragmentOffset / 8)
  }
}

extension IPv4Fields: CustomStringConvertible {
  /// Addresses, protocol number and payload, and the place of a fragment.
  public var description: String {
    let whole = "\(source) > \(destination), protocol \(protocolNumber), \(payloadLength) bytes"
    guard moreFragments || fragmentOffset > 0 else { return whole }
    return whole + " at \(fragmentOffset)" + (moreFragments ? " of more" : ", the last")
  }
}
