// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Inet

/// What tells the packets of one configured endpoint from those of another.
struct EndpointSource: Equatable {
  let address: IPv4Address
  let network: VirtualNetwork
}

extension ForwardingModel {
  /// An endpoint and what is known of the path to it.
  struct Endpoint {
    /// Nil of a peer, whose packets come from neighbours.
    let source: EndpointSource?
    let underlayPort: PortIndex
    /// The short number of a peer that has one.
    var shortID: ShortID?
    /// Of a peer, the neighbours that its floods are passed on to.
    var broadcast: [EndpointIndex] = []
    /// What a peer, or the neighbour of a link, is called.
    var name = PeerName.unknown
    /// Which overlay it is a link of; nil if it is no link.
    var link: Overlay?
    /// Of a link: what is taken from it.
    var reception = LinkReception()
    var isPeer: Bool { source == nil && link == nil }
    /// What the snapshot finds it by; nil of configured endpoints.
    var key: UInt64? {
      guard source == nil, name != .unknown else { return nil }
      return link.map { SnapshotKey.link(name, $0) } ?? SnapshotKey.peer(name)
    }
    var reached: EndpointPath?
    /// The port that its packets leave by.
    var portInUse: PortIndex { reached?.underlayPort ?? underlayPort }
    /// Nil as long as it is there.
    var removal: Removal?
  }

  /// How far an endpoint's removal has come.
  enum Removal: Equatable {
    /// The published snapshot may still name it.
    case pending
    /// No snapshot names it from this generation on.
    case published(generation: UInt64)
    /// Its index may be given out again.
    case complete
  }

  /// Adds an endpoint that sends from `address` with `network`, to which floods go.
  ///
  /// It is unresolved until `setEndpoint(_:reached:)`. Indices are 0, 1, 2 and so on, but first
  /// those that `reuseEndpoints(_:)` gave back. Returns nil if there is an endpoint with this
  /// address and network, or no room for another.
  public mutating func addEndpoint(
    address: IPv4Address, network: VirtualNetwork, underlayPort: PortIndex
  ) -> EndpointIndex? {
    let source = EndpointSource(address: address, network: network)
    let leftover = leftoverSources.firstIndex(of: source)
    let keyPages =
      leftover == nil ? sourcePages.adding(to: sourceCount) : PageNeeds.change
    guard let index = freeIndex,
      !endpoints.contains(where: { $0.source == source && $0.removal == nil }),
      hasPages(keyPages + 1)
    else { return nil }
    isChanged = true
    // If the second change is refused, the record is one that no source and no flood list names,
    // and the next endpoint overwrites it.
    guard writer.setEndpoint(.unresolved(port: underlayPort), at: index),
      writer.setSource(address, network, endpoint: index)
    else { return nil }
    if let leftover { leftoverSources.remove(at: leftover) }
    enter(Endpoint(source: source, underlayPort: underlayPort), at: index)
    sourcePages.follow(count: sourceCount)
    isFloodPending = true
    return index
  }

  /// The index of the next endpoint; nil if there are too many.
  var freeIndex: EndpointIndex? {
    let reused = endpoints.firstIndex { $0.removal == .complete }
    return UInt16(exactly: reused ?? endpoints.count).map { EndpointIndex($0) }
  }

  /// Stations may be behind the endpoint at `index`, a free one, from now on.
  mutating func enter(_ endpoint: Endpoint, at index: EndpointIndex) {
    let place = Int(index.number)
    if place < endpoints.count { endpoints[place] = endpoint } else { endpoints.append(endpoint) }
    book.add(location(of: index))
  }

  /// Where stations behind an endpoint are.
  private func location(of endpoint: EndpointIndex) -> Location {
    let isPeer = endpoints[Int(endpoint.number)].isPeer
    return isPeer ? Location(peer: endpoint) : Location(endpoint)
  }

  /// Says how an endpoint is reached; nil if its next hop is not resolved.
  public mutating func setEndpoint(_ endpoint: EndpointIndex, reached: EndpointPath?) {
    let index = Int(endpoint.number)
    precondition(isThere(endpoint), "an endpoint that addEndpoint returned")
    guard endpoints[index].reached != reached else { return }
    endpoints[index].reached = reached
    noteRecord(of: endpoint)
  }

  func isPeer(_ endpoint: EndpointIndex) -> Bool { endpoints[Int(endpoint.number)].isPeer }

  // MARK: Removal

