// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport
import Testing

/// Packets of the mesh that nobody well-meaning sends, or that come too early or too late.
struct MeshForgeryTests {
  @Test func packetFromNobodyWeAreConnectedWithIsRefused() throws {
    let bench = try MeshBench()
    let inner = frame(from: 9, to: 8)
    #expect(try bench.pass(inner, via: 3, from: 3).isEmpty)
    #expect(try bench.pass(inner, via: 77, from: 1, to: 2).isEmpty)
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 2)
    // A neighbour in the mesh is no configured endpoint either.
    try bench.bridge.pass(
      FrameBuilder(source: peerAddress(1)).vxlan(network: 0, inner: inner),
      into: MemorySwitch.underlay)
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 3)
    #expect(bench.bridge.takeHints().isEmpty)
  }

  @Test func numbersThatNobodyHasAreRefused() throws {
    let bench = try MeshBench()
    let inner = frame(from: 9, to: 8)
    let networks = [
      meshNetwork(from: 0, to: MeshBench.own), meshNetwork(from: 0xFFF, to: MeshBench.own),
      meshNetwork(from: 0xB0B, to: 0), meshNetwork(from: 0xB0B, to: 0xFFF), 0, 0xFF_FFFF,
    ]
    for network in networks {
      let packet = meshOuter(fromPeer: 1, inner, network: network)
      #expect(try bench.bridge.pass(packet, into: MemorySwitch.underlay).isEmpty)
    }
    #expect(try bench.bridge.account.dropped(.peerUnknown) == UInt64(networks.count))
    #expect(bench.bridge.takeHints().isEmpty)
  }

  @Test func ownFrameThatComesBackIsRefused() throws {
    let bench = try MeshBench()
    for destination in [0, 1, 3] {
      #expect(try bench.pass(frame(from: 1, to: 8), via: 2, from: 0, to: destination).isEmpty)
    }
    #expect(try bench.bridge.account.dropped(.meshLoop) == 3)
    #expect(bench.bridge.takeHints().isEmpty)
  }

  @Test func withoutAShortNumberNothingIsSentAndNothingTaken() throws {
    let bench = try MeshBench()
    bench.bridge.learn(8, at: try bench.behind(1))
    bench.bridge.model.setMesh(shortID: nil, port: MemorySwitch.meshPort)
    bench.bridge.publish()
    #expect(try bench.pass(frame(from: 9, to: 7), via: 1, from: 1).isEmpty)
    #expect(try bench.pass(frame(from: 9, to: 7), via: 1, from: 1, to: 2).isEmpty)
    #expect(try bench.bridge.account.dropped(.peerUnknown) == 2)
    #expect(try bench.bridge.pass(frame(from: 1, to: 8), into: port(0)).isEmpty)
    #expect(try bench.bridge.account.dropped(.nextHopUnresolved) == 1)
  }

  @Test func numbersThatChangeAreTheNewOnesFromTheNextSnapshotOn() throws {
    let bench = try MeshBench()
    bench.bridge.learn(8, at: try bench.behind(1))
    let inner = frame(from: 1, to: 8)
    bench.bridge.setPeer(try #require(bench.peers[1]), shortID: 0x111, nextHop: 1)
    bench.bridge.publish()
    try #require(try networks(of: bench, sending: inner) == [meshNetwork(from: 0xA0A, to: 0x111)])
    #expect(try bench.pass(frame(from: 9, to: 1), via: 1, from: 1).isEmpty)
    #expect(try bench.bridge.account.dropped(.peerUnknown) == 1)
    bench.bridge.model.setMesh(shortID: ShortID(0x222), port: MemorySwitch.meshPort)
    bench.bridge.publish()
    #expect(try networks(of: bench, sending: inner) == [meshNetwork(from: 0x222, to: 0x111)])
    let packet = meshOuter(
      fromPeer: 1, frame(from: 9, to: 8), network: meshNetwork(from: 0x111, to: 0x222))
    #expect(try bench.bridge.pass(packet, into: MemorySwitch.underlay).count == 3)
  }

  private func networks(of bench: MeshBench, sending inner: [UInt8]) throws -> [UInt32] {
    let sent = try bench.bridge.pass(inner, into: port(0))[MemorySwitch.underlay] ?? []
    return sent.map { UInt32($0[46]) << 16 | UInt32($0[47]) << 8 | UInt32($0[48]) }
  }

  @Test func removedPeerIsNobody() throws {
    let bench = try MeshBench()
    bench.bridge.learn(8, at: try bench.behind(1))
    bench.bridge.model.removeEndpoint(try #require(bench.peers[1]))
    bench.bridge.publish()
    let sent = try bench.bridge.pass(frame(from: 1, to: 8), into: port(0))
    // Its station is forgotten; the flood goes to two endpoints and one neighbour.
    #expect(sent[MemorySwitch.underlay]?.count == 3)
    #expect(try bench.pass(frame(from: 9, to: 1), via: 1, from: 1).isEmpty)
    #expect(try bench.pass(frame(from: 9, to: 1), via: 2, from: 2, to: 1).isEmpty)
    #expect(try bench.bridge.account.dropped(.peerUnknown) == 2)
    #expect(try bench.pass(frame(from: 9, to: 7), via: 2, from: 3).count == 3)
  }

  /// Random identifiers, half of them with numbers that somebody has, while numbers change.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func everyIdentifierHasAnEndThatIsCounted(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try MeshBench()
    var numbers = MeshBench.shortIDs + [0, 0xFFF]
    for round in 0..<4000 {
      if round % 100 == 99 {
        let peer = 1 + random.number(below: 3)
        numbers[peer] = UInt16(random.number(below: 4096))
        let index = try #require(bench.peers[peer])
        bench.bridge.setPeer(index, shortID: numbers[peer], nextHop: random.number(below: 3))
        bench.bridge.publish()
      }
      let known = meshNetwork(
        from: numbers[random.number(below: 6)], to: numbers[random.number(below: 6)])
      let network = round % 2 == 0 ? known : UInt32(random.number(below: 1 << 24))
      let inner = frame(from: random.number(below: 6), to: random.number(below: 6))
      let packet = meshOuter(fromPeer: random.number(below: 4), inner, network: network)
      let sent = try bench.bridge.pass(packet, into: MemorySwitch.underlay)
      let account = try bench.bridge.account
      try #require(account.isBalanced && account.held == 0, "\(random)")
      try #require(sent.values.allSatisfy { $0.count <= 2 }, "\(random)")
      _ = bench.bridge.takeHints()
    }
    bench.bridge.worker.breathe(times: 2)
    #expect(bench.bridge.knownChunkCount == bench.bridge.options.frameCount, "\(random)")
    let account = try bench.bridge.account
    for reason in [DropReason.peerUnknown, .meshLoop, .endpointUnknown] {
      #expect(account.dropped(reason) > 0, "\(random): \(reason)")
    }
  }
}
