// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Sealing

/// Our ESP packets beside those of programs that know nothing of us: scapy seals and opens, tshark
/// reads.
@Suite struct ESPPeerTests {
  private static let session = (0..<32).map { UInt8($0) }
  private static let nonce = (0..<32).map { UInt8(0x40 + $0) }
  private static let receiver: [UInt8] = [0, 0, 0x02, 0, 0, 0, 0, 0x0A]
  private static let identifier: UInt32 = 0xC0FF_EE42
  private static let wrap: UInt64 = 1 << 32

  @Test(arguments: [1, wrap - 3, 7 * wrap - 3, UInt64(1) << 61]) func scapyOpensWhatWeSeal(
    first: UInt64
  ) throws {
    let keys = FrameKeys()
    let numbers = FrameKeys.FirstNumbers(unfragmentable: first, fragmentable: 0)
    let key = try #require(keys.add(try Self.key(isSealing: true), firstNumbers: numbers))
    let inner = (0..<70).map { Self.datagram(payloadLength: 20 * $0 + $0 % 7) }
    let sealed = inner.map { Self.sealed($0, keys, key) }
    let answer = try Self.ask(
      open: sealed.enumerated().map { ((first + UInt64($0)) >> 32, $1) })
    #expect(answer.opened.count == inner.count)
    for (opened, datagram) in zip(answer.opened, inner) {
      let packet = try #require(opened, "scapy opens it")
      #expect(packet[9] == 17 && Array(packet.dropFirst(20)) == datagram)
    }
    let changed = sealed.map { packet in
      var packet = packet
      packet[20 + Int.random(in: 16..<packet.count - 20)] ^= 0x10
      return packet
    }
    let refused = try Self.ask(
      open: changed.enumerated().map { ((first + UInt64($0)) >> 32, $1) })
    #expect(refused.opened.allSatisfy { $0 == nil })
  }

  @Test func weOpenWhatScapySealsAcrossTheWrapOfTheLowerHalf() throws {
    let keys = FrameKeys()
    let key = try #require(keys.add(try Self.key(isSealing: false)))
    // Forward over two wraps in steps that a window can follow, with some out of order.
    var numbers = Array(UInt64(1)...20)
    numbers += stride(from: Self.wrap / 4, to: 2 * Self.wrap + 1000, by: 1 << 30).map { $0 }
    numbers += [2 * Self.wrap + 5, 2 * Self.wrap - 2, 2 * Self.wrap + 6, 2 * Self.wrap - 1]
    let inner = numbers.indices.map { Self.datagram(payloadLength: 31 * $0 % 1400) }
    let answer = try Self.ask(seal: zip(numbers, inner).map { ($0, Self.packet(17, $1)) })
    for (index, packet) in answer.sealed.enumerated() {
      var bytes = Array(packet.dropFirst(20))
      let isNew = Set(numbers[..<index]).contains(numbers[index]) == false
      let outcome = Self.open(&bytes, keys, key)
      #expect(outcome == (isNew ? .done : .replayed), "number \(numbers[index])")
      guard isNew else { continue }
      let end = 16 + inner[index].count
      #expect(Array(bytes[16..<end]) == inner[index])
      var again = Array(packet.dropFirst(20))
      #expect(Self.open(&again, keys, key) == .replayed)
    }
  }

  @Test func tsharkReadsWhatWeSeal() throws {
    let keys = FrameKeys()
    let key = try #require(keys.add(try Self.key(isSealing: true)))
    let payloads = [50, 51, 52, 53, 1416].map { Self.datagram(payloadLength: $0) }
    let file = try Leftovers.scratch().appendingPathComponent("esp.pcap")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(Self.recording(of: payloads.map { Self.sealed($0, keys, key) })).write(to: file)
    // The derived key of the wire notes' vector: scapy's derivation agrees in the other tests.
    let secret = "d3dbdcb81458ef5f4ddf90da4121e8f298f0313b0952342988d5750e3e67ddabd49e8e08"
    let association =
      "\"IPv4\",\"*\",\"*\",\"0x\(String(Self.identifier, radix: 16))\","
      + "\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x\(secret)\",\"NULL\",\"\""
    let output = try run(
      [
        "tshark", "-n", "-r", file.path, "-o", "esp.enable_encryption_decode:TRUE", "-o",
        "uat:esp_sa:\(association)", "-d", "udp.port==6784,vxlan", "-T", "fields", "-e", "esp.spi",
        "-e", "esp.sequence", "-e", "vxlan.vni", "-e", "udp.length",
      ], limit: .seconds(40))
    let lines = output.split(separator: "\n").map(String.init)
    let expected = payloads.enumerated().map {
      "0x\(String(Self.identifier, radix: 16))\t\($0 + 1)\t1194684\t\($1.count)"
    }
    #expect(lines == expected)
  }

