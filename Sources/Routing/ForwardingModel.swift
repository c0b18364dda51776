// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Inet
public import Tables

/// Where every station is and how every endpoint is reached: the truth behind the snapshot.
///
/// Changes go into the pending snapshot; `commit()` publishes them at once. New stations, moves and
/// new endpoints are refused while the snapshot's memory is short of pages, and some pages are kept
/// back for what must not fail: removals, paths of endpoints, flood lists and the mesh. Those stay
/// pending over as many commits as they need; peers of the mesh change all at once or not yet. One
/// model exists for a memory.
public struct ForwardingModel: ~Copyable {
  /// Limits of a model.
  public struct Options: Sendable {
    /// Stations at most; `SnapshotMemory.entryCountMax` bounds them too.
    public var stationCountMax = 131_072
    /// Stations at most behind one port or one endpoint.
    public var stationCountPerLocationMax = 65_536
    /// A sweep forgets a station that was not seen for this many seconds.
    public var ageSecondsMax: UInt64 = 600

    /// The limits that suit most hosts.
    public init() {}
  }

  /// What happened to stations since the model was made.
  public struct Counts: Sendable, Equatable {
    /// Stations that were new.
    public var learned: UInt64 = 0
    /// Stations found at another location than before.
    public var moved: UInt64 = 0
    /// Stations forgotten because nobody saw them for too long.
    public var aged: UInt64 = 0
    /// Hints that changed nothing: a limit reached, pages short, a location that does not exist
    /// (any more), or not a station's address.
    public var refused: UInt64 = 0

    /// Nothing happened yet.
    public init() {}
  }

  /// A station as the status shows it.
  public struct StationSummary: Sendable, Equatable {
    /// The station's address.
    public let mac: MACAddress
    /// Where it is.
    public let location: Location
    /// Seconds since it was seen, as far as the last sweep and hint know.
    public let ageSeconds: UInt64
  }

  /// What happened to stations so far.
  public internal(set) var counts = Counts()

  let options: Options
  let memory: SnapshotMemory
  var writer: SnapshotWriter
  var book: StationBook
  var stationPages = PageNeeds()
  /// Whether the pending snapshot differs from the published one.
  var isChanged = false

  /// Ports that exist, and whether floods go to them.
  private var ports: [PortIndex: Bool] = [:]
  /// By index; those that were removed keep their place.
  var endpoints: [Endpoint] = []
  var sourcePages = PageNeeds()
  /// Whether the snapshot's flood lists are behind `ports` and `endpoints`.
  var isFloodPending = false
  /// Endpoints whose records in the snapshot are behind `endpoints`.
  var pendingEndpoints: Set<EndpointIndex> = []
  /// Sources of removed endpoints that are still in the snapshot.
  var leftoverSources: [EndpointSource] = []
  var mesh = Mesh()

  /// Publishes an empty snapshot in `memory`.
  ///
  /// - Parameters:
  ///   - memory: Where workers read the snapshots; nobody else writes into it.
  ///   - seed: A random number; makes the tables' hashes unpredictable from outside.
  ///   - options: The limits.
  /// - Throws: `MemoryError` if `memory` has not even the pages for that, for flood lists and for
  ///   changing them: 11 in all.
  public init(memory: SnapshotMemory, seed: UInt64, options: Options) throws(MemoryError) {
    let writer = try SnapshotWriter(memory: memory, seed: seed)
    guard writer.freePageCount > 2 + PageNeeds.change else {
      throw MemoryError(call: "snapshot pages", number: ForwardingModel.outOfMemory)
    }
    self.writer = writer
    book = StationBook(capacity: min(options.stationCountMax, memory.entryCountMax))
    self.memory = memory
    self.options = options
  }

  /// `ENOMEM` on Linux.
  private static let outOfMemory: CInt = 12

  /// The generation of the published snapshot.
  public var generation: UInt64 { writer.generation }

  /// The oldest generation that a worker may still read.
  public var oldestRead: UInt64 { writer.oldestRead }

  /// Pages free for further changes.
  public var freePageCount: Int { writer.freePageCount }

  /// Pages that wait until every worker that is awake has read a newer snapshot.
  public var retiredPageCount: Int { writer.retiredPageCount }

  // MARK: Ports

  /// Stations may be behind `port` from now on.
  ///
  /// For a port that exists already, changes only
  /// whether floods go to it.
  public mutating func addPort(_ port: PortIndex, receivesFloods: Bool) {
    if ports.updateValue(receivesFloods, forKey: port) != receivesFloods { isFloodPending = true }
    book.add(Location(port))
  }

  /// Forgets the port and every station behind it.
  ///
  /// Endpoints that are reached through it are
  /// unresolved until they are set again.
  public mutating func removePort(_ port: PortIndex) {
    guard let receivesFloods = ports.removeValue(forKey: port) else { return }
    if receivesFloods { isFloodPending = true }
    for mac in book.remove(Location(port)) { forget(mac) }
    for index in endpoints.indices
    where endpoints[index].portInUse == port && endpoints[index].removal == nil {
      setEndpoint(EndpointIndex(UInt16(index)), reached: nil)
    }
  }

  // MARK: Publication

  /// Publishes what changed, if anything did, with one publication, and takes back the pages that
  /// no worker can see any more.
  ///
  /// Returns whether every change is published. If not, memory is short until workers read a newer
  /// snapshot: what is pending is tried again by the next commit.
  public mutating func commit() -> Bool {
    writer.reclaim()
    writeFlood()
    writeEndpoints()
    writeMesh()
    writeNeighbours()
    writeNames()
    removeLeftoverSources()
    removeLeftovers()
    if isChanged, writer.publish() {
      isChanged = false
      writer.reclaim()
    }
    let isComplete =
      !isChanged && !isFloodPending && pendingEndpoints.isEmpty && leftoverSources.isEmpty
      && book.leftovers.isEmpty && mesh.isWritten
    if isComplete { noteRemovals() }
    return isComplete
  }

  /// Whether a change that can be refused may take `count` pages: behind it there must be room for
  /// the flood lists, all of the mesh, a root, and one of the changes that must not fail.
  func hasPages(_ count: Int) -> Bool {
    let kept = floodPageCount + mesh.reservedPageCount + PageNeeds.change + 2
    return writer.freePageCount >= count + kept
  }

  /// Whether a change that must not fail may take `count` pages now: a root must still fit.
  func hasLastPages(_ count: Int) -> Bool { writer.freePageCount > count }

  private var floodPageCount: Int {
    let numbersPerPage = MappedMemory.pageLength / MemoryLayout<UInt16>.stride
    return ports.count / numbersPerPage + endpoints.count / numbersPerPage + 2
  }

  private mutating func writeFlood() {
    guard isFloodPending, hasLastPages(floodPageCount) else { return }
    isChanged = true
    let floodPorts = ports.filter(\.value).keys.sorted { $0.number < $1.number }
    let floodEndpoints = endpoints.indices.map { EndpointIndex(UInt16($0)) }.filter {
      isThere($0) && (endpoints[Int($0.number)].source != nil || mesh.flood.contains($0))
    }
    isFloodPending = !writer.setFlood(ports: floodPorts, endpoints: floodEndpoints)
  }
}
