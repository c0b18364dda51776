// SPDX-License-Identifier: Apache-2.0

public import Inet
public import Wire

/// How frames travel to one endpoint of the overlay, configured or a peer of the mesh; 64 bytes, a
/// cache line, in the snapshot.
public struct EndpointRecord: BitwiseCopyable, Sendable {
  /// Outer headers, complete but for the lengths and the source port.
  public var template: VXLANTemplate
  /// Longest inner frame, in bytes with its Ethernet header, that fits the underlay's MTU.
  public var innerLengthMax: UInt32
  /// The underlay port to send through.
  public var port: PortIndex
  /// Whether the next hop is known, so that the template is complete.
  public var isResolved: Bool

  /// An endpoint whose next hop is known.
  public init(template: VXLANTemplate, innerLengthMax: UInt32, port: PortIndex) {
    self.template = template
    self.innerLengthMax = innerLengthMax
    self.port = port
    isResolved = true
  }

  /// An endpoint that cannot be reached at present.
  public static func unresolved(port: PortIndex) -> EndpointRecord {
    let template = VXLANTemplate(
      sourceMAC: .zero, destinationMAC: .zero, source: IPv4Address(bits: 0),
      destination: IPv4Address(bits: 0), destinationPort: 0, network: VirtualNetwork(bits: 0))
    var record = EndpointRecord(template: template, innerLengthMax: 0, port: port)
    record.isResolved = false
    return record
  }
}

/// Keys of the snapshot's tables; none is ever 0.
public enum SnapshotKey {
  /// The MAC table's key of an address.
  @inlinable
  @inline(__always)
  public static func station(_ mac: MACAddress) -> UInt64 { mac.bits | 1 << 48 }

  /// The source table's key of a neighbour in the mesh, who sends from `address`.
  @inlinable
  @inline(__always)
  public static func neighbour(_ address: IPv4Address) -> UInt64 {
    1 << 62 | UInt64(address.bits)
  }

  /// The source table's key of an endpoint: who sends from `address` with `network`.
  @inlinable
  @inline(__always)
  public static func source(_ address: IPv4Address, _ network: VirtualNetwork) -> UInt64 {
    1 << 63 | UInt64(network.bits) << 32 | UInt64(address.bits)
  }
}
