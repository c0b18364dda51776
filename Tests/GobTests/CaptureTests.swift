// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Gob
import TestSupport
import Testing

/// What two Go programs said to each other.
@Suite struct CaptureTests {
  /// The streams of both ends, the one that dialled first.
  static func streams(_ name: String) throws -> [[UInt8]] {
    let session = try #require(try Capture(named: name).sessions.first)
    return [session.clientBytes, session.serverBytes]
  }

  /// Every gob stream of the plain recording of protocol 2, nested payloads included.
  static func gobs() throws -> [[UInt8]] {
    var gobs: [[UInt8]] = []
    for stream in try streams("weave-v2-plain") {
      let frames = try #require(Protocol2Stream(stream)).frames
      for (index, frame) in frames.enumerated() {
        if index == 0 { gobs.append(frame) }
        guard index > 0, let tag = frame.first, 4...6 ~= tag else { continue }
        let envelope = Array(frame.dropFirst())
        gobs.append(envelope)
        guard case .bytes(let payload)? = try values(envelope).last else { continue }
        // A unicast of the address channel has a byte before its gob.
        let skipped = tag == 5 ? 1 : 0
        gobs.append(Array(payload.dropFirst(skipped)))
      }
    }
    return gobs
  }

  static func values(_ gob: [UInt8]) throws(GobError) -> [GobValue] {
    var decoder = GobDecoder(gob)
    var values: [GobValue] = []
    while let value = try decoder.next() { values.append(value) }
    #expect(decoder.offset == gob.count)
    return values
  }

  @Test func everyMessageOfProtocol2IsRead() throws {
    let gobs = try Self.gobs()
    #expect(gobs.count > 30)
    for gob in gobs {
      #expect(try !Self.values(gob).isEmpty)
    }
  }

  @Test func theReportedNamesAndAddressesAreRead() throws {
    let structures = try Self.gobs().flatMap { try Self.values($0) }.compactMap { value in
      try? value.structure(at: 0)
    }
    let names = structures.filter { $0["Timestamp"] != nil }
    let entries = try names.flatMap { try $0.sequence("Entries") }.map {
      try $0.structure(at: 0)
    }
    #expect(try entries.contains { try $0.string("Hostname").hasSuffix(".weave.local.") })
    #expect(try entries.contains { try $0.int("Tombstone") > 0 })
    let rings = try structures.compactMap { try $0.structure("Ring") }
    #expect(try rings.contains { try $0.uint("Start") == 0x0A20_0000 })
    #expect(try rings.contains { try $0.sequence("Seeds").count == 2 })
    #expect(try structures.contains { try $0.map("Paxos") == [] })
  }

  /// Version 1 has one stream for the connection's life: features, then sequences of bytes.
  @Test(arguments: ["weave-v1-plain", "weave-v1-encrypted"])
  func theStreamsOfProtocol1AreReadWhole(name: String) throws {
    for stream in try Self.streams(name) {
      let values = try Self.values(Array(stream.dropFirst(7)))
      #expect(values.count > 5)
      let features = try #require(values.first).map(at: 0)
      #expect(features.contains { $0.key == .string("PeerNameFlavour") })
      for value in values.dropFirst() {
        #expect(throws: Never.self) { try value.bytes(at: 0) }
      }
    }
  }
}
