// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Gob
import Inet
import Mesh
import TestSupport
import Testing

/// The messages of two Weave routers.
@Suite struct RecordedMessageTests {
  private static func frames() throws -> [[[UInt8]]] {
    let session = try #require(try Capture(named: "weave-v2-plain").sessions.first)
    return try [session.clientBytes, session.serverBytes].map {
      try #require(Protocol2Stream($0)).frames
    }
  }

  /// The envelopes with their tags.
  private static func envelopes() throws -> [(tag: UInt8, envelope: GossipEnvelope, gob: [UInt8])] {
    try frames().flatMap { $0.dropFirst() }.compactMap { frame in
      guard let tag = frame.first, 4...6 ~= tag else { return nil }
      let gob = Array(frame.dropFirst())
      return (tag, try GossipEnvelope(gob: gob, isUnicast: tag == 5), gob)
    }
  }

  @Test func featuresSayWhoIsThere() throws {
    let ends: [(nickname: String, bits: UInt64)] = [
      ("hostB", 0x0200_0000_000B), ("hostA", 0x0200_0000_000A),
    ]
    for (frames, end) in zip(try Self.frames(), ends) {
      let map = try FeatureMap(gob: #require(frames.first))
      let features = try Features(map)
      #expect(features.name == PeerName(bits: end.bits))
      #expect(features.nickname == end.nickname)
      #expect(features.overlays == ["sleeve"] && features.extensions.isEmpty)
      #expect(features.shortID != nil && !features.isTrusting)
      #expect(features.map == map)
      #expect(try FeatureMap(gob: map.gob) == map)
    }
  }

  @Test func envelopesAreWrittenAsTheyWereRead() throws {
    let envelopes = try Self.envelopes()
    let channels = Set(envelopes.map(\.envelope.channel))
    #expect(channels == ["topology", "IPallocation", "nameserver"])
    #expect(Set(envelopes.map(\.tag)).isSuperset(of: [4, 6]))
    for (_, envelope, gob) in envelopes {
      #expect(envelope.gob == gob)
    }
  }

  @Test func topologyUpdatesComeBackAsTheyWere() throws {
    let updates = try Self.envelopes().filter { $0.envelope.channel == "topology" }.map {
      try TopologyUpdate(gob: $0.envelope.payload)
    }
    #expect(updates.count >= 4)
    for update in updates {
      var sorted = update
      sorted.peers.sort { $0.name < $1.name }
      #expect(try TopologyUpdate(gob: update.gob) == sorted)
      #expect(update.peers.allSatisfy { $0.uid != 0 && $0.shortID != nil })
    }
    let connections = updates.flatMap(\.peers).flatMap(\.connections)
    #expect(connections.contains { $0.isEstablished && $0.isOutbound })
    #expect(connections.contains { $0.isEstablished && !$0.isOutbound })
    #expect(connections.allSatisfy { $0.address.hasPrefix("10.99.0.") })
  }
}
