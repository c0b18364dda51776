// SPDX-License-Identifier: Apache-2.0

/// Offsets in a UDP header (RFC 768).
@usableFromInline
enum UDPLayout {
  @usableFromInline static let sourcePort = 0
  @usableFromInline static let destinationPort = 2
  @usableFromInline static let length = 4
  @usableFromInline static let checksum = 6
  @usableFromInline static let headerLength = 8
}

/// Looks at the header of a UDP datagram.
public struct UDPHeader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Bytes of the header.
  public static let headerLength = 8

  /// Takes a datagram whose length field is at least 8 and not above what is there.
  ///
  /// Bytes after the datagram are allowed: they are the padding of a short Ethernet frame.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= UDPLayout.headerLength else { return nil }
    let length = Int(bytes.loadUInt16(at: UDPLayout.length))
    guard length >= UDPLayout.headerLength, length <= bytes.count else { return nil }
    self.bytes = bytes
  }

  /// The sender's port.
  @inlinable public var sourcePort: UInt16 {
    @inline(__always) get { bytes.loadUInt16(at: UDPLayout.sourcePort) }
  }

  /// The receiver's port.
  @inlinable public var destinationPort: UInt16 {
    @inline(__always) get { bytes.loadUInt16(at: UDPLayout.destinationPort) }
  }

  /// Bytes of header and payload.
  @inlinable public var length: Int {
    @inline(__always) get { Int(bytes.loadUInt16(at: UDPLayout.length)) }
  }

  /// The checksum field; 0 says that the sender made none.
  @inlinable public var checksum: UInt16 {
    @inline(__always) get { bytes.loadUInt16(at: UDPLayout.checksum) }
  }
}

/// Changes the header of a UDP datagram in place.
public struct UDPWriter: ~Copyable, ~Escapable {
  @usableFromInline var bytes: MutableSpan<UInt8>

  /// Takes a datagram that `UDPHeader` takes.
  @inlinable
  @inline(__always)
  @_lifetime(&bytes)
  public init?(_ bytes: inout MutableSpan<UInt8>) {
    guard UDPHeader(bytes.span) != nil else { return nil }
    self.bytes = bytes._mutatingExtracting(...)
  }

  /// The sender's port.
  @inlinable public var sourcePort: UInt16 {
    @inline(__always) get { bytes.span.loadUInt16(at: UDPLayout.sourcePort) }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: UDPLayout.sourcePort) }
  }

  /// The receiver's port.
  @inlinable public var destinationPort: UInt16 {
    @inline(__always) get { bytes.span.loadUInt16(at: UDPLayout.destinationPort) }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: UDPLayout.destinationPort) }
  }

  /// The checksum field; 0 says that there is none.
  @inlinable public var checksum: UInt16 {
    @inline(__always) get { bytes.span.loadUInt16(at: UDPLayout.checksum) }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue, at: UDPLayout.checksum) }
  }
}

/// The header of a UDP datagram as a value.
public struct UDPFields: Hashable, Sendable, BitwiseCopyable {
  /// The sender's port.
  public var sourcePort: UInt16
  /// The receiver's port.
  public var destinationPort: UInt16
  /// Bytes of header and payload, at least 8.
  public var length: UInt16
  /// The checksum field; 0 says that there is none.
  public var checksum: UInt16

  /// Names every field.
  @inlinable
  public init(sourcePort: UInt16, destinationPort: UInt16, length: UInt16, checksum: UInt16 = 0) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.length = length
    self.checksum = checksum
  }

  /// Copies the fields out of a datagram.
  @inlinable
  public init(_ header: borrowing UDPHeader) {
    self.init(
      sourcePort: header.sourcePort, destinationPort: header.destinationPort,
      length: UInt16(truncatingIfNeeded: header.length), checksum: header.checksum)
  }

  /// Writes 8 bytes at `offset`, which must be there.
  @inlinable
  @_lifetime(bytes: copy bytes)
  public func encode(into bytes: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(
      offset >= 0 && bytes.count &- offset >= UDPLayout.headerLength,
      "a UDP header needs 8 bytes")
    bytes.store(sourcePort, at: offset &+ UDPLayout.sourcePort)
    bytes.store(destinationPort, at: offset &+ UDPLayout.destinationPort)
    bytes.store(length, at: offset &+ UDPLayout.length)
    bytes.store(checksum, at: offset &+ UDPLayout.checksum)
  }
}

extension UDPFields: CustomStringConvertible {
  /// Ports and length.
  public var description: String { "UDP \(sourcePort) > \(destinationPort), \(length) bytes" }
}
