// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Tables
import TestSupport
import Testing
import Wire

/// Peers of the mesh in the model and in its snapshots.
struct MeshModelTests {
  private let memory: SnapshotMemory

  init() throws { memory = try roomySnapshotMemory() }

  /// The snapshot as worker 0 gets it.
  private func refresh() -> ForwardingSnapshot {
    SnapshotReader(memory: memory, worker: 0).refresh()
  }

  @Test func withoutAMeshASnapshotHasNothingOfIt() throws {
    var model = try model(memory)
    publish(&model)
    let snapshot = refresh()
    #expect(snapshot.meshPort == 0 && snapshot.shortID == PeerEntry.nobody)
    #expect(snapshot.peers.count == 0 && snapshot.relays.count == 0)
    #expect(snapshot.peer(ShortID(truncating: 0)) == nil)
  }

  @Test func recordOfAPeerCarriesBothNumbersAndThePathToTheNextHop() throws {
    var model = try model(memory)
    model.setMesh(shortID: ShortID(0xABC), port: 6784)
    let peer = try model.addedPeer()
    model.setPeer(peer, shortID: ShortID(0x123), path: path(to: 3), broadcast: [])
    publish(&model)
    let snapshot = refresh()
    #expect(snapshot.meshPort == 6784 && snapshot.shortID == 0xABC)
    let record = snapshot.endpoints[Int(peer.number)]
    #expect(record.isResolved && record.port == PortIndex(9))
    #expect(record.template.network == VirtualNetwork(bits: 0x123ABC))
    #expect(record.template.destination == path(to: 3).destination)
    #expect(snapshot.peer(ShortID(truncating: 0x123))?.endpoint == peer.number)
    #expect(snapshot.peer(ShortID(truncating: 0xABC)) == nil)
  }

  @Test func whatIsMissingLeavesAPeerUnresolved() throws {
    var model = try model(memory)
    let peer = try model.addedPeer()
    func isResolved(_ snapshot: ForwardingSnapshot) -> Bool {
      snapshot.endpoints[Int(peer.number)].isResolved
    }
    publish(&model)
    #expect(!isResolved(refresh()))
    model.setPeer(peer, shortID: ShortID(5), path: path(to: 1), broadcast: [])
    publish(&model)
    #expect(!isResolved(refresh()))
    model.setMesh(shortID: ShortID(6), port: 6784)
    publish(&model)
    #expect(isResolved(refresh()))
    model.setPeer(peer, shortID: ShortID(5), path: nil, broadcast: [])
    publish(&model)
    #expect(!isResolved(refresh()))
    model.setPeer(peer, shortID: nil, path: path(to: 1), broadcast: [])
    publish(&model)
    #expect(!isResolved(refresh()) && refresh().peer(ShortID(truncating: 5)) == nil)
    model.setPeer(peer, shortID: ShortID(5), path: path(to: 1), broadcast: [])
    model.removePort(PortIndex(9))
    publish(&model)
    #expect(!isResolved(refresh()))
  }

  @Test func peersGetFloodsOnlyIfTheyAreNamed() throws {
    var model = try model(memory)
    var peers: [EndpointIndex] = []
    for _ in 0..<4 { peers.append(try model.addedPeer()) }
    publish(&model)
    #expect(refresh().flood.endpoints == [0, 1])
    model.setMeshFlood([peers[2], peers[0], peers[2]])
    publish(&model)
    #expect(refresh().flood.endpoints == [0, 1, peers[0].number, peers[2].number])
    model.setMeshFlood([])
    publish(&model)
    #expect(refresh().flood.endpoints == [0, 1])
  }

