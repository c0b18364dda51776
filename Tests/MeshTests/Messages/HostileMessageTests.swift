// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Gob
import Inet
import Mesh
import TestSupport
import Testing

/// Messages that come from anybody: they are understood or refused, and what is understood can be
/// said again.
@Suite struct HostileMessageTests {
  /// The recorded frames of features, and the gossip after its tag.
  private static func recorded() throws -> [[UInt8]] {
    let session = try #require(try Capture(named: "weave-v2-plain").sessions.first)
    return try [session.clientBytes, session.serverBytes].flatMap { stream in
      let frames = try #require(Protocol2Stream(stream)).frames
      return frames.prefix(1) + frames.dropFirst().map { Array($0.dropFirst()) }
    }
  }

  private static func updates() throws -> [[UInt8]] {
    try recorded().compactMap { try? GossipEnvelope(gob: $0, isUnicast: false) }
      .filter { $0.channel == "topology" }.map(\.payload)
  }

  private func tryAll(_ bytes: [UInt8], _ comment: String) {
    if let map = try? FeatureMap(gob: bytes) {
      #expect((try? FeatureMap(gob: map.gob)) == map, "\(comment)")
      if let features = try? Features(map) {
        #expect((try? Features(features.map)) == features, "\(comment)")
      }
    }
    for isUnicast in [false, true] {
      guard let envelope = try? GossipEnvelope(gob: bytes, isUnicast: isUnicast) else { continue }
      let again = try? GossipEnvelope(gob: envelope.gob, isUnicast: isUnicast)
      #expect(again == envelope, "\(comment)")
    }
    if let update = try? TopologyUpdate(gob: bytes) {
      var sorted = update
      sorted.peers.sort { $0.name < $1.name }
      #expect((try? TopologyUpdate(gob: update.gob)) == sorted, "\(comment)")
      #expect(update.peers.allSatisfy { $0.name != .unknown }, "\(comment)")
    }
  }

  @Test(arguments: fixedSeeds)
  func damagedMessagesAreUnderstoodOrRefused(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for message in try Self.recorded() + Self.updates() where !message.isEmpty {
      for _ in 0..<10 {
        var bytes = message
        for _ in 0...generator.number(below: 3) {
          let index = generator.number(below: bytes.count)
          bytes[index] = UInt8(truncatingIfNeeded: generator.next())
        }
        tryAll(bytes, "\(generator)")
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func randomBytesAreRefusedOrUnderstood(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      let length = generator.number(below: 100)
      tryAll(generator.bytes(length), "\(generator)")
    }
  }

  @Test func everyTruncationOfAnUpdateIsRefusedOrHasFewerPeers() throws {
    for update in try Self.updates() {
      let whole = try TopologyUpdate(gob: update).peers.count
      for length in 0..<update.count {
        let part = try? TopologyUpdate(gob: Array(update[..<length]))
        #expect((part?.peers.count ?? 0) < whole, "\(length) bytes")
      }
    }
  }

  @Test func ofTooManyPeersTheRestIsLeftOut() throws {
    let peers = (1...TopologyUpdate.peerCountMax).map { number in
      PeerDescription(
        name: PeerName(bits: UInt64(number)), nickname: "", uid: 1, version: 1, shortID: nil,
        connections: [])
    }
    var update = TopologyUpdate(peers: peers)
    #expect(try TopologyUpdate(gob: update.gob).peers.count == peers.count)
    update.peers[0].name = PeerName(bits: 0xFFFF_FFFF_FFFF)
    update.peers.append(peers[0])
    #expect(try TopologyUpdate(gob: update.gob).peers.count == peers.count)
  }

  @Test func ofConnectionsToTheSamePeerTheLastCounts() throws {
    let peer = PeerName(bits: 2)
    let description = PeerDescription(
      name: PeerName(bits: 1), nickname: "", uid: 1, version: 1, shortID: nil,
      connections: [
        .init(peer: peer, address: "first", isOutbound: true, isEstablished: true),
        .init(peer: peer, address: "last", isOutbound: false, isEstablished: false),
      ])
    let read = try TopologyUpdate(gob: TopologyUpdate(peers: [description]).gob)
    #expect(read.peers.first?.connections.map(\.address) == ["last"])
  }
}
