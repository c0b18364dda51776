// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Inet
import TestSupport
import Testing

/// The reader of recordings, against what other tools counted in them.
@Suite struct CaptureSupportTests {
  @Test(arguments: Capture.names)
  func bothStreamsBeginWithTheHeader(name: String) throws {
    let session = try #require(try Capture(named: name).sessions.first)
    #expect(session.client.description.hasPrefix("10.99.0.2:"))
    #expect(session.server.description == "10.99.0.1:6783")
    for stream in [session.clientBytes, session.serverBytes] {
      #expect(stream.starts(with: Array("weave".utf8)))
    }
  }

  @Test func framesOfProtocol2AreCut() throws {
    let session = try #require(try Capture(named: "weave-v2-encrypted").sessions.first)
    let client = try #require(Protocol2Stream(session.clientBytes))
    let server = try #require(Protocol2Stream(session.serverBytes))
    #expect(client.frames.count == 11 && server.frames.count == 13)
    #expect(client.rest.isEmpty && server.rest.isEmpty)
    #expect(
      server.publicKey
        == hexadecimal("8117e0a395be23ef401dd7c9485c43253e87b35f054a8b014b522bab3be9bf79"))
    #expect(client.header == hexadecimal("77656176650102"))
  }

  @Test(arguments: [("weave-v2-encrypted", 68), ("weave-v1-encrypted", 77)])
  func datagramsAreListed(name: String, count: Int) throws {
    let datagrams = try Capture(named: name).datagrams.filter { $0.destination.port == 6783 }
    #expect(datagrams.filter { !$0.wasFragmented }.count == count)
  }

  @Test func fragmentsArePutTogether() throws {
    let datagrams = try Capture(named: "weave-v2-plain").datagrams
    let tests = datagrams.filter { $0.payload.count == 60_021 }
    #expect(tests.count == 2)
    #expect(tests.allSatisfy { $0.wasFragmented && !$0.dontFragment })
  }

  @Test func aDamagedFileIsRefused() {
    #expect(throws: Capture.Failure.self) { try Capture(pcap: []) }
    let header = hexadecimal("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000")
    #expect(throws: Never.self) { try Capture(pcap: header) }
    #expect(throws: Capture.Failure.self) { try Capture(pcap: header + [0]) }
  }

  /// Segments that come late, twice, or with new bytes after old ones.
  @Test func segmentsArePutInOrder() throws {
    var builder = SegmentBuilder()
    builder.add(flags: 0x02, sequence: .max, "")
    builder.add(flags: 0x10, sequence: 3, "defg")
    builder.add(flags: 0x10, sequence: 0, "abc")
    builder.add(flags: 0x10, sequence: 0, "abc")
    builder.add(flags: 0x10, sequence: 5, "fghi")
    let session = try #require(try Capture(pcap: builder.pcap).sessions.first)
    #expect(String(decoding: session.clientBytes, as: UTF8.self) == "abcdefghi")
    #expect(session.serverBytes.isEmpty)
  }
}

/// A recording of segments of one direction.
private struct SegmentBuilder {
  private(set) var pcap = hexadecimal("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000")

  mutating func add(flags: UInt8, sequence: UInt32, _ text: String) {
    var frame = FrameBuilder().tcp(
      sourcePort: 1, destinationPort: 2, flags: flags, payload: Array(text.utf8))
    frame.replaceSubrange(38..<42, with: octets(sequence))
    let length = Array(octets(UInt32(frame.count)).reversed())
    pcap += [UInt8](repeating: 0, count: 8) + length + length + frame
  }
}
