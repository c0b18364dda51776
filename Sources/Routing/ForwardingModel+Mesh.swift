// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Inet
internal import Tables

extension ForwardingModel {
  /// What the mesh is, and how far the snapshot is behind it.
  struct Mesh {
    var shortID: ShortID?
    /// 0 without a mesh.
    var port: UInt16 = 0
    var sleevePort: UInt16 = 0
    var name = PeerName.unknown
    var otherPorts: [UInt16] = []
    /// Peers that own floods go to.
    var flood: Set<EndpointIndex> = []
    /// Where packets may come from, and whether they have to be sealed.
    var neighbours: [IPv4Address: Bool] = [:]
    /// The neighbours in the snapshot.
    var writtenNeighbours: [IPv4Address: Bool] = [:]
    /// Whether the two differ.
    var areNeighboursPending = false
    /// Keys of peers and links, as they are to be and as they are in the snapshot.
    var names: [UInt64: EndpointIndex] = [:]
    var writtenNames: [UInt64: EndpointIndex] = [:]
    /// Keys in which the two differ.
    var pendingNames: Set<UInt64> = []
    /// Peers whose records are behind.
    var pendingPeers: Set<EndpointIndex> = []
    /// Pages that a publication of all peers takes at most.
    var reservedPageCount = 0
    /// Whether the snapshot's peers, or port and own number, are behind.
    var isPending = false
    /// Peers that are there, and the neighbours that their floods are passed on to, one by one.
    var peerCount = 0
    var listedCount = 0
    /// Numbers in the lists of the snapshot.
    var writtenRelayCount = 0

    var isWritten: Bool { !isPending && !areNeighboursPending && pendingNames.isEmpty }

    mutating func notePeer(_ peer: EndpointIndex) {
      pendingPeers.insert(peer)
      isPending = true
    }
  }

  // MARK: What exists

  /// Says what we are called in the mesh, and at which UDP port its packets arrive; nil and 0
  /// without a mesh.
  ///
  /// As long as we have no short number nothing is sent to peers and nothing is taken from them.
  public mutating func setMesh(
    shortID: ShortID?, port: UInt16, sleevePort: UInt16 = 0, name: PeerName = .unknown,
    otherPorts: [UInt16] = []
  ) {
    guard
      (mesh.shortID, mesh.port, mesh.sleevePort, mesh.name, mesh.otherPorts)
        != (shortID, port, sleevePort, name, otherPorts)
    else { return }
    (mesh.sleevePort, mesh.name, mesh.otherPorts) = (sleevePort, name, otherPorts)
    if mesh.shortID != shortID {
      for index in endpoints.indices where endpoints[index].source == nil {
        mesh.pendingPeers.insert(EndpointIndex(UInt16(index)))
      }
    }
    mesh.shortID = shortID
    mesh.port = port
    mesh.isPending = true
    reservePages()
  }

  /// Adds a peer of the mesh, without a short number and without a way there.
  ///
  /// It is an endpoint like those of `addEndpoint`, and is removed like one; stations behind it are
  /// at `Location(peer:)`. Returns nil if there is no room for another.
  public mutating func addPeer(
    named name: PeerName = .unknown, underlayPort: PortIndex
  ) -> EndpointIndex? {
    addNamed(Endpoint(source: nil, underlayPort: underlayPort, name: name))
  }

  /// Adds a link to a neighbour by an overlay, without a way there.
  ///
  /// Nothing is forwarded over it: it says how what the two ends tell each other travels, and whose
  /// datagrams are taken. It is removed like an endpoint. Returns nil if there is no room.
  public mutating func addLink(
    to name: PeerName, by overlay: Overlay, underlayPort: PortIndex
  ) -> EndpointIndex? {
    addNamed(Endpoint(source: nil, underlayPort: underlayPort, name: name, link: overlay))
  }

  private mutating func addNamed(_ endpoint: Endpoint) -> EndpointIndex? {
    let keyPages = endpoint.key == nil ? 0 : sourcePages.adding(to: sourceCount)
    guard let index = freeIndex, hasPages(keyPages + 1) else { return nil }
    isChanged = true
    guard writer.setEndpoint(.unresolved(port: endpoint.underlayPort), at: index) else {
      return nil
    }
    enter(endpoint, at: index)
    if endpoint.isPeer { mesh.peerCount += 1 }
    mesh.notePeer(index)
    if let key = endpoint.key {
      mesh.names[key] = index
      mesh.pendingNames.insert(key)
    }
    reservePages()
    return index
  }

