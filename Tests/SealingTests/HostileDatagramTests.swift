// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Sealing

/// Very many datagrams that were changed on the way: only those of the sender are opened, and each
/// of them once.
///
/// `WEFT_HOSTILE_DATAGRAMS` says how many; `make soak` asks for ten million.
@Suite struct HostileDatagramTests {
  private static let datagramCount =
    ProcessInfo.processInfo.environment["WEFT_HOSTILE_DATAGRAMS"].flatMap { Int($0) } ?? 100_000

  private static let seedCount = 4

  @Test(arguments: 1...UInt64(HostileDatagramTests.seedCount))
  func onlyWhatTheSenderSealedIsOpened(seed: UInt64) throws {
    var flood = try DatagramFlood(seed: seed)
    for _ in 0..<Self.datagramCount / Self.seedCount { try flood.pass() }
    #expect(flood.openedCount > 0 && flood.refusedCount > flood.openedCount)
    #expect(flood.replayedCount > 0)
  }
}

/// A sender, a receiver, and somebody between them.
private struct DatagramFlood {
  private let ends: SleeveEnds
  private var generator: SeededGenerator
  /// What the sender sealed last, and whether it was opened.
  private var genuine: [(datagram: [UInt8], records: [UInt8], wasOpened: Bool)] = []
  private var oldest = 0
  private(set) var openedCount = 0
  private(set) var refusedCount = 0
  private(set) var replayedCount = 0

  init(seed: UInt64) throws {
    ends = try SleeveEnds()
    generator = SeededGenerator(seed: seed)
    for _ in 0..<16 { try genuine.append(sealed()) }
  }

  private mutating func sealed() throws -> ([UInt8], [UInt8], Bool) {
    let lengths = [0, 14, 42, 64, 224, 225, 480, 481, 1000]
    let records = generator.bytes(lengths[generator.number(below: lengths.count)])
    let datagram = ends.seal(records, isFragmentable: generator.number(below: 4) == 0)
    return (try #require(datagram), records, false)
  }

  mutating func pass() throws {
    if generator.number(below: 16) == 0 {
      genuine[oldest] = try sealed()
      oldest = (oldest + 1) % genuine.count
    }
    var changed = genuine[generator.number(below: genuine.count)].datagram
    change(&changed)
    let (opening, after) = ends.open(changed)
    // The name is not sealed.
    let found = genuine.firstIndex { $0.datagram.dropFirst(6) == changed.dropFirst(6) }
    switch opening {
    case .opened:
      openedCount += 1
      let index = try #require(found, "nobody sealed \(changed), \(generator)")
      #expect(!genuine[index].wasOpened, "\(changed), \(generator)")
      #expect(after.dropFirst(offset).elementsEqual(genuine[index].records), "\(generator)")
      genuine[index].wasOpened = true
    case .replayed:
      replayedCount += 1
      #expect(found.map { genuine[$0].wasOpened } == true && after == changed, "\(generator)")
    case .notAuthentic:
      refusedCount += 1
      #expect(found == nil && after == changed, "\(changed), \(generator)")
    }
  }

  private mutating func change(_ datagram: inout [UInt8]) {
    switch generator.number(below: 12) {
    case 0: datagram.removeLast(generator.number(below: datagram.count + 1))
    case 1: datagram += generator.bytes(1 + generator.number(below: 40))
    case 2: datagram.replaceSubrange(0..<6, with: generator.bytes(6))
    case 3: datagram.replaceSubrange(6..<14, with: generator.bytes(8))
    case 4: datagram.replaceSubrange(14..<30, with: generator.bytes(16))
    case 5: datagram[6] ^= 0x80
    case 6:
      let other = genuine[generator.number(below: genuine.count)].datagram
      let cut = generator.number(below: min(datagram.count, other.count))
      datagram.replaceSubrange(cut..., with: other[cut...])
    case 7: datagram = generator.bytes(generator.number(below: 200))
    case 8: break
    default:
      for _ in 0...generator.number(below: 3) {
        datagram[generator.number(below: datagram.count)] ^= 1 << generator.number(below: 8)
      }
    }
  }
}