  /// Forgets an endpoint and every station behind it: nothing is sent there any more, and what
  /// comes from there is refused.
  ///
  /// Its index is not given out again before `reuseEndpoints(_:)`.
  public mutating func removeEndpoint(_ endpoint: EndpointIndex) {
    let index = Int(endpoint.number)
    precondition(isThere(endpoint), "an endpoint that addEndpoint returned")
    endpoints[index].removal = .pending
    endpoints[index].reached = nil
    // The record stays in its place and leads nowhere, for a station that is still left over.
    noteRecord(of: endpoint)
    if let source = endpoints[index].source {
      leftoverSources.append(source)
    } else if isPeer(endpoint) {
      unlist(endpoint)
    }
    if let key = endpoints[index].key { forget(key, of: endpoint) }
    for identifier in endpoints[index].reception.identifiers {
      forget(SnapshotKey.security(identifier), of: endpoint)
    }
    isFloodPending = true
    for mac in book.remove(location(of: endpoint)) { forget(mac) }
  }

  /// Removed endpoints that no worker finds in its snapshot any more.
  ///
  /// Hints that name them may still be on their way up. Take all hints there are, which refuses
  /// these, and then hand the endpoints to `reuseEndpoints(_:)`: otherwise a hint about a station
  /// behind an endpoint that is gone would be taken for one about its successor's.
  public var vanishedEndpoints: [EndpointIndex] {
    let oldest = writer.oldestRead
    return endpoints.indices.filter {
      if case .published(let generation)? = endpoints[$0].removal {
        generation <= oldest
      } else {
        false
      }
    }.map { EndpointIndex(UInt16($0)) }
  }

  /// Lets the indices of `vanished` be given out again; to be called when every hint that was
  /// there after `vanishedEndpoints` named them has been taken.
  public mutating func reuseEndpoints(_ vanished: [EndpointIndex]) {
    for endpoint in vanished {
      guard case .published? = endpoints[Int(endpoint.number)].removal else { continue }
      endpoints[Int(endpoint.number)].removal = .complete
    }
  }

  /// Every removal so far is in the published snapshot.
  mutating func noteRemovals() {
    for index in endpoints.indices where endpoints[index].removal == .pending {
      endpoints[index].removal = .published(generation: generation)
    }
  }

  func isThere(_ endpoint: EndpointIndex) -> Bool {
    Int(endpoint.number) < endpoints.count && endpoints[Int(endpoint.number)].removal == nil
  }

  // MARK: Snapshot

  /// Keys in the snapshot's table of sources.
  var sourceCount: Int {
    endpoints.count { $0.removal == nil && $0.source != nil } + leftoverSources.count
      + mesh.writtenNeighbours.count + mesh.writtenNames.count
  }

  /// The endpoint's record in the snapshot is behind what is known.
  mutating func noteRecord(of endpoint: EndpointIndex) {
    if endpoints[Int(endpoint.number)].source == nil {
      mesh.notePeer(endpoint)
    } else {
      pendingEndpoints.insert(endpoint)
    }
  }

  mutating func writeEndpoints() {
    for index in pendingEndpoints.sorted(by: { $0.number < $1.number }) {
      guard hasLastPages(1) else { return }
      isChanged = true
      guard writer.setEndpoint(record(of: index), at: index) else { return }
      pendingEndpoints.remove(index)
    }
  }

  /// What the snapshot is to say of the path to an endpoint.
  func record(of index: EndpointIndex) -> EndpointRecord {
    let endpoint = endpoints[Int(index.number)]
    var record = EndpointRecord.unresolved(port: endpoint.underlayPort)
    if let path = endpoint.reached, let network = network(of: endpoint, path) {
      record = path.record(port: endpoint.underlayPort, network: network)
    }
    if let link = endpoint.link {
      record.overlay = link
      record.opening = endpoint.reception.opening ?? EndpointRecord.noKey
      record.formerOpening = endpoint.reception.formerOpening ?? EndpointRecord.noKey
      record.isReceiving = endpoint.reception.isReceiving
    }
    record.name = endpoint.name.bits
    record.shortID = endpoint.shortID?.number ?? PeerEntry.nobody
    return record
  }

  /// What packets to an endpoint carry; nil if it is a peer and a short number is missing.
  private func network(of endpoint: Endpoint, _ path: EndpointPath) -> VirtualNetwork? {
    guard endpoint.source == nil else { return path.network }
    if path.sleeve != nil { return VirtualNetwork(bits: 0) }
    guard let own = mesh.shortID, let peer = endpoint.shortID else { return nil }
    return VirtualNetwork(from: own, to: peer)
  }

  /// Takes the sources of removed endpoints out of the snapshot, as far as pages allow.
  mutating func removeLeftoverSources() {
    while let source = leftoverSources.last {
      guard hasLastPages(PageNeeds.change) else { return }
      isChanged = true
      guard writer.removeSource(source.address, source.network) else { return }
      leftoverSources.removeLast()
    }
  }
}