  /// Says what the short number of a link's neighbour is, how the link reaches it, nil if it does
  /// not, and what is taken from it; without `receives`, what comes in clear, if it is reached.
  public mutating func setLink(
    _ link: EndpointIndex, shortID: ShortID?, path: EndpointPath?, receives: LinkReception? = nil
  ) {
    let receives = receives ?? LinkReception(isReceiving: path != nil)
    precondition(
      isThere(link) && endpoints[Int(link.number)].link != nil, "a link that addLink returned")
    let index = Int(link.number)
    let before = endpoints[index]
    guard
      (before.shortID, before.reached, before.reception) != (shortID, path, receives)
    else { return }
    endpoints[index].reception = receives
    for identifier in Set(before.reception.identifiers).subtracting(receives.identifiers) {
      forget(SnapshotKey.security(identifier), of: link)
    }
    for identifier in receives.identifiers {
      mesh.names[SnapshotKey.security(identifier)] = link
      mesh.pendingNames.insert(SnapshotKey.security(identifier))
    }
    endpoints[index].shortID = shortID
    endpoints[index].reached = path
    mesh.notePeer(link)
  }

  /// An endpoint that had this key is gone.
  mutating func forget(_ key: UInt64, of endpoint: EndpointIndex) {
    // Its successor may be there already.
    guard mesh.names[key] == endpoint else { return }
    mesh.names[key] = nil
    mesh.pendingNames.insert(key)
  }

  /// Says what a peer's short number is, how the neighbour is reached that its frames go to, and
  /// which neighbours its floods are passed on to.
  ///
  /// Of peers with the same number that with the lowest index has it. Endpoints in `broadcast` that
  /// are no peers, or not any more, are left out.
  public mutating func setPeer(
    _ peer: EndpointIndex, shortID: ShortID?, path: EndpointPath?, broadcast: [EndpointIndex]
  ) {
    precondition(isThere(peer) && isPeer(peer), "a peer that addPeer returned")
    let index = Int(peer.number)
    let before = endpoints[index]
    let broadcast = broadcast.filter { isThere($0) && isPeer($0) }
    endpoints[index].shortID = shortID
    endpoints[index].reached = path
    endpoints[index].broadcast = broadcast
    if before.shortID != shortID || before.reached != path { mesh.notePeer(peer) }
    guard before.broadcast != broadcast else { return }
    mesh.listedCount += broadcast.count - before.broadcast.count
    mesh.isPending = true
    reservePages()
  }

  /// Takes a peer that is gone out of every list, or its successor would be in them.
  mutating func unlist(_ peer: EndpointIndex) {
    mesh.flood.remove(peer)
    mesh.peerCount -= 1
    mesh.listedCount -= endpoints[Int(peer.number)].broadcast.count
    endpoints[Int(peer.number)].broadcast = []
    for index in endpoints.indices where endpoints[index].broadcast.contains(peer) {
      let before = endpoints[index].broadcast.count
      endpoints[index].broadcast.removeAll { $0 == peer }
      mesh.listedCount += endpoints[index].broadcast.count - before
    }
    reservePages()
  }

  /// Says which peers the floods of our own stations go to: neighbours.
  public mutating func setMeshFlood(_ neighbours: [EndpointIndex]) {
    let flood = Set(neighbours.filter { isThere($0) && isPeer($0) })
    guard mesh.flood != flood else { return }
    mesh.flood = flood
    isFloodPending = true
  }

  /// Says from which addresses packets of the mesh are taken, and whether only sealed ones; others
  /// are nobody's.
  public mutating func setNeighbours(_ addresses: [IPv4Address: Bool]) {
    mesh.neighbours = addresses
    mesh.areNeighboursPending = addresses != mesh.writtenNeighbours
  }

  /// Peers whose floods end here, because the lists of all of them together have no room for
  /// theirs.
  public var peersWithoutList: Int { peerTable().leftOutCount }

  // MARK: Snapshot

  /// The peers as the snapshot has them.
  private struct PeerTable {
    /// By short number; empty if there is no peer.
    var entries: [PeerEntry] = []
    /// Lists, equal ones once.
    var relays: [UInt16] = []
    var leftOutCount = 0
  }

