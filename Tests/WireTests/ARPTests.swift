// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private func parse(_ bytes: [UInt8]) -> ARPPacket? {
  guard let header = ARPHeader(bytes.span) else { return nil }
  return ARPPacket(header)
}

/// A reply: 10.32.0.2 is at 02:00:00:00:00:0b, to 10.32.0.1 at 02:00:00:00:00:0a.
private let golden = hexadecimal(
  "0001 0800 06 04 0002 02000000000B 0A200002 02000000000A 0A200001")

@Suite struct ARPTests {
  @Test func goldenReplyIsDecoded() {
    let packet = parse(golden)
    #expect(packet?.operation == .reply)
    #expect(packet?.senderMAC == MACAddress("02:00:00:00:00:0b"))
    #expect(packet?.senderAddress == IPv4Address("10.32.0.2"))
    #expect(packet?.targetMAC == MACAddress("02:00:00:00:00:0a"))
    #expect(packet?.targetAddress == IPv4Address("10.32.0.1"))
    #expect(
      packet?.description
        == "ARP reply: 10.32.0.2 at 02:00:00:00:00:0b, for 10.32.0.1 at 02:00:00:00:00:0a")
  }

  @Test func goldenReplyIsEncodedBack() {
    var bytes = [UInt8](repeating: 0xEE, count: 30)
    var span = bytes.mutableSpan
    parse(golden)?.encode(into: &span, at: 1)
    #expect(bytes == [0xEE] + golden + [0xEE])
  }

  @Test(arguments: fixedSeeds)
  func randomValuesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      var packet = ARPPacket(
        request: .random(&generator), from: .random(&generator), address: .random(&generator))
      packet.operation = ARPOperation(rawValue: generator.uint16())
      packet.targetMAC = .random(&generator)
      var bytes = generator.bytes(28)
      var span = bytes.mutableSpan
      packet.encode(into: &span)
      #expect(parse(bytes) == packet, "\(generator)")
    }
  }

  @Test func truncatedPacketsAreNil() {
    for length in 0..<golden.count {
      #expect(parse(Array(golden.prefix(length))) == nil, "length \(length)")
    }
    #expect(parse(golden) != nil)
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: golden) { _ = parse($0) }
  }

  @Test func onlyEthernetAndIPv4AreTaken() {
    for index in 0..<6 {
      for bit in 0..<8 {
        var bytes = golden
        bytes[index] ^= 1 << UInt8(bit)
        #expect(parse(bytes) == nil, "byte \(index), bit \(bit)")
      }
    }
  }

  @Test func requestIsWhatTheBuilderMakes() {
    let ends = FrameBuilder()
    let packet = ARPPacket(
      request: ends.destination, from: ends.sourceMAC, address: ends.source)
    var bytes = [UInt8](repeating: 0xEE, count: ARPPacket.frameLength)
    var span = bytes.mutableSpan
    EthernetFields(destination: .broadcast, source: ends.sourceMAC, etherType: .arp)
      .encode(into: &span)
    packet.encode(into: &span, at: EthernetHeader.length)
    #expect(bytes == ends.arpRequest())
  }

  @Test func replyAnswersTheRequest() throws {
    let request = try #require(parse(Array(FrameBuilder().arpRequest().dropFirst(14))))
    let answer = try #require(MACAddress("02:00:00:00:00:0b"))
    let reply = ARPPacket(replyTo: request, from: answer)
    #expect(reply == parse(golden))
  }

  @Test func gratuitousFrameAnnouncesTheAddressToAll() throws {
    let mac = try #require(MACAddress("02:00:00:00:00:0a"))
    let address = try #require(IPv4Address("10.32.0.1"))
    var bytes = [UInt8](repeating: 0xEE, count: 43)
    var span = bytes.mutableSpan
    ARPPacket.gratuitous(sender: mac, address: address, into: &span)
    let expected = hexadecimal(
      """
      FFFFFFFFFFFF 02000000000A 0806
      0001 0800 06 04 0001 02000000000A 0A200001 000000000000 0A200001 EE
      """)
    #expect(bytes == expected)
    #expect(bytes.dropLast() == FrameBuilder(destination: address).arpRequest()[...])
  }
}
