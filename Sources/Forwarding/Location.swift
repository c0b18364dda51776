// SPDX-License-Identifier: Apache-2.0

/// A slot in every worker's port table; the same number means the same port in all of them.
public struct PortIndex: Hashable, Sendable, BitwiseCopyable {
  /// The slot, from 0.
  public let number: UInt16

  /// Wraps a slot's number.
  @inlinable
  public init(_ number: UInt16) { self.number = number }
}

/// A record in the snapshot's endpoint array.
public struct EndpointIndex: Hashable, Sendable, BitwiseCopyable {
  /// The record, from 0.
  public let number: UInt16

  /// Wraps a record's number.
  @inlinable
  public init(_ number: UInt16) { self.number = number }
}

/// Where a station is: behind a port of this host or behind an endpoint of the overlay.
///
/// One word, so that it fits a table's value and two of them compare in one instruction.
public struct Location: Hashable, Sendable, BitwiseCopyable {
  /// Bit 31 set: an endpoint, and with bit 16 a peer of the mesh; the low 16 bits are the index.
  public let bits: UInt32

  /// Takes a location apart from its word.
  @inlinable
  public init(bits: UInt32) { self.bits = bits }

  /// Behind a port.
  @inlinable
  public init(_ port: PortIndex) { bits = UInt32(port.number) }

  /// Behind an endpoint.
  @inlinable
  public init(_ endpoint: EndpointIndex) { bits = 0x8000_0000 | UInt32(endpoint.number) }

  /// Behind a peer of the mesh.
  @inlinable
  public init(peer: EndpointIndex) { bits = 0x8001_0000 | UInt32(peer.number) }

  /// Whether it is a peer of the mesh, which is an endpoint too.
  @inlinable
  public var isPeer: Bool { bits & 0x1_0000 != 0 }

  /// Whether it is an endpoint.
  @inlinable
  public var isEndpoint: Bool { bits & 0x8000_0000 != 0 }

  /// The port, meaningful if it is not an endpoint.
  @inlinable
  public var port: PortIndex { PortIndex(UInt16(truncatingIfNeeded: bits)) }

  /// The endpoint, meaningful if it is one.
  @inlinable
  public var endpoint: EndpointIndex { EndpointIndex(UInt16(truncatingIfNeeded: bits)) }
}

/// What the MAC table stores for a station: its location, and the number of its entry, under which
/// workers leave their seen marks.
public struct Station: Hashable, Sendable, BitwiseCopyable {
  /// Where the station is.
  public let location: Location
  /// The control plane's number for the entry; indexes the seen marks.
  public let entry: UInt32

  /// Pairs a location with an entry.
  @inlinable
  public init(location: Location, entry: UInt32) {
    self.location = location
    self.entry = entry
  }

  /// Takes a table's value apart.
  @inlinable
  public init(value: UInt64) {
    location = Location(bits: UInt32(truncatingIfNeeded: value >> 32))
    entry = UInt32(truncatingIfNeeded: value)
  }

  /// The table's value.
  @inlinable
  public var value: UInt64 { UInt64(location.bits) << 32 | UInt64(entry) }
}