  private func peerTable() -> PeerTable {
    var table = PeerTable()
    guard mesh.peerCount > 0 else { return table }
    table.entries = Array(repeating: .empty, count: ShortID.count)
    var places: [[UInt16]: Int] = [:]
    for (index, peer) in endpoints.enumerated() where peer.isPeer && peer.removal == nil {
      guard let shortID = peer.shortID, table.entries[Int(shortID.number)] == .empty else {
        continue
      }
      var list = Set(peer.broadcast.map(\.number)).sorted()
      if places[list] == nil, table.relays.count + list.count > SnapshotWriter.relayCountMax {
        table.leftOutCount += 1
        list = []
      }
      let first = places[list] ?? table.relays.count
      if places.updateValue(first, forKey: list) == nil { table.relays += list }
      table.entries[Int(shortID.number)] = PeerEntry(
        endpoint: UInt16(index), relayCount: UInt16(list.count), firstRelay: UInt32(first))
    }
    return table
  }

  /// Keeps pages back for a publication of all peers.
  private mutating func reservePages() {
    guard mesh.isPending || mesh.peerCount > 0 else { return mesh.reservedPageCount = 0 }
    mesh.reservedPageCount = pageCount(
      relays: min(mesh.listedCount, SnapshotWriter.relayCountMax),
      records: endpoints.count / ForwardingModel.recordsPerPage + 1)
  }

  private func pageCount(relays: Int, records: Int) -> Int {
    let entries = ShortID.count * MemoryLayout<PeerEntry>.stride / MappedMemory.pageLength
    let perPage = MappedMemory.pageLength / MemoryLayout<UInt16>.stride
    return entries + max(relays, mesh.writtenRelayCount) / perPage + 1 + records
  }

  private static var recordsPerPage: Int {
    MappedMemory.pageLength / MemoryLayout<EndpointRecord>.stride
  }

  /// Writes all that is known of peers at once, so that no snapshot mixes two states of the mesh;
  /// if there are no pages for that, nothing of it.
  mutating func writeMesh() {
    guard mesh.isPending else { return }
    let table = peerTable()
    let records = Set(mesh.pendingPeers.map { Int($0.number) / ForwardingModel.recordsPerPage })
    guard hasLastPages(pageCount(relays: table.relays.count, records: records.count)) else {
      return
    }
    isChanged = true
    guard writer.setPeers(table.entries, relays: table.relays) else { return }
    for peer in mesh.pendingPeers {
      guard writer.setEndpoint(record(of: peer), at: peer) else { return }
    }
    writer.setMesh(
      port: mesh.port, shortID: mesh.shortID, sleevePort: mesh.sleevePort, name: mesh.name,
      otherPorts: mesh.otherPorts)
    mesh.pendingPeers = []
    mesh.writtenRelayCount = table.relays.count
    mesh.isPending = false
    reservePages()
  }

  /// Writes the keys of peers and links that changed, as far as pages allow.
  mutating func writeNames() {
    for key in mesh.pendingNames.sorted() {
      let wanted = mesh.names[key]
      guard wanted != mesh.writtenNames[key] else {
        mesh.pendingNames.remove(key)
        continue
      }
      let isNew = mesh.writtenNames[key] == nil
      let pages = isNew ? sourcePages.adding(to: sourceCount) : PageNeeds.change
      guard hasLastPages(pages) else { return }
      isChanged = true
      let isDone =
        wanted.map { writer.setNamed(key, endpoint: $0) } ?? writer.removeNamed(key)
      guard isDone else { return }
      mesh.writtenNames[key] = wanted
      sourcePages.follow(count: sourceCount)
      mesh.pendingNames.remove(key)
    }
  }

  /// Takes neighbours out of the snapshot and puts others in, as far as pages allow.
  mutating func writeNeighbours() {
    guard mesh.areNeighboursPending else { return }
    for address in mesh.writtenNeighbours.keys where mesh.neighbours[address] == nil {
      guard hasLastPages(PageNeeds.change) else { return }
      isChanged = true
      guard writer.removeNeighbour(address) else { return }
      mesh.writtenNeighbours[address] = nil
    }
    for (address, isSealed) in mesh.neighbours where mesh.writtenNeighbours[address] != isSealed {
      guard hasLastPages(sourcePages.adding(to: sourceCount)) else { return }
      isChanged = true
      guard writer.setNeighbour(address, isSealed: isSealed) else { return }
      mesh.writtenNeighbours[address] = isSealed
      sourcePages.follow(count: sourceCount)
    }
    mesh.areNeighboursPending = false
  }
}
