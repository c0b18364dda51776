// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Our own connections, and what we tell others.
struct TopologyTests {
  private let own = described(peer(5), uid: 55, shortID: ShortID(7))

  private func topologyWithTwoConnections() -> Topology {
    var topology = Topology(own: own)
    topology.addConnection(to: described(peer(9)), address: "10.0.0.9:6783", isOutbound: true)
    topology.addConnection(to: described(peer(2)), address: "10.0.0.2:40000", isOutbound: false)
    return topology
  }

  @Test func startsWithNobodyElse() {
    var talkative = own
    talkative.connections = described(peer(5), connectedWith: [peer(1)]).connections
    let topology = Topology(own: talkative)
    #expect(topology.peers == [peer(5): own])
    #expect(topology.own == own)
    #expect(topology.connectionCount == 0)
  }

  @Test func everyChangeCountsTheVersionUp() {
    var topology = topologyWithTwoConnections()
    #expect(topology.own.version == 2)
    topology.setEstablished(true, with: peer(9))
    #expect(topology.own.version == 3)
    topology.removeConnection(with: peer(2))
    #expect(topology.own.version == 4)
    #expect(
      topology.own.connections == [
        PeerDescription.Connection(
          peer: peer(9), address: "10.0.0.9:6783", isOutbound: true, isEstablished: true)
      ])
    #expect(topology.connectionCount == 1)
  }

  @Test func whatChangesNothingDoesNotCount() {
    var topology = topologyWithTwoConnections()
    topology.setEstablished(false, with: peer(9))
    topology.setEstablished(true, with: peer(77))
    topology.removeConnection(with: peer(77))
    topology.addConnection(to: own, address: "", isOutbound: true)
    topology.addConnection(to: described(.unknown), address: "", isOutbound: true)
    #expect(topology.own.version == 2)
    #expect(topology.own.connections.map(\.peer) == [peer(2), peer(9)])
  }

  @Test func anotherConnectionWithTheSamePeerReplacesTheFirst() {
    var topology = topologyWithTwoConnections()
    topology.setEstablished(true, with: peer(9))
    topology.addConnection(to: described(peer(9)), address: "10.0.0.9:50000", isOutbound: false)
    #expect(topology.own.version == 4)
    #expect(topology.own.connections.map(\.peer) == [peer(2), peer(9)])
    #expect(topology.own.connections.last?.isEstablished == false)
    #expect(topology.own.connections.last?.address == "10.0.0.9:50000")
    #expect(topology.connectionCount == 2)
  }

  @Test func unknownRemoteEntersThePictureWithoutItsConnections() {
    var topology = Topology(own: own)
    let remote = described(
      peer(9), uid: 99, version: 3, shortID: ShortID(8), connectedWith: [peer(4)])
    topology.addConnection(to: remote, address: "", isOutbound: true)
    var expected = remote
    expected.connections = []
    #expect(topology.peers[peer(9)] == expected)
    #expect(topology.owner(of: ShortID(truncating: 8)) == peer(9))
  }

  @Test func knownRemoteStaysAsItWas() throws {
    var topology = Topology(own: own)
    var random = SeededGenerator(seed: 1)
    let known = described(peer(9), uid: 1, version: 3, connectedWith: [peer(5)])
    _ = topology.merge(TopologyUpdate(peers: [known]), random: &random)
    topology.addConnection(to: described(peer(9), uid: 2), address: "", isOutbound: true)
    #expect(topology.peers[peer(9)] == known)
  }

  @Test func lastVersionStays() {
    var topology = Topology(own: described(peer(5), version: .max))
    topology.addConnection(to: described(peer(9)), address: "", isOutbound: true)
    #expect(topology.own.version == .max)
    #expect(topology.own.connections.count == 1)
  }

  @Test func updateIsAboutThoseAskedForByName() {
    let topology = topologyWithTwoConnections()
    let all = topology.update(about: nil).peers
    #expect(all.map(\.name) == [peer(2), peer(5), peer(9)])
    #expect(all == all.compactMap { topology.peers[$0.name] })
    let some = topology.update(about: [peer(9), peer(77), peer(5)]).peers
    #expect(some.map(\.name) == [peer(5), peer(9)])
    #expect(topology.update(about: []).peers == [])
  }
}