  // MARK: Packets

  private static func key(isSealing: Bool) throws -> FrameKey {
    FrameKey(
      .aes256gcm, layout: .esp, isSealing: isSealing, identifier: identifier,
      from: try #require(SessionKey(bytes: session)), nonce: nonce, info: receiver)
  }

  /// UDP to the mesh's port, with VXLAN and then bytes that count up.
  private static func datagram(payloadLength: Int) -> [UInt8] {
    let vxlan: [UInt8] = [8, 0, 0, 0, 0x12, 0x3A, 0xBC, 0]
    let length = 16 + payloadLength
    return [0xC0, 0x01, 0x1A, 0x80, UInt8(length >> 8), UInt8(length & 0xFF), 0, 0] + vxlan
      + (0..<payloadLength).map { UInt8(truncatingIfNeeded: $0) }
  }

  /// An IPv4 packet, its checksum as it should be.
  private static func packet(_ protocolNumber: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let length = 20 + payload.count
    var header: [UInt8] = [
      0x45, 0, UInt8(length >> 8), UInt8(length & 0xFF), 0, 0, 0x40, 0, 64, protocolNumber, 0, 0,
      192, 0, 2, 1, 192, 0, 2, 2,
    ]
    let sum = stride(from: 0, to: 20, by: 2).reduce(0) {
      $0 + Int(header[$1]) << 8 + Int(header[$1 + 1])
    }
    let checksum = ~(sum & 0xFFFF + sum >> 16)
    header[10] = UInt8(truncatingIfNeeded: checksum >> 8)
    header[11] = UInt8(truncatingIfNeeded: checksum)
    return header + payload
  }

  /// A datagram with ESP's trailer, sealed in an IPv4 packet.
  private static func sealed(_ datagram: [UInt8], _ keys: FrameKeys, _ key: UInt16) -> [UInt8] {
    let padding = (4 - (datagram.count + 2) % 4) % 4
    var bytes = [UInt8](repeating: 0, count: 16) + datagram
    bytes += (0..<padding).map { UInt8($0 + 1) } + [UInt8(padding), 17]
    bytes += [UInt8](repeating: 0, count: 16)
    var span = bytes.mutableSpan
    #expect(keys.seal(&span, key: key) == .done)
    return packet(50, bytes)
  }

  private static func open(
    _ bytes: inout [UInt8], _ keys: FrameKeys, _ key: UInt16
  ) -> SealingBatch.Outcome {
    var span = bytes.mutableSpan
    return keys.open(&span, key: key)
  }

  /// A file of IPv4 packets in the format of libpcap (link type 101).
  private static func recording(of packets: [[UInt8]]) -> [UInt8] {
    func word(_ value: Int) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let header: [UInt8] = word(0xA1B2_C3D4) + [2, 0, 4, 0] + word(0) + word(0)
    return header + word(65_535) + word(101)
      + packets.flatMap { word(0) + word(0) + word($0.count) + word($0.count) + $0 }
  }

  // MARK: scapy

  /// What scapy made of packets.
  private struct Answer {
    var opened: [[UInt8]?]
    var sealed: [[UInt8]]
  }

  private static func ask(
    open: [(high: UInt64, packet: [UInt8])] = [], seal: [(sequence: UInt64, packet: [UInt8])] = []
  ) throws -> Answer {
    let document: [String: Any] = [
      "session": session.hex, "nonce": nonce.hex, "info": receiver.hex, "spi": Int(identifier),
      "open": open.map { ["high": Int($0.high), "packet": $0.packet.hex] as [String: Any] },
      "seal": seal.map {
        ["sequence": Int($0.sequence), "packet": $0.packet.hex] as [String: Any]
      },
    ]
    let file = try Leftovers.scratch().appendingPathComponent("esp.json")
    defer { try? FileManager.default.removeItem(at: file) }
    try JSONSerialization.data(withJSONObject: document).write(to: file)
    let script = try #require(Bundle.module.path(forResource: "esp_peer", ofType: "py"))
    // Debian's own Python, which has Debian's scapy.
    let output = try run(["/usr/bin/python3", script, file.path], limit: .seconds(60))
    let answer = try #require(
      JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: [Any]])
    return Answer(
      opened: (answer["opened"] ?? []).map { ($0 as? String).map(bytes(hex:)) },
      sealed: (answer["sealed"] ?? []).map { ($0 as? String).map(bytes(hex:)) ?? [] })
  }

  private static func bytes(hex: String) -> [UInt8] {
    let digits = Array(hex.utf8).map { UInt8($0 < 97 ? $0 - 48 : $0 - 87) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

extension [UInt8] {
  fileprivate var hex: String {
    map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
