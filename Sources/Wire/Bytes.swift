// SPDX-License-Identifier: Apache-2.0

public import Inet

// Loads are written with checked subscripts and shifts. In optimised code for x86-64, once a
// length has been compared, every check with a constant offset is gone, and a load of 16, 32 or 64
// bits is one move and one byte swap (48 bits are one of 32 and one of 16). Where the same function
// also reads a part of those bytes by itself, or overlaps two loads, the bytes are loaded one by
// one and put together: still without checks, but prefer disjoint loads in code that runs per
// frame.
//
// Stores cannot be written the same way. The compiler joins single-byte stores into a wide one only
// when nothing else is stored near them; two fields in a row were eight single-byte stores. They go
// through `MutableRawSpan` instead, which checks its bounds, counts as safe, and becomes one byte
// swap and one move per store, again without a check after the length was compared.

extension Span where Element == UInt8 {
  /// The big-endian 16-bit number that starts at `offset`.
  @inlinable
  @inline(__always)
  public func loadUInt16(at offset: Int) -> UInt16 {
    UInt16(self[offset]) << 8 | UInt16(self[offset &+ 1])
  }

  /// The big-endian 32-bit number that starts at `offset`.
  @inlinable
  @inline(__always)
  public func loadUInt32(at offset: Int) -> UInt32 {
    UInt32(self[offset]) << 24 | UInt32(self[offset &+ 1]) << 16
      | UInt32(self[offset &+ 2]) << 8 | UInt32(self[offset &+ 3])
  }

  /// The big-endian 48-bit number that starts at `offset`.
  @inlinable
  @inline(__always)
  public func loadUInt48(at offset: Int) -> UInt64 {
    UInt64(loadUInt32(at: offset)) << 16 | UInt64(loadUInt16(at: offset &+ 4))
  }

  /// The big-endian 64-bit number that starts at `offset`.
  @inlinable
  @inline(__always)
  public func loadUInt64(at offset: Int) -> UInt64 {
    UInt64(loadUInt32(at: offset)) << 32 | UInt64(loadUInt32(at: offset &+ 4))
  }

  /// The MAC address that starts at `offset`.
  @inlinable
  @inline(__always)
  public func loadMACAddress(at offset: Int) -> MACAddress {
    MACAddress(bits: loadUInt48(at: offset))
  }

  /// The IPv4 address that starts at `offset`.
  @inlinable
  @inline(__always)
  public func loadIPv4Address(at offset: Int) -> IPv4Address {
    IPv4Address(bits: loadUInt32(at: offset))
  }
}

extension MutableSpan where Element == UInt8 {
  /// Stores one byte.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ value: UInt8, at offset: Int) {
    self[offset] = value
  }

  /// Stores a 16-bit number, most significant byte first.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ value: UInt16, at offset: Int) {
    storeAsIs(value.bigEndian, at: offset)
  }

  /// Stores a 32-bit number, most significant byte first.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ value: UInt32, at offset: Int) {
    storeAsIs(value.bigEndian, at: offset)
  }

  /// Stores the low 48 bits of `value`, most significant byte first.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func storeUInt48(_ value: UInt64, at offset: Int) {
    store(UInt32(truncatingIfNeeded: value >> 16), at: offset)
    store(UInt16(truncatingIfNeeded: value), at: offset &+ 4)
  }

  /// Stores a 64-bit number, most significant byte first.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ value: UInt64, at offset: Int) {
    storeAsIs(value.bigEndian, at: offset)
  }

  /// Stores a MAC address.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ value: MACAddress, at offset: Int) {
    storeUInt48(value.bits, at: offset)
  }

  /// Stores an IPv4 address.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ value: IPv4Address, at offset: Int) {
    store(value.bits, at: offset)
  }

  /// Stores a number with its bytes in the order they have in memory.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func storeAsIs<Value: FixedWidthInteger & BitwiseCopyable>(
    _ value: Value, at offset: Int
  ) {
    var bytes = MutableRawSpan(_elements: &self)
    bytes.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }
}
