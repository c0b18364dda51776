// SPDX-License-Identifier: Apache-2.0

import Gob
import Inet
import Mesh
import TestSupport
import Testing

@Suite struct GossipEnvelopeTests {
  private static let a = PeerName(bits: 0x0200_0000_000A)
  private static let b = PeerName(bits: 0x0200_0000_000B)

  @Test func gossipIsAsGoWritesIt() throws {
    let envelope = GossipEnvelope(
      channel: "topology", source: Self.a, destination: nil, payload: [0xDE, 0xAD])
    let bytes = hexadecimal("0b0c0008746f706f6c6f6779 090600fa02000000000a 050a0002dead")
    #expect(envelope.gob == bytes)
    #expect(try GossipEnvelope(gob: bytes, isUnicast: false) == envelope)
  }

  @Test func aUnicastIsAsGoWritesIt() throws {
    let envelope = GossipEnvelope(
      channel: "IPallocation", source: Self.a, destination: Self.b, payload: [0xDE, 0xAD])
    let bytes = hexadecimal(
      """
      0f0c000c4950616c6c6f636174696f6e 090600fa02000000000a 090600fa02000000000b 050a0002dead
      """)
    #expect(envelope.gob == bytes)
    #expect(try GossipEnvelope(gob: bytes, isUnicast: true) == envelope)
  }

  @Test func aNameOfMoreThanSixBytesIsRefused() {
    let bytes = hexadecimal("030c0000 0a0600f901000000000000 050a0002dead")
    #expect(throws: GobError(.malformed("the peer name 281474976710656"), offset: 4)) {
      try GossipEnvelope(gob: bytes, isUnicast: false)
    }
  }

  @Test func aChannelWithALongNameIsRefused() {
    func envelope(_ length: Int) -> [UInt8] {
      GossipEnvelope(
        channel: String(repeating: "x", count: length), source: Self.a, destination: nil,
        payload: []
      ).gob
    }
    #expect(throws: Never.self) { try GossipEnvelope(gob: envelope(256), isUnicast: false) }
    #expect(throws: GobError.self) { try GossipEnvelope(gob: envelope(257), isUnicast: false) }
  }

  @Test func everyTruncationIsRefused() {
    let bytes = GossipEnvelope(
      channel: "c", source: Self.a, destination: Self.b, payload: Array(repeating: 7, count: 300)
    ).gob
    for length in 0..<bytes.count {
      #expect(throws: GobError.self, "\(length) bytes") {
        try GossipEnvelope(gob: Array(bytes[..<length]), isUnicast: true)
      }
    }
  }

  @Test func aStreamOfManyValuesIsRefusedAtOnce() {
    var encoder = GobEncoder()
    encoder.encode(
      .sequence(Array(repeating: .uint(1), count: 1000)), as: .sequence(element: .uint))
    let error = #expect(throws: GobError.self) {
      try GossipEnvelope(gob: encoder.bytes, isUnicast: false)
    }
    #expect(error?.reason == .tooLarge("more than 64 values"))
  }
}
