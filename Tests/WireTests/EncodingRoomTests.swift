// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private enum Encoder: String, CaseIterable, Codable {
  case ethernet, arp, ipv4, udp, vxlan

  var length: Int {
    switch self {
    case .ethernet: EthernetHeader.length
    case .arp: ARPHeader.length
    case .ipv4: IPv4Header.minimumLength
    case .udp: UDPHeader.headerLength
    case .vxlan: VXLANHeader.length
    }
  }

  /// Encodes some value at `offset` of `count` bytes that were 0xEE.
  func encode(at offset: Int, ofBytes count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: count)
    var span = bytes.mutableSpan
    let ends = FrameBuilder()
    switch self {
    case .ethernet:
      EthernetFields(destination: .zero, source: .zero, etherType: .ipv4)
        .encode(into: &span, at: offset)
    case .arp:
      ARPPacket(request: ends.source, from: .zero, address: ends.source)
        .encode(into: &span, at: offset)
    case .ipv4:
      IPv4Fields(
        source: ends.source, destination: ends.destination, protocolNumber: 1, payloadLength: 0
      ).encode(into: &span, at: offset)
    case .udp:
      UDPFields(sourcePort: 0, destinationPort: 0, length: 8).encode(into: &span, at: offset)
    case .vxlan: VXLANFields(network: VirtualNetwork(bits: 1)).encode(into: &span, at: offset)
    }
    return bytes
  }
}

/// Encoders are called with room; a mistake of the caller stops the program and writes nowhere.
@Suite struct EncodingRoomTests {
  @Test(arguments: Encoder.allCases)
  private func encoderWritesItsLengthAndNothingElse(encoder: Encoder) {
    for offset in 0...9 {
      for rest in 0...3 {
        let bytes = encoder.encode(at: offset, ofBytes: offset + encoder.length + rest)
        let written = bytes[offset..<(offset + encoder.length)]
        #expect(bytes.prefix(offset).allSatisfy { $0 == 0xEE }, "before \(offset)")
        #expect(bytes.suffix(rest).allSatisfy { $0 == 0xEE }, "after \(offset)")
        #expect(written == encoder.encode(at: 0, ofBytes: encoder.length)[...])
      }
    }
  }

  @Test(arguments: Encoder.allCases)
  private func encoderWithoutRoomTraps(encoder: Encoder) async {
    await #expect(processExitsWith: .failure) { [encoder] in
      _ = encoder.encode(at: 1, ofBytes: encoder.length)
    }
    await #expect(processExitsWith: .failure) { [encoder] in
      _ = encoder.encode(at: -1, ofBytes: 64)
    }
  }

  @Test(arguments: [
    (-1, 0), (65_516, 0), (0, -8), (0, 1), (0, 65_536),
  ])
  func impossibleIPv4LengthsTrap(payloadLength: Int, fragmentOffset: Int) async {
    await #expect(processExitsWith: .failure) { [payloadLength, fragmentOffset] in
      var fields = IPv4Fields(
        source: IPv4Address(bits: 0), destination: IPv4Address(bits: 0), protocolNumber: 17,
        payloadLength: payloadLength)
      fields.fragmentOffset = fragmentOffset
      var bytes = [UInt8](repeating: 0, count: 20)
      var span = bytes.mutableSpan
      fields.encode(into: &span)
    }
  }

  @Test func longestIPv4PacketAndLastFragmentAreEncoded() {
    var fields = IPv4Fields(
      source: IPv4Address(bits: 1), destination: IPv4Address(bits: 2), protocolNumber: 17,
      payloadLength: 65_515)
    fields.fragmentOffset = 65_528
    var bytes = [UInt8](repeating: 0, count: 20)
    var span = bytes.mutableSpan
    fields.encode(into: &span)
    #expect(Array(bytes[2..<4]) == [0xFF, 0xFF] && Array(bytes[6..<8]) == [0x1F, 0xFF])
    #expect(internetChecksum(bytes) == 0)
  }

  @Test func gratuitousFrameWithoutRoomTraps() async {
    await #expect(processExitsWith: .failure) {
      var bytes = [UInt8](repeating: 0, count: ARPPacket.frameLength - 1)
      var span = bytes.mutableSpan
      ARPPacket.gratuitous(sender: .zero, address: IPv4Address(bits: 1), into: &span)
    }
  }
}
