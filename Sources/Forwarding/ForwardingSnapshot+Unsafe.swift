// SPDX-License-Identifier: Apache-2.0

public import Inet
public import Tables

/// The root page of a snapshot: leads to everything else, and lies at the page that the publication
/// word names.
public struct SnapshotRoot: BitwiseCopyable, Sendable {
  /// Counts publications, from 1.
  public var generation: UInt64
  /// Stations by `SnapshotKey.station`; values are `Station`s.
  public var stations: PagedTableHeader
  /// Endpoints by `SnapshotKey.source`; values are `EndpointIndex` numbers.
  ///
  /// Neighbours in the mesh are in it, too, by `SnapshotKey.neighbour`.
  public var sources: PagedTableHeader
  /// `EndpointRecord`s.
  public var endpoints: PagedArrayHeader
  /// Numbers of the endpoints a flood goes to.
  public var floodEndpoints: PagedArrayHeader
  /// Numbers of the ports a flood goes to.
  public var floodPorts: PagedArrayHeader
  /// `PeerEntry`s by short number; none without a mesh.
  public var peers: PagedArrayHeader
  /// Numbers of the endpoints that floods of other peers are passed on to, list after list.
  public var relays: PagedArrayHeader
  /// The UDP port at which the mesh's packets arrive; 0 without a mesh.
  public var meshPort: UInt16
  /// Our own short number, or `PeerEntry.nobody`.
  public var shortID: UInt16
  /// The UDP port at which sleeve's datagrams arrive, and from which ours are sent; 0 without a
  /// mesh.
  public var sleevePort: UInt16
  private var reserved: UInt16
  /// Our own name (`PeerName.bits`).
  public var name: UInt64
  /// Up to four more UDP ports at which the mesh's packets arrive, 16 bits each; 0 for none.
  public var otherMeshPorts: UInt64

  /// Where the fields lie, in bytes; a test holds it against the compiler's layout.
  ///
  /// Workers reach the fields by these constants, because a key path would be an object.
  public enum Offset {
    /// Of `stations`.
    public static let stations = 8
    /// Of `sources`.
    public static let sources = 88
    /// Of `endpoints`.
    public static let endpoints = 168
    /// Of `floodEndpoints`.
    public static let floodEndpoints = 684
    /// Of `floodPorts`.
    public static let floodPorts = 1200
    /// Of `peers`.
    public static let peers = 1716
    /// Of `relays`.
    public static let relays = 2232
  }
}

/// One complete, immutable state of forwarding, as a worker reads it during a breath.
///
/// Proof of safety: made only by `SnapshotReader.refresh()`, whose word keeps the pages from being
/// reused until its next `refresh()` or `goOffline()`; a copy must not outlive that.
@safe
public struct ForwardingSnapshot: BitwiseCopyable {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let root: UnsafePointer<SnapshotRoot>
  @usableFromInline let witness: PageWitness

  @usableFromInline
  @unsafe
  init(base: UnsafeRawPointer, root: UnsafePointer<SnapshotRoot>, witness: PageWitness) {
    unsafe self.base = base
    unsafe self.root = root
    self.witness = witness
  }

  /// The snapshot's generation.
  @inlinable
  public var generation: UInt64 { unsafe root.pointee.generation }

  /// Where stations are.
  @inlinable
  public var stations: PagedTableReader {
    unsafe PagedTableReader(
      base: base, header: field(SnapshotRoot.Offset.stations), witness: witness)
  }

  /// Which endpoint an outer packet comes from.
  @inlinable
  public var sources: PagedTableReader {
    unsafe PagedTableReader(
      base: base, header: field(SnapshotRoot.Offset.sources), witness: witness)
  }

  /// How endpoints are reached.
  @inlinable
  public var endpoints: PagedArrayReader<EndpointRecord> {
    unsafe PagedArrayReader(
      base: base, header: field(SnapshotRoot.Offset.endpoints), witness: witness)
  }

  /// The endpoints a flood goes to.
  @inlinable
  public var floodEndpoints: PagedArrayReader<UInt16> {
    unsafe PagedArrayReader(
      base: base, header: field(SnapshotRoot.Offset.floodEndpoints), witness: witness)
  }

  /// The ports a flood goes to.
  @inlinable
  public var floodPorts: PagedArrayReader<UInt16> {
    unsafe PagedArrayReader(
      base: base, header: field(SnapshotRoot.Offset.floodPorts), witness: witness)
  }

  // MARK: Mesh

  /// The UDP port at which the mesh's packets arrive; 0 without a mesh.
  @inlinable
  public var meshPort: UInt16 { unsafe root.pointee.meshPort }

  /// Our own short number, or `PeerEntry.nobody`.
  @inlinable
  public var shortID: UInt16 { unsafe root.pointee.shortID }

  /// The UDP port at which sleeve's datagrams arrive; 0 without a mesh.
  @inlinable
  public var sleevePort: UInt16 { unsafe root.pointee.sleevePort }

  /// Whether the mesh's packets arrive at a UDP port besides `meshPort`: one above that of a peer
  /// that we dialled.
  public func isOtherMeshPort(_ port: UInt16) -> Bool {
    var ports = unsafe root.pointee.otherMeshPorts
    while ports != 0 {
      if UInt16(truncatingIfNeeded: ports) == port { return true }
      ports >>= 16
    }
    return false
  }

  /// Our own name.
  @inlinable
  public var name: PeerName { unsafe PeerName(bits: root.pointee.name) }

  /// The endpoint of a peer; nil if nobody has this name.
  @inlinable
  public func peer(named name: PeerName) -> EndpointIndex? { find(SnapshotKey.peer(name)) }

  /// The endpoint of a link to a neighbour; nil if there is none.
  @inlinable
  public func link(to name: PeerName, by overlay: Overlay) -> EndpointIndex? {
    find(SnapshotKey.link(name, overlay))
  }

  /// The endpoint of a link by VXLAN whose packets come in ESP with this SPI; nil if there is none.
  @inlinable
  public func link(ofSecurity identifier: UInt32) -> EndpointIndex? {
    find(SnapshotKey.security(identifier))
  }

  @inlinable
  func find(_ key: UInt64) -> EndpointIndex? {
    let value = sources.value(for: key)
    return value == .max ? nil : EndpointIndex(UInt16(truncatingIfNeeded: value))
  }

  /// Peers by short number.
  @inlinable
  public var peers: PagedArrayReader<PeerEntry> {
    unsafe PagedArrayReader(
      base: base, header: field(SnapshotRoot.Offset.peers), witness: witness)
  }

  /// Lists of endpoints that floods of other peers are passed on to.
  @inlinable
  public var relays: PagedArrayReader<UInt16> {
    unsafe PagedArrayReader(
      base: base, header: field(SnapshotRoot.Offset.relays), witness: witness)
  }

  /// The peer that owns a short number; nil if nobody does.
  @inlinable
  public func peer(_ shortID: ShortID) -> PeerEntry? {
    let peers = peers
    guard Int(shortID.number) < peers.count else { return nil }
    let entry = peers[Int(shortID.number)]
    return entry.endpoint == PeerEntry.nobody ? nil : entry
  }

  @inlinable
  @inline(__always)
  @unsafe
  func field<Field>(_ offset: Int) -> UnsafePointer<Field> {
    unsafe (UnsafeRawPointer(root) + offset).assumingMemoryBound(to: Field.self)
  }
}