  @Test func equalListsAreKeptOnceAndOnlyPeersAreInThem() throws {
    var model = try model(memory)
    model.setMesh(shortID: ShortID(1), port: 6784)
    var peers: [EndpointIndex] = []
    for _ in 0..<300 { peers.append(try model.addedPeer()) }
    let list = Array(peers[0..<50])
    for (number, peer) in peers.enumerated() {
      let others = number % 2 == 0 ? list : list.reversed() + [EndpointIndex(0), list[0]]
      model.setPeer(peer, shortID: ShortID(number + 2), path: path(to: 1), broadcast: others)
    }
    publish(&model)
    #expect(model.peersWithoutList == 0)
    let snapshot = refresh()
    #expect(snapshot.relays.count == 50)
    for number in peers.indices { #expect(snapshot.list(number + 2) == list.map(\.number)) }
  }

  @Test func ofPeersWithOneNumberTheFirstHasIt() throws {
    var model = try model(memory)
    var peers: [EndpointIndex] = []
    for _ in 0..<3 { peers.append(try model.addedPeer()) }
    for peer in peers.reversed() {
      model.setPeer(peer, shortID: ShortID(7), path: nil, broadcast: [])
    }
    publish(&model)
    #expect(refresh().peer(ShortID(truncating: 7))?.endpoint == peers[0].number)
    model.removeEndpoint(peers[0])
    publish(&model)
    #expect(refresh().peer(ShortID(truncating: 7))?.endpoint == peers[1].number)
  }

  @Test func removedPeerIsNamedNowhereAndItsSuccessorStartsAfresh() throws {
    var model = try model(memory)
    model.setMesh(shortID: ShortID(1), port: 6784)
    var peers: [EndpointIndex] = []
    for _ in 0..<3 { peers.append(try model.addedPeer()) }
    for (number, peer) in peers.enumerated() {
      model.setPeer(
        peer, shortID: ShortID(number + 2), path: path(to: number),
        broadcast: peers.filter { $0 != peer })
    }
    model.setMeshFlood(peers)
    model.learn(7, at: Location(peer: peers[0]))
    publish(&model)
    #expect(model.stationCount == 1)
    model.removeEndpoint(peers[0])
    publish(&model)
    #expect(model.stationCount == 0)
    let snapshot = refresh()
    #expect(snapshot.peer(ShortID(truncating: 2)) == nil)
    #expect(!snapshot.endpoints[Int(peers[0].number)].isResolved)
    #expect(snapshot.list(3) == [peers[2].number] && snapshot.list(4) == [peers[1].number])
    #expect(snapshot.flood.endpoints == [0, 1, peers[1].number, peers[2].number])
    #expect(model.vanishedEndpoints == [peers[0]])
    model.learn(7, at: Location(peer: peers[0]))
    #expect(model.counts.refused == 1)
    model.reuseEndpoints(model.vanishedEndpoints)
    let successor = try model.addedPeer()
    #expect(successor == peers[0])
    publish(&model)
    #expect(refresh().list(3) == [peers[2].number])
    #expect(refresh().flood.endpoints == [0, 1, peers[1].number, peers[2].number])
  }

  @Test func endpointOfOneKindMayFollowOneOfTheOther() throws {
    var model = try model(memory)
    model.setMesh(shortID: ShortID(1), port: 6784)
    let peer = try model.addedPeer()
    model.setPeer(peer, shortID: ShortID(2), path: path(to: 1), broadcast: [])
    publish(&model)
    model.removeEndpoint(peer)
    model.removeEndpoint(EndpointIndex(0))
    publish(&model)
    _ = refresh()
    model.reuseEndpoints(model.vanishedEndpoints)
    let first = try model.addedPeer()
    let second = model.addEndpoint(
      address: path(to: 8).destination, network: VirtualNetwork(bits: 5),
      underlayPort: PortIndex(9))
    #expect(first == EndpointIndex(0) && second == peer)
    model.setEndpoint(peer, reached: path(to: 8))
    model.setPeer(first, shortID: ShortID(2), path: path(to: 2), broadcast: [])
    model.learn(1, at: Location(peer: first))
    model.learn(2, at: endpoint(Int(peer.number)))
    publish(&model)
    #expect(model.counts.refused == 0)
    let snapshot = refresh()
    #expect(snapshot.endpoints[0].template.network == VirtualNetwork(bits: 0x2001))
    #expect(snapshot.endpoints[Int(peer.number)].template.network == path(to: 8).network)
    #expect(snapshot.station(1)?.location == Location(peer: first))
    #expect(snapshot.station(2)?.location == Location(peer))
  }

  @Test func neighboursComeAndGo() throws {
    var model = try model(memory)
    let addresses = (0..<600).map { IPv4Address(bits: 0x0A00_0000 + $0) }
    model.setNeighbours(
      Dictionary(uniqueKeysWithValues: addresses[0..<400].map { ($0, false) }))
    publish(&model)
    #expect(refresh().sources.count == 402)
    model.setNeighbours(
      Dictionary(uniqueKeysWithValues: addresses[200..<600].map { ($0, false) }))
    publish(&model)
    let snapshot = refresh()
    for (number, address) in addresses.enumerated() {
      let value = snapshot.sources.value(for: SnapshotKey.neighbour(address))
      #expect((value != PagedTableReader.missing) == (number >= 200))
    }
    model.setNeighbours([:])
    publish(&model)
    #expect(refresh().sources.count == 2)
  }
}

/// The way to a test's peer.
func path(to number: Int) -> EndpointPath {
  EndpointPath(
    sourceMAC: MACAddress(bits: 0x02_00_00_00_AA_01),
    destinationMAC: MACAddress(bits: 0x02_00_00_00_BB_00 + UInt64(number)),
    source: IPv4Address(bits: 0xC000_02FE),
    destination: IPv4Address(bits: 0xC633_6400 + UInt32(number)), destinationPort: 6784,
    network: VirtualNetwork(bits: 99), innerLengthMax: 1464)
}

/// Publishes everything.
func publish(
  _ model: inout ForwardingModel, sourceLocation: SourceLocation = #_sourceLocation
) {
  let isComplete = model.commit()
  #expect(isComplete, sourceLocation: sourceLocation)
}

extension ForwardingModel {
  /// Adds a peer behind port 9.
  mutating func addedPeer() throws -> EndpointIndex {
    let peer = addPeer(underlayPort: PortIndex(9))
    return try #require(peer)
  }
}

extension ForwardingSnapshot {
  /// Whom floods from the peer with this short number are passed on to; nil if there is none.
  func list(_ shortID: Int) -> [UInt16]? {
    guard let entry = peer(ShortID(truncating: UInt32(shortID))) else { return nil }
    let relays = relays
    return entry.relayPlaces(of: relays.count).map { relays[$0] }
  }
}
