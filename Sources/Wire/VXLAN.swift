// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Offsets and bits in a VXLAN header (RFC 7348, section 5).
@usableFromInline
enum VXLANLayout {
  @usableFromInline static let flags = 0
  /// The identifier's 24 bits, then 8 reserved ones.
  @usableFromInline static let network = 4
  @usableFromInline static let length = 8
  /// The I flag: the network identifier is valid.
  @usableFromInline static let networkFlag: UInt8 = 0x08
}

/// Looks at a VXLAN header.
public struct VXLANHeader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Bytes of the header.
  public static let length = 8

  /// Takes at least 8 bytes with the I flag set; reserved bits are ignored, as RFC 7348 demands.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= VXLANLayout.length,
      bytes[VXLANLayout.flags] & VXLANLayout.networkFlag != 0
    else { return nil }
    self.bytes = bytes
  }

  /// The network that the inner frame belongs to.
  @inlinable public var network: VirtualNetwork {
    @inline(__always) get { VirtualNetwork(bits: bytes.loadUInt32(at: VXLANLayout.network) >> 8) }
  }
}

/// Changes a VXLAN header in place.
public struct VXLANWriter: ~Copyable, ~Escapable {
  @usableFromInline var bytes: MutableSpan<UInt8>

  /// Takes a header that `VXLANHeader` takes.
  @inlinable
  @inline(__always)
  @_lifetime(&bytes)
  public init?(_ bytes: inout MutableSpan<UInt8>) {
    guard VXLANHeader(bytes.span) != nil else { return nil }
    self.bytes = bytes._mutatingExtracting(...)
  }

  /// The network that the inner frame belongs to; setting it clears the reserved byte after it.
  @inlinable public var network: VirtualNetwork {
    @inline(__always) get {
      VirtualNetwork(bits: bytes.span.loadUInt32(at: VXLANLayout.network) >> 8)
    }
    @inline(__always) @_lifetime(self: copy self)
    set { bytes.store(newValue.bits << 8, at: VXLANLayout.network) }
  }
}

/// A VXLAN header as a value.
public struct VXLANFields: Hashable, Sendable, BitwiseCopyable {
  /// The network that the inner frame belongs to.
  public var network: VirtualNetwork

  /// Names every field.
  @inlinable
  public init(network: VirtualNetwork) {
    self.network = network
  }

  /// Copies the fields out of a header.
  @inlinable
  public init(_ header: borrowing VXLANHeader) {
    self.init(network: header.network)
  }

  /// Writes 8 bytes at `offset`, which must be there; reserved bits are 0.
  @inlinable
  @_lifetime(bytes: copy bytes)
  public func encode(into bytes: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(
      offset >= 0 && bytes.count &- offset >= VXLANLayout.length, "a VXLAN header needs 8 bytes")
    bytes.store(UInt32(VXLANLayout.networkFlag) << 24, at: offset &+ VXLANLayout.flags)
    bytes.store(network.bits << 8, at: offset &+ VXLANLayout.network)
  }
}

extension VXLANFields: CustomStringConvertible {
  /// The network.
  public var description: String { "VXLAN network \(network)" }
}
