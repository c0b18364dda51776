// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
public import Inet
public import Tables

/// The control plane's side: changes the next snapshot and publishes it.
///
/// Every change copies the few pages it touches. Changes return false when the arena is full, with
/// nothing changed; what was published stays as it is. One writer exists for a memory.
///
/// Proof of safety: only pages private to the pending generation are written, and only the
/// publication word afterwards; `PageArena` keeps the two apart.
@safe
public struct SnapshotWriter: ~Copyable {
  private let memory: SnapshotMemory
  private var arena: PageArena
  private var stations: PagedTableWriter
  private var sources: PagedTableWriter
  private var endpoints = PagedArrayWriter<EndpointRecord>()
  private var floodEndpoints = PagedArrayWriter<UInt16>()
  private var floodPorts = PagedArrayWriter<UInt16>()
  private let mesh = Mesh()
  private var root: PageIndex

  /// What is written of the mesh, apart: the compiler now and then moves the writer as a whole.
  private final class Mesh {
    var peers = PagedArrayWriter<PeerEntry>()
    var relays = PagedArrayWriter<UInt16>()
    var port: UInt16 = 0
    var shortID = PeerEntry.nobody
    var sleevePort: UInt16 = 0
    var name: UInt64 = 0
    var otherPorts: UInt64 = 0
  }

  /// Makes an empty snapshot in `memory` and publishes it as generation 1.
  ///
  /// - `seed`: makes the tables' hashes unpredictable from outside.
  public init(memory: SnapshotMemory, seed: UInt64) throws(MemoryError) {
    self.memory = memory
    arena = PageArena(memory: memory.pages)
    guard let root = arena.allocate(),
      let stations = PagedTableWriter(seed: seed, arena: &arena),
      let sources = PagedTableWriter(seed: ~seed, arena: &arena)
    else { throw MemoryError(call: "snapshot pages", number: 12) }
    self.root = root
    self.stations = stations
    self.sources = sources
    writeRoot(root)
  }

  /// The generation that readers get now.
  public var generation: UInt64 { arena.pending - 1 }

  /// Pages free for further changes.
  public var freePageCount: Int { arena.freeCount }

  /// Pages that wait for workers to pass a later breath.
  public var retiredPageCount: Int { arena.retiredCount }

  /// The oldest generation that a worker may still read.
  public var oldestRead: UInt64 { memory.oldestReached() ?? generation }

  /// Stations in the table.
  public var stationCount: Int { Int(stations.header.count) }

  /// Stores or moves a station.
  public mutating func setStation(_ mac: MACAddress, _ station: Station) -> Bool {
    stations.store(station.value, for: SnapshotKey.station(mac), arena: &arena)
  }

  /// Forgets a station; false if it was not there.
  public mutating func removeStation(_ mac: MACAddress) -> Bool {
    stations.remove(SnapshotKey.station(mac), arena: &arena)
  }

  /// Where a station is in the snapshot being written.
  public func station(_ mac: MACAddress) -> Station? {
    stations.value(for: SnapshotKey.station(mac), in: arena).map { Station(value: $0) }
  }

  /// Says which endpoint sends from `address` with `network`.
  public mutating func setSource(
    _ address: IPv4Address, _ network: VirtualNetwork, endpoint: EndpointIndex
  ) -> Bool {
    sources.store(
      UInt64(endpoint.number), for: SnapshotKey.source(address, network), arena: &arena)
  }

  /// Forgets who sends from `address` with `network`; false if nobody did.
  public mutating func removeSource(_ address: IPv4Address, _ network: VirtualNetwork) -> Bool {
    sources.remove(SnapshotKey.source(address, network), arena: &arena)
  }

  /// Stores how an endpoint is reached; indices are given out in order from 0.
  public mutating func setEndpoint(_ record: EndpointRecord, at index: EndpointIndex) -> Bool {
    endpoints.store(record, at: Int(index.number), arena: &arena)
  }

  /// Replaces the lists that say whom a flood goes to.
  public mutating func setFlood(ports: [PortIndex], endpoints: [EndpointIndex]) -> Bool {
    SnapshotWriter.replace(&floodPorts, with: ports.map(\.number), arena: &arena)
      && SnapshotWriter.replace(&floodEndpoints, with: endpoints.map(\.number), arena: &arena)
  }

  // MARK: Mesh

  /// Numbers that the lists of `setPeers(_:relays:)` may have in all.
  public static var relayCountMax: Int { PagedArrayWriter<UInt16>.capacity }

