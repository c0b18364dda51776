// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

@testable import Transport

@Suite struct PathMTUComplaintTests {
  private static let ports: Set<UInt16> = [6783, 6784, 4789]

  private func read(_ message: RouterMessage) -> PathMTUComplaint? {
    PathMTUComplaint(packet: message.packet, ports: Self.ports)
  }

  private func changed(_ change: (inout RouterMessage) -> Void) -> PathMTUComplaint? {
    var message = RouterMessage()
    change(&message)
    return read(message)
  }

  @Test func complaintSaysWhereTheDatagramWentAndWhatFits() {
    let message = RouterMessage()
    let expected = PathMTUComplaint(destination: message.destination, pathMTU: 1300)
    #expect(read(message) == expected)
    #expect(changed { $0.optionWords = 10 } == expected)
    #expect(changed { $0.quotedPayload = 520 } == expected)
  }

  @Test func eitherPortOfTheDatagramMayBeOurs() {
    let other = SocketAddress(IPv4Address(bits: 0x0A4D_0102), port: 9999)
    #expect(changed { $0.destination = other } == nil)
    let found = changed {
      $0.destination = other
      $0.source.port = 6783
    }
    #expect(found == PathMTUComplaint(destination: other, pathMTU: 1300))
  }

  @Test func limitsOfThePathMTUAreThese() {
    #expect(changed { $0.pathMTU = 576 }?.pathMTU == 576)
    #expect(changed { $0.pathMTU = 1499 }?.pathMTU == 1499)
    for mtu: UInt16 in [0, 68, 575, 1500, 1501, 65_535] {
      #expect(changed { $0.pathMTU = mtu } == nil, "\(mtu)")
    }
  }

  @Test func whatIsNoComplaintAboutADatagramOfOursIsRefused() {
    let changes: [(String, (inout RouterMessage) -> Void)] = [
      ("another type", { $0.type = 11 }), ("another code", { $0.code = 3 }),
      ("a wrong checksum", { $0.spoilsChecksum = true }),
      ("not ICMP", { $0.outerProtocol = 17 }), ("a fragment", { $0.outerFlags = 0x2000 }),
      ("somebody else's datagram", { $0.receiver = IPv4Address(bits: 0x0A4D_0009) }),
      ("TCP", { $0.quotedProtocol = 6 }), ("IPv6", { $0.quotedVersion = 6 }),
      ("it might have been fragmented", { $0.flags = 0 }),
      ("a first fragment", { $0.flags = 0x6000 }), ("a later fragment", { $0.flags = 0x4001 }),
      ("a short UDP length", { $0.udpLength = 1479 }),
      ("a long UDP length", { $0.udpLength = 1481 }),
      (
        "a multicast destination",
        { $0.destination = SocketAddress(.init(bits: 0xE000_0001), port: 6784) }
      ),
      (
        "port 0",
        {
          $0.destination = SocketAddress($0.destination.address, port: 0); $0.source.port = 6783
        }
      ),
    ]
    for (name, change) in changes { #expect(changed(change) == nil, "\(name)") }
  }

  @Test func truncatedPacketsAreRefused() {
    var message = RouterMessage()
    for words: UInt8 in [0, 10] {
      message.optionWords = words
      let packet = message.packet
      for length in packet.indices {
        #expect(PathMTUComplaint(packet: Array(packet.prefix(length)), ports: Self.ports) == nil)
        let repaired = Self.repaired(Array(packet.prefix(length)))
        #expect(PathMTUComplaint(packet: repaired, ports: Self.ports) == nil, "\(length)")
      }
    }
  }

  @Test func randomPacketsAreRefused() {
    var random = SeededGenerator(seed: .random(in: 0 ... .max))
    let seed = random
    for _ in 0..<20_000 {
      let packet = Self.repaired(random.bytes(Int.random(in: 0...200, using: &random)))
      #expect(PathMTUComplaint(packet: packet, ports: Self.ports) == nil, "\(seed)")
    }
  }

  @Test func flippedBitsAreSeenOrDoNotMatter() {
    let message = RouterMessage()
    let expected = read(message)
    for bit in 0..<message.packet.count * 8 {
      var packet = message.packet
      packet[bit / 8] ^= 1 << UInt8(bit % 8)
      let found = PathMTUComplaint(packet: packet, ports: Self.ports)
      #expect(found == nil || found == expected, "bit \(bit)")
      // The checksum is over everything after the outer header.
      if bit >= 160 { #expect(found == nil, "bit \(bit)") }
    }
  }

  @Test func mutationsWithARightChecksumKeepWithinTheLimits() {
    var random = SeededGenerator(seed: .random(in: 0 ... .max))
    let seed = random
    for _ in 0..<20_000 {
      var packet = RouterMessage().packet
      for _ in 0...Int.random(in: 0...2, using: &random) {
        packet[Int.random(in: packet.indices, using: &random)] = .random(
          in: 0 ... .max, using: &random)
      }
      packet = Self.repaired(packet)
      guard let found = PathMTUComplaint(packet: packet, ports: Self.ports) else { continue }
      #expect(found.pathMTU >= 576 && found.pathMTU < 65_535, "\(seed)")
      #expect(found.destination.address.isUnicast, "\(seed)")
      let header = 20 + 8 + Int(packet[28] & 15) * 4
      let ports = [header, header + 2].map { UInt16(packet[$0]) << 8 | UInt16(packet[$0 + 1]) }
      #expect(!Self.ports.isDisjoint(with: ports), "\(seed)")
    }
  }

  /// Makes a packet's own lengths and checksum right, as far as there are such.
  private static func repaired(_ packet: [UInt8]) -> [UInt8] {
    guard packet.count >= 24 else { return packet }
    var packet = packet
    packet[0] = 0x45
    packet.replaceSubrange(2..<4, with: octets(UInt16(packet.count)))
    packet.replaceSubrange(22..<24, with: [0, 0])
    let message = Array(packet.dropFirst(20))
    let sum = ~InternetChecksum.fold(InternetChecksum.sum(message.span))
    packet.replaceSubrange(22..<24, with: octets(sum))
    return packet
  }
}
