// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Sealing

/// Several threads and one session.
@Suite(.serialized) struct SleeveConcurrencyTests {
  private static let threadCount = 4
  private static let count = 200_000

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

  /// Each thread goes through all datagrams in an order of its own, not far from the numbers'.
  @Test func everyDatagramIsOpenedByOneThread() throws {
    let ends = try SleeveEnds()
    let datagrams = try (0..<Self.count).map { number in
      try #require(ends.seal([UInt8(truncatingIfNeeded: number)], isFragmentable: number % 8 == 0))
    }
    let opened = (0..<Self.count).map { _ in AtomicCount() }
    let others = AtomicCount()
    inThreads { thread in
      var generator = SeededGenerator(seed: UInt64(thread))
      let places = (0..<Self.count).map { $0 + generator.number(below: 64) }
      let order = (0..<Self.count).sorted { places[$0] < places[$1] }
      for index in order {
        switch ends.open(datagrams[index]).0 {
        case .opened: opened[index].add()
        case .notAuthentic: others.add()
        case .replayed: break
        }
      }
    }
    #expect(others.value == 0)
    // A thread that the machine holds up may find numbers too old, but then others opened them.
    #expect(opened.allSatisfy { $0.value == 1 })
  }

  @Test func windowAcceptsEveryNumberOnceInAll() throws {
    let ends = try SleeveEnds()
    let accepted = AtomicCount()
    inThreads { _ in
      guard let slot = ends.sessions.slot(at: ends.dialled) else { return }
      for number in 0..<UInt64(Self.count) where slot.accept(number) { accepted.add() }
    }
    #expect(accepted.value == Self.count)
  }

  @Test func threadsNeverSealWithTheSameNumber() throws {
    let ends = try SleeveEnds()
    let numbers = Mutex<[UInt64]>([])
    inThreads { thread in
      var mine: [UInt64] = []
      for index in 0..<Self.count / Self.threadCount {
        let isFragmentable = (index + thread) % 2 == 0
        guard let datagram = ends.seal([1, 2], isFragmentable: isFragmentable) else { return }
        mine.append(number(of: datagram))
      }
      numbers.withLock { $0 += mine }
    }
    let all = numbers.withLock { $0.sorted() }
    let half = UInt64(Self.count / 2)
    #expect(all == Array(0..<half) + (0..<half).map { $0 | unfragmentable })
  }

  /// Sessions come and go while others are used, as the control plane has them do.
  @Test func sessionsBeginAndEndBesideOthers() throws {
    let ends = try SleeveEnds()
    let failures = AtomicCount()
    inThreads { thread in
      for number in 0..<2000 {
        if thread == 0 {
          guard let passing = try? SleeveEnds(sessions: ends.sessions) else {
            return failures.add()
          }
          let datagram = passing.seal([9])
          if datagram.map({ passing.open($0).0 }) != .opened { failures.add() }
          ends.sessions.end(passing.dialler)
          ends.sessions.end(passing.dialled)
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