  /// Says that `address` is a neighbour in the mesh, from where its packets may come: sealed only,
  /// or in clear.
  public mutating func setNeighbour(_ address: IPv4Address, isSealed: Bool = false) -> Bool {
    sources.store(isSealed ? 1 : 0, for: SnapshotKey.neighbour(address), arena: &arena)
  }

  /// Says which endpoint is the one of a peer or of a link; `key` is `SnapshotKey.peer`,
  /// `.link` or `.security`.
  public mutating func setNamed(_ key: UInt64, endpoint: EndpointIndex) -> Bool {
    sources.store(UInt64(endpoint.number), for: key, arena: &arena)
  }

  /// Forgets a peer's or a link's endpoint; false if there was none.
  public mutating func removeNamed(_ key: UInt64) -> Bool {
    sources.remove(key, arena: &arena)
  }

  /// Forgets a neighbour; false if it was none.
  public mutating func removeNeighbour(_ address: IPv4Address) -> Bool {
    sources.remove(SnapshotKey.neighbour(address), arena: &arena)
  }

  /// Replaces what is known of peers: entries by short number, and the lists that they name.
  ///
  /// Only pages on which something differs are copied.
  public mutating func setPeers(_ entries: [PeerEntry], relays numbers: [UInt16]) -> Bool {
    // Copies, as the compiler takes them and `arena` for one thing under the thread sanitizer.
    var (relays, peers) = (mesh.relays, mesh.peers)
    let isRelaysDone = SnapshotWriter.replace(&relays, with: numbers, arena: &arena)
    let isDone = isRelaysDone && SnapshotWriter.replace(&peers, with: entries, arena: &arena)
    (mesh.relays, mesh.peers) = (relays, peers)
    return isDone
  }

  /// Says at which UDP port the mesh's packets arrive, 0 for none, and our own short number.
  public mutating func setMesh(
    port: UInt16, shortID: ShortID?, sleevePort: UInt16 = 0, name: PeerName = PeerName(bits: 0),
    otherPorts: [UInt16] = []
  ) {
    mesh.otherPorts = otherPorts.prefix(4).reduce(0) { $0 << 16 | UInt64($1) }
    mesh.sleevePort = sleevePort
    mesh.name = name.bits
    mesh.port = port
    mesh.shortID = shortID?.number ?? PeerEntry.nobody
  }

  // MARK: Publication

  /// Makes every change since the last call visible at once.
  ///
  /// False, with the changes still pending, if there is no page for the root.
  public mutating func publish() -> Bool {
    guard let next = arena.allocate() else { return false }
    arena.retire(root)
    root = next
    writeRoot(next)
    return true
  }

  /// Takes back the pages that no worker can see any more.
  public mutating func reclaim() {
    arena.reclaim(observed: memory.oldestReached() ?? generation)
  }

  private static func replace<Element: BitwiseCopyable & Equatable>(
    _ list: inout PagedArrayWriter<Element>, with elements: [Element], arena: inout PageArena
  ) -> Bool {
    for (index, element) in elements.enumerated() {
      if index < list.count, list.element(at: index, in: arena) == element { continue }
      guard list.store(element, at: index, arena: &arena) else { return false }
    }
    while list.count > elements.count { list.removeLast(arena: &arena) }
    return true
  }

  /// Field by field, as each header would else be copied twice.
  private mutating func writeRoot(_ page: PageIndex) {
    let root = unsafe arena.pointer(page).assumingMemoryBound(to: SnapshotRoot.self)
    unsafe root.pointee.generation = arena.pending
    unsafe root.pointee.stations = stations.header
    unsafe root.pointee.sources = sources.header
    unsafe root.pointee.endpoints = endpoints.header
    unsafe root.pointee.floodEndpoints = floodEndpoints.header
    unsafe root.pointee.floodPorts = floodPorts.header
    unsafe root.pointee.peers = mesh.peers.header
    unsafe root.pointee.relays = mesh.relays.header
    unsafe root.pointee.meshPort = mesh.port
    unsafe root.pointee.shortID = mesh.shortID
    unsafe root.pointee.sleevePort = mesh.sleevePort
    unsafe root.pointee.name = mesh.name
    unsafe root.pointee.otherMeshPorts = mesh.otherPorts
    unsafe cintrinsics_store_release_64(memory.publication, UInt64(page.number))
    arena.advance()
  }
}
