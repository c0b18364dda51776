// SPDX-License-Identifier: Apache-2.0

public import Inet
public import Wire

/// How frames travel to one endpoint of the overlay, configured or a peer of the mesh, or over one
/// link to a neighbour; 128 bytes in the snapshot, of which VXLAN needs the first cache line.
public struct EndpointRecord: BitwiseCopyable, Sendable {
  /// Outer headers, complete but for the lengths and the source port; sleeve uses the 42 bytes of
  /// them up to UDP, and the mesh's own port is the source port there.
  public var template: VXLANTemplate
  /// Longest inner frame, in bytes with its Ethernet header, that goes as VXLAN in clear and in one
  /// piece; 0 if none does, because the endpoint cannot be reached, or by sleeve, or only sealed.
  public var innerLengthMax: UInt32
  /// The underlay port to send through.
  public var port: PortIndex
  /// Whether the next hop is known, so that the template is complete.
  public var isResolved: Bool
  /// How frames travel.
  public var overlay: Overlay

  // The second line, for sleeve and for whatever is rare.

  /// The peer's name (`PeerName.bits`); 0 of a configured endpoint.
  public var name: UInt64 = 0
  /// The same as `innerLengthMax`, whatever the overlay: longest inner frame that goes in one piece
  /// which the underlay may not fragment.
  public var frameLengthMax: UInt32 = 0
  /// Longest UDP payload of sleeve that the underlay carries in one piece.
  public var datagramLengthMax: UInt32 = 0
  /// Where the key is for what is sent to the next hop (`FrameKeys`); `noKey` if nothing is sealed.
  public var sealing: UInt16 = EndpointRecord.noKey
  /// The kernel's sockets, for datagrams that the underlay may fragment.
  public var fragmentPort = PortIndex(0)
  /// The peer's short number, or `PeerEntry.nobody`.
  public var shortID: UInt16 = PeerEntry.nobody
  /// Whether longer datagrams may be sent for the underlay to fragment; proven by a test.
  public var mayFragment = false
  /// Of a link: whether what comes over it is taken, also as long as nothing can be sent.
  public var isReceiving = false
  /// Of a link: where the key is for what comes over it; `noKey` if it comes in clear.
  public var opening: UInt16 = EndpointRecord.noKey
  /// Of a link: where the key before that one is, as long as packets sealed with it may come.
  public var formerOpening: UInt16 = EndpointRecord.noKey
  private var reserved1: UInt32 = 0
  private var reserved2: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// Stands for no key.
  public static var noKey: UInt16 { .max }

  /// An endpoint whose next hop is known.
  public init(template: VXLANTemplate, innerLengthMax: UInt32, port: PortIndex) {
    self.template = template
    self.innerLengthMax = innerLengthMax
    self.port = port
    isResolved = true
    overlay = .vxlan
    frameLengthMax = innerLengthMax
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

  /// The source table's key of a peer of the mesh; its value is the peer's endpoint.
  @inlinable
  @inline(__always)
  public static func peer(_ name: PeerName) -> UInt64 { 1 << 61 | name.bits }

  /// The source table's key of a link to a neighbour; its value is the link's endpoint, which is
  /// there from the moment on that the overlay may be tried.
  @inlinable
  @inline(__always)
  public static func link(_ name: PeerName, _ overlay: Overlay) -> UInt64 {
    1 << 61 | (UInt64(overlay.rawValue) &+ 1) << 48 | name.bits
  }

  /// The source table's key of a link by VXLAN, by the SPI of what comes over it in ESP; its value
  /// is the link's endpoint.
  @inlinable
  @inline(__always)
  public static func security(_ identifier: UInt32) -> UInt64 { 1 << 60 | UInt64(identifier) }

  /// The source table's key of a neighbour in the mesh, who sends from `address`; its value is 1 if
  /// its frames have to be sealed, otherwise 0.
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
