// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Sealing

/// Numbers that several threads add to, under a lock that the thread sanitizer knows.
private final class Numbers: @unchecked Sendable {
  private let lock = NSLock()
  private var numbers: [UInt64] = []

  /// All that were added.
  var all: [UInt64] { lock.withLock { numbers } }

  /// Adds some.
  func add(_ some: [UInt64]) { lock.withLock { numbers += some } }
}

/// Several threads and one key.
@Suite(.serialized) struct FrameKeysConcurrencyTests {
  private static let threadCount = 4
  private static let count = 50_000
  private static let kinds: [PacketKind] = [.secretbox, .aesSleeve, .aesESP]

  /// Runs `body` in several threads at the same time and returns when all are done.
  private func inThreads(_ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<Self.threadCount {
      group.enter()
      Thread {
        body(number)
        group.leave()
      }.start()
    }
    group.wait()
  }

  /// Each thread goes through all packets in an order of its own, not far from the numbers'.
  @Test(arguments: kinds)
  func everyPacketIsOpenedByOneThread(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let packets = try (0..<Self.count).map { number in
      try #require(ends.seal([UInt8(truncatingIfNeeded: number)], isFragmentable: number % 8 == 0))
    }
    let opened = (0..<Self.count).map { _ in AtomicCount() }
    let others = AtomicCount()
    inThreads { thread in
      var generator = SeededGenerator(seed: UInt64(thread))
      let places = (0..<Self.count).map { $0 + generator.number(below: 64) }
      let order = (0..<Self.count).sorted { places[$0] < places[$1] }
      for start in stride(from: 0, to: order.count, by: 16) {
        var play = BatchPlay()
        let part = order[start..<min(start + 16, order.count)]
        for index in part { play.append(packets[index], key: ends.opening) }
        play.open(ends.keys)
        for (index, outcome) in zip(part, play.outcomes) {
          switch outcome {
          case .done: opened[index].add()
          case .replayed: break
          default: others.add()
          }
        }
      }
    }
    #expect(others.value == 0)
    // A thread that the machine holds up may find numbers too old, but then others opened them.
    #expect(opened.allSatisfy { $0.value == 1 })
    let counts = ends.keys.counts(of: ends.opening)
    #expect(counts.opened == Self.count)
    #expect(counts.replayed == (Self.threadCount - 1) * Self.count)
  }

  @Test func windowAcceptsEveryNumberOnceInAll() throws {
    let ends = try PacketEnds(.secretbox)
    let accepted = AtomicCount()
    inThreads { _ in
      guard let slot = ends.keys.slot(at: ends.opening) else { return }
      for number in 0..<UInt64(Self.count)
      where slot.accept(number, isFragmentable: false) { accepted.add() }
    }
    #expect(accepted.value == Self.count)
  }

  @Test(arguments: kinds)
  func threadsNeverSealWithTheSameNumber(kind: PacketKind) throws {
    let ends = try PacketEnds(kind)
    let numbers = Numbers()
    let batchCount = 1000
    inThreads { thread in
      var mine: [UInt64] = []
      for index in 0..<batchCount {
        var play = BatchPlay()
        for _ in 0..<1 + (index + thread) % 40 { play.append(kind.packet([1]), key: ends.sealing) }
        play.seal(ends.keys)
        for row in play.rows.indices where play.outcomes[row] == .done {
          let packet = play.packet(row)
          mine.append(
            kind.layout == .esp ? UInt64(lowHalf(of: packet)) : number(of: packet) & 0xFFFF_FFFF)
        }
      }
      numbers.add(mine)
    }
    let all = numbers.all.sorted()
    let expected = Self.threadCount * batchCount * 41 / 2
    #expect(all == (0..<UInt64(expected)).map { $0 + kind.firstNumber })
    #expect(ends.keys.counts(of: ends.sealing).sealed == expected)
  }

  /// Keys come and go while others are used, as the control plane has them do.
  @Test func keysComeAndGoBesideOthers() throws {
    let ends = try PacketEnds(.aesESP)
    let failures = AtomicCount()
    inThreads { thread in
      for number in 0..<2000 {
        if thread == 0 {
          let kind = PacketKind.allCases[number % PacketKind.allCases.count]
          guard let passing = try? PacketEnds(kind, keys: ends.keys) else { return failures.add() }
          let packet = passing.seal([9])
          if packet.map({ passing.open($0).outcome }) != .done { failures.add() }
          ends.keys.remove(passing.sealing)
          ends.keys.remove(passing.opening)
        } else if ends.seal([UInt8(truncatingIfNeeded: number)]) == nil {
          failures.add()
        }
      }
    }
    #expect(failures.value == 0)
  }
}

/// A number that threads raise together.
private final class AtomicCount: Sendable {
  private let count = Atomic(0)

  var value: Int { count.load(ordering: .relaxed) }

  func add() { count.add(1, ordering: .relaxed) }
}
