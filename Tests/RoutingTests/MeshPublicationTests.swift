// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Tables
import TestSupport
import Testing
import Wire

/// All of a mesh changes at once, or not yet.
struct MeshPublicationTests {
  private static let count = 200

  /// In state *s* peer *p* has the number 1 + (p + s) mod 200, the next hop s, and the list of
  /// those *l* with l mod 7 = s mod 7.
  private func set(_ state: Int, _ peers: [EndpointIndex], in model: inout ForwardingModel) {
    let list = peers.indices.filter { $0 % 7 == state % 7 }.map { peers[$0] }
    for (number, peer) in peers.enumerated() {
      model.setPeer(
        peer, shortID: ShortID(1 + (number + state) % Self.count), path: path(to: state % 50),
        broadcast: list.filter { $0 != peer })
    }
  }

  /// What does not belong to one state.
  private func problemCount(_ peers: [EndpointIndex], _ snapshot: ForwardingSnapshot) -> Int {
    let first = snapshot.endpoints[Int(peers[0].number)].template
    let state = Int(first.network.destination.number) - 1
    let members = peers.indices.filter { $0 % 7 == state % 7 }.map { peers[$0].number }
    return peers.indices.count { number in
      let shortID = 1 + (number + state) % Self.count
      let entry = snapshot.peer(ShortID(truncating: UInt32(shortID)))
      let template = snapshot.endpoints[Int(peers[number].number)].template
      return entry?.endpoint != peers[number].number
        || Int(template.network.destination.number) != shortID
        || template.destination != path(to: state % 50).destination
        || snapshot.list(shortID) != members.filter { $0 != peers[number].number }
    }
  }

  /// Joins a mesh in state 0.
  private func join(_ model: inout ForwardingModel) throws -> [EndpointIndex] {
    model.setMesh(shortID: ShortID(4000), port: 6784)
    var peers: [EndpointIndex] = []
    for _ in 0..<Self.count { peers.append(try model.addedPeer()) }
    set(0, peers, in: &model)
    publish(&model)
    return peers
  }

  @Test func hundredsOfPeersChangeInOneCommit() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let peers = try join(&model)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    #expect(problemCount(peers, reader.refresh()) == 0)
    for state in 1...8 {
      let generation = model.generation
      set(state, peers, in: &model)
      publish(&model)
      #expect(model.generation == generation + 1)
      #expect(problemCount(peers, reader.refresh()) == 0)
    }
    #expect(reader.refresh().peers.count == ShortID.count)
  }

  @Test func sameMeshAgainIsNotPublished() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let peers = try join(&model)
    let generation = model.generation
    set(0, peers, in: &model)
    model.setMesh(shortID: ShortID(4000), port: 6784)
    model.setMeshFlood([])
    model.setNeighbours([:])
    publish(&model)
    #expect(model.generation == generation)
  }

  /// While a worker holds pages back, snapshots show the state before or the state after.
  @Test(arguments: [58, 62, 66, 70])
  func shortMemoryShowsNoMixture(pageCount: Int) throws {
    let memory = try SnapshotMemory(pageCount: pageCount, entryCountMax: 1000)
    var model = try model(memory)
    let peers = try join(&model)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    var random = SeededGenerator(seed: UInt64(pageCount))
    var pending = 0
    for state in 1...30 {
      set(state, peers, in: &model)
      model.learn(random.number(below: 400), at: port(random.number(below: 4)))
      if !model.commit() { pending += 1 }
      let snapshot = SnapshotReader(memory: memory, worker: 1).refresh()
      #expect(problemCount(peers, snapshot) == 0)
      SnapshotReader(memory: memory, worker: 1).goOffline()
      if random.number(below: 4) == 0 { _ = reader.refresh() }
    }
    #expect(pending > 0)
    _ = reader.refresh()
    var published = model.commit()
    for _ in 0..<3 where !published {
      _ = reader.refresh()
      published = model.commit()
    }
    #expect(published)
    let last = reader.refresh()
    #expect(problemCount(peers, last) == 0)
    #expect(last.endpoints[Int(peers[0].number)].template.network.destination.number == 31)
  }

  @Test func listsThatHaveNoRoomAreLeftOutAndTold() throws {
    let memory = try SnapshotMemory(pageCount: 1024, entryCountMax: 100)
    var model = try model(memory)
    model.setMesh(shortID: ShortID(0), port: 6784)
    // A hub: floods of each go on to all the others.
    var peers: [EndpointIndex] = []
    for _ in 0..<600 { peers.append(try model.addedPeer()) }
    for (number, peer) in peers.enumerated() {
      model.setPeer(
        peer, shortID: ShortID(number + 1), path: path(to: 1),
        broadcast: peers.filter { $0 != peer })
    }
    publish(&model)
    let room = SnapshotWriter.relayCountMax / 599
    #expect(model.peersWithoutList == 600 - room)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    let snapshot = reader.refresh()
    #expect(snapshot.list(room)?.count == 599 && snapshot.list(room + 1)?.isEmpty == true)
  }
}
