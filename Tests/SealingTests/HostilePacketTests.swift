// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Sealing

/// Very many packets that were changed on the way: only those of the sender are opened, and each of
/// them once.
///
/// `WEFT_HOSTILE_DATAGRAMS` says how many, with `WEFT_SOAK=1` a million; `make soak` asks for ten.
@Suite struct HostilePacketTests {
  private static let environment = ProcessInfo.processInfo.environment

  private static let packetCount =
    environment["WEFT_HOSTILE_DATAGRAMS"].flatMap { Int($0) }
    ?? (environment["WEFT_SOAK"] == "1" ? 1_000_000 : 100_000)

  @Test(arguments: PacketKind.allCases, [1, 2] as [UInt64])
  func onlyWhatTheSenderSealedIsOpened(kind: PacketKind, seed: UInt64) throws {
    var flood = try PacketFlood(kind, seed: seed)
    for _ in 0..<Self.packetCount / (2 * PacketKind.allCases.count) { try flood.pass() }
    #expect(flood.openedCount > 0 && flood.refusedCount > flood.openedCount)
    #expect(flood.replayedCount > 0)
    flood.expectCounts()
  }
}

/// A sender, a receiver, and somebody between them.
private struct PacketFlood {
  private let ends: PacketEnds
  private var generator: SeededGenerator
  /// What the sender sealed last, and whether it was opened.
  private var genuine: [(packet: [UInt8], text: [UInt8], wasOpened: Bool)] = []
  private var oldest = 0
  private(set) var openedCount: UInt64 = 0
  private(set) var refusedCount: UInt64 = 0
  private(set) var replayedCount: UInt64 = 0

  init(_ kind: PacketKind, seed: UInt64) throws {
    ends = try PacketEnds(kind)
    generator = SeededGenerator(seed: seed)
    for _ in 0..<16 { try genuine.append(sealed()) }
  }

  func expectCounts() {
    let counts = ends.keys.counts(of: ends.opening)
    #expect(counts.opened == openedCount && counts.replayed == replayedCount)
    #expect(counts.notAuthentic <= refusedCount && counts.notAuthentic > 0)
  }

  private mutating func sealed() throws -> ([UInt8], [UInt8], Bool) {
    let lengths = [0, 14, 42, 64, 224, 225, 480, 481, 1000]
    let text = generator.bytes(lengths[generator.number(below: lengths.count)])
    let packet = ends.seal(text, isFragmentable: generator.number(below: 4) == 0)
    return (try #require(packet), text, false)
  }

  mutating func pass() throws {
    if generator.number(below: 16) == 0 {
      genuine[oldest] = try sealed()
      oldest = (oldest + 1) % genuine.count
    }
    var changed = genuine[generator.number(below: genuine.count)].packet
    change(&changed)
    let (outcome, after) = ends.open(changed)
    // The name is not authenticated by secretbox.
    let free = ends.kind == .secretbox ? 6 : 0
    let found = genuine.firstIndex { $0.packet.dropFirst(free) == changed.dropFirst(free) }
    switch outcome {
    case .done:
      openedCount += 1
      let index = try #require(found, "nobody sealed \(changed), \(generator)")
      #expect(!genuine[index].wasOpened, "\(changed), \(generator)")
      #expect(ends.kind.text(of: after) == genuine[index].text, "\(generator)")
      genuine[index].wasOpened = true
    case .replayed:
      replayedCount += 1
      #expect(found.map { genuine[$0].wasOpened } == true, "\(generator)")
    case .notAuthentic, .malformed, .keyMissing:
      refusedCount += 1
      #expect(found == nil, "\(changed), \(generator)")
    case .pending, .exhausted:
      Issue.record("\(outcome), \(generator)")
    }
  }

  private mutating func change(_ packet: inout [UInt8]) {
    switch generator.number(below: 12) {
    case 0: packet.removeLast(generator.number(below: packet.count + 1))
    case 1: packet += generator.bytes(1 + generator.number(below: 40))
    case 2: packet.replaceSubrange(0..<6, with: generator.bytes(6))
    case 3: packet.replaceSubrange(6..<14, with: generator.bytes(8))
    case 4: packet.replaceSubrange(14..<30, with: generator.bytes(16))
    case 5: packet[6] ^= 0x80
    case 6:
      let other = genuine[generator.number(below: genuine.count)].packet
      let cut = generator.number(below: min(packet.count, other.count))
      packet.replaceSubrange(cut..., with: other[cut...])
    case 7: packet = generator.bytes(generator.number(below: 200))
    case 8: break
    case 9: packet.replaceSubrange((packet.count - 16)..., with: generator.bytes(16))
    default:
      for _ in 0...generator.number(below: 3) {
        packet[generator.number(below: packet.count)] ^= 1 << generator.number(below: 8)
      }
    }
  }
}
