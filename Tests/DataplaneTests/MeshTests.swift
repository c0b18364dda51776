// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport
import Testing

/// One switch of a mesh: what it sends to peers, what it takes from them, what it passes on.
struct MeshTests {
  private static let ports = [port(0), port(1), port(2)]

  // MARK: Own frames

  @Test func frameToAStationBehindAPeerNamesBothAndGoesToTheNextHop() throws {
    let bench = try MeshBench()
    bench.bridge.learn(8, at: try bench.behind(3))
    let inner = frame(from: 1, to: 8)
    let sent = try bench.bridge.pass(inner, into: port(0))
    #expect(Array(sent.keys) == [MemorySwitch.underlay])
    let packets = try #require(sent[MemorySwitch.underlay])
    #expect(packets.count == 1)
    #expect(isPacket(packets.first, inner, via: 2, from: 0, to: 3))
  }

  @Test func floodGoesToPortsToConfiguredEndpointsAndToNeighbours() throws {
    let bench = try MeshBench()
    let inner = frame(from: 1, to: 8)
    let sent = try bench.bridge.pass(inner, into: port(0))
    #expect(sent[port(0)] == nil && sent[port(1)] == [inner] && sent[port(2)] == [inner])
    let packets = try #require(sent[MemorySwitch.underlay])
    try #require(packets.count == 4)
    #expect(isPacket(packets[2], inner, via: 1, from: 0, to: 1))
    #expect(isPacket(packets[3], inner, via: 2, from: 0, to: 2))
    #expect(try bench.bridge.account.copied == 5)
  }

  // MARK: Frames for us

  @Test func frameForAKnownStationIsDeliveredAndNotPassedOn() throws {
    let bench = try MeshBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 9, to: 2)
    #expect(try bench.pass(inner, via: 2, from: 3) == [port(1): [inner]])
    let hints = bench.bridge.takeHints()
    #expect(hints.map(\.location) == [try bench.behind(3)])
    #expect(hints.map(\.mac) == [stationMAC(9).bits])
  }

  @Test func stationThatMovedBehindAPeerIsFoundThere() throws {
    let bench = try MeshBench()
    bench.bridge.learn(9, at: behind(port: 0))
    try bench.pass(frame(from: 9, to: 2), via: 2, from: 3)
    for hint in bench.bridge.takeHints() { bench.bridge.model.learn(hint, nowSeconds: 0) }
    #expect(bench.bridge.model.counts.moved == 1)
    let stations = bench.bridge.model.stations(nowSeconds: 0)
    #expect(stations.map(\.location) == [try bench.behind(3)])
  }

  @Test(arguments: [1, 2, 3])
  func floodOfAPeerReachesEveryPortAndGoesOnInItsName(source: Int) throws {
    let bench = try MeshBench()
    let via = source == 1 ? 1 : 2
    let next = source == 1 ? 2 : 1
    for inner in [frame(from: 9, to: 8), FrameBuilder().arpRequest()] {
      let sent = try bench.pass(inner, via: via, from: source)
      for port in Self.ports { #expect(sent[port] == [inner]) }
      let packets = try #require(sent[MemorySwitch.underlay])
      #expect(packets.count == 1)
      #expect(isPacket(packets.first, inner, via: next, from: source, to: next))
    }
  }

  @Test(arguments: [1, 3])
  func frameForAStationBehindAnyPeerIsAFloodOfItsSender(home: Int) throws {
    let bench = try MeshBench()
    bench.bridge.learn(8, at: try bench.behind(home))
    let inner = frame(from: 9, to: 8)
    let sent = try bench.pass(inner, via: 2, from: 3)
    for port in Self.ports { #expect(sent[port] == [inner]) }
    #expect(isPacket(sent[MemorySwitch.underlay]?.first, inner, via: 1, from: 3, to: 1))
  }

  @Test func floodThatNobodyElseReceivesEndsHere() throws {
    var options = MemorySwitch.Options()
    options.stationPortCount = 0
    let bench = try MeshBench(options)
    bench.bridge.setPeer(try #require(bench.peers[3]), shortID: 0xD0D, nextHop: 2)
    bench.bridge.publish()
    #expect(try bench.pass(frame(from: 9, to: 8), via: 2, from: 3).isEmpty)
    #expect(try bench.bridge.account.dropped(.nobodyToFloodTo) == 1)
  }

  // MARK: Relays

  @Test func frameForAnotherPeerIsRelayedAsItCameAndNotLearned() throws {
    let bench = try MeshBench()
    bench.bridge.learn(2, at: behind(port: 1))
    // The station is ours, but the frame is not for us. Nor does it matter what it is.
    for inner in [
      frame(from: 9, to: 2), FrameBuilder().arpRequest(), [UInt8](repeating: 0, count: 14),
    ] {
      let sent = try bench.pass(inner, via: 1, from: 1, to: 3)
      #expect(Array(sent.keys) == [MemorySwitch.underlay])
      let packets = try #require(sent[MemorySwitch.underlay])
      #expect(packets.count == 1)
      #expect(isPacket(packets.first, inner, via: 2, from: 1, to: 3))
    }
    #expect(bench.bridge.takeHints().isEmpty)
    let account = try bench.bridge.account
    #expect(account.sent == 3 && account.copied == 0 && account.isBalanced)
  }

  @Test func relayedFramesShareABatchWithAllOthers() throws {
    let bench = try MeshBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let underlay = try #require(bench.bridge.ports[MemorySwitch.underlay])
    let inner = frame(from: 9, to: 2)
    let past = meshNetwork(from: 0xB0B, to: 0xC0C)
    let here = meshNetwork(from: 0xB0B, to: 0xA0A)
    for _ in 0..<10 {
      #expect(underlay.arrive(meshOuter(fromPeer: 1, inner, network: past)))
      #expect(underlay.arrive(meshOuter(fromPeer: 1, inner, network: here)))
      #expect(underlay.arrive(outer(from: 0, inner)))
    }
    let drawn = bench.bridge.worker.breathe()
    #expect(drawn == 30)
    let sent = bench.bridge.drain()
    #expect(sent[port(1)] == Array(repeating: inner, count: 20))
    #expect(sent[MemorySwitch.underlay]?.count == 10)
  }

  @Test func envelopeWithOptionsIsRelayedWithoutThem() throws {
    let bench = try MeshBench()
    var builder = FrameBuilder(
      sourceMAC: peerMAC(1), destinationMAC: MemorySwitch.ownMAC, source: peerAddress(1),
      destination: MemorySwitch.ownAddress)
    builder.options = [UInt8](repeating: 1, count: 40)
    let inner = frame(from: 9, to: 8)
    let packet = builder.vxlan(
      network: meshNetwork(from: 0xB0B, to: 0xD0D), inner: inner,
      destinationPort: MemorySwitch.meshPort)
    let sent = try bench.bridge.pass(packet, into: MemorySwitch.underlay)
    #expect(isPacket(sent[MemorySwitch.underlay]?.first, inner, via: 2, from: 1, to: 3))
  }

  @Test func relayWithoutAWayOrTooLongForItIsDropped() throws {
    let bench = try MeshBench()
    #expect(
      try bench.pass(opaqueFrame(from: 9, to: 8, length: 1515), via: 1, from: 1, to: 3).isEmpty)
    bench.bridge.setPeer(try #require(bench.peers[3]), shortID: 0xD0D, nextHop: nil)
    bench.bridge.publish()
    #expect(try bench.pass(frame(from: 9, to: 8), via: 1, from: 1, to: 3).isEmpty)
    let account = try bench.bridge.account
    #expect(account.dropped(.tooLongForUnderlay) == 1)
    #expect(account.dropped(.nextHopUnresolved) == 1)
  }

  @Test func relayDoesNotGoBackWhereThePacketCameFrom() throws {
    let bench = try MeshBench()
    #expect(try bench.pass(frame(from: 9, to: 8), via: 2, from: 1, to: 3).isEmpty)
    #expect(try bench.bridge.account.dropped(.meshLoop) == 1)
  }

  // MARK: Two kinds

  @Test func configuredEndpointsAndPeersAreNotBridged() throws {
    let bench = try MeshBench()
    bench.bridge.learn(8, at: try bench.behind(1))
    bench.bridge.learn(7, at: behind(endpoint: 0))
    #expect(
      try bench.bridge.pass(outer(from: 1, frame(from: 9, to: 8)), into: MemorySwitch.underlay)
        .isEmpty)
    #expect(try bench.bridge.account.dropped(.splitHorizon) == 1)
    let flood = try bench.bridge.pass(
      outer(from: 1, frame(from: 9, to: 6)), into: MemorySwitch.underlay)
    #expect(Set(flood.keys) == Set(Self.ports))
    // To the peer, a station behind a configured endpoint is as good as unknown.
    let inner = frame(from: 9, to: 7)
    let sent = try bench.pass(inner, via: 1, from: 1)
    for port in Self.ports { #expect(sent[port] == [inner]) }
    let packets = try #require(sent[MemorySwitch.underlay])
    #expect(packets.count == 1 && isPacket(packets.first, inner, via: 2, from: 1, to: 2))
  }

  @Test func outerPortTellsTheKindsApart() throws {
    let bench = try MeshBench()
    let inner = frame(from: 9, to: 8)
    let network = meshNetwork(from: 0xB0B, to: 0xA0A)
    let added = bench.bridge.model.addEndpoint(
      address: peerAddress(1), network: VirtualNetwork(bits: network),
      underlayPort: MemorySwitch.underlay)
    let endpoint = try #require(added)
    bench.bridge.publish()
    let builder = FrameBuilder(source: peerAddress(1), destination: MemorySwitch.ownAddress)
    for port in [4789, MemorySwitch.meshPort] {
      try bench.bridge.pass(
        builder.vxlan(network: network, inner: inner, destinationPort: port),
        into: MemorySwitch.underlay)
    }
    #expect(
      bench.bridge.takeHints().map(\.location) == [Location(endpoint), try bench.behind(1)])
    // And without a mesh there is no second kind.
    bench.bridge.model.setMesh(shortID: nil, port: 0)
    bench.bridge.publish()
    try bench.bridge.pass(
      builder.vxlan(network: network, inner: inner, destinationPort: MemorySwitch.meshPort),
      into: MemorySwitch.underlay)
    #expect(bench.bridge.takeHints().map(\.location) == [Location(endpoint)])
  }
}
