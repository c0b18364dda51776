// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

/// The windows of a key, without packets.
@Suite struct SharedReplayWindowTests {
  /// How far behind the newest number one is never too old.
  private static let reach: UInt64 = 16_368

  private let slot: KeySlot
  private let ends: PacketEnds

  init() throws {
    ends = try PacketEnds(.secretbox)
    slot = try #require(ends.keys.slot(at: ends.opening))
  }

  @Test func numbersInOrderAreAcceptedOnceEach() {
    for number in UInt64(0)..<50_000 {
      #expect(slot.accept(number) && !slot.accept(number), "\(number)")
    }
    for number in UInt64(0)..<50_000 { #expect(!slot.accept(number), "\(number)") }
  }

  @Test func kindsHaveWindowsOfTheirOwn() {
    #expect(slot.accept(7) && slot.accept(7, isFragmentable: true))
    #expect(!slot.accept(7) && !slot.accept(7, isFragmentable: true))
    #expect(slot.accept(1 << 40) && slot.accept(8, isFragmentable: true))
    #expect(!slot.accept((1 << 40) & 16_383) && slot.accept(0, isFragmentable: true))
  }

  @Test func numbersWithinReachAreAcceptedAfterTheNewest() {
    // Every second one comes late, as late as it may.
    for number in stride(from: UInt64(0), to: 100_000, by: 2) {
      #expect(slot.accept(number), "\(number)")
      guard number > Self.reach else { continue }
      let late = number - Self.reach + 1
      #expect(slot.accept(late) && !slot.accept(late), "\(late)")
    }
  }

  @Test func numbersAreRefusedWhenALaterRoundTookTheirWord() {
    for number in UInt64(0)..<40_000 where number % 3 != 0 { #expect(slot.accept(number)) }
    // The word of 39,999 is that of the numbers 16,384 before it and the like.
    for number in stride(from: UInt64(0), to: 39_984 - 16_384, by: 3) {
      #expect(!slot.accept(number), "\(number)")
    }
    for number in stride(from: UInt64(40_000 - 16_384 + 16), to: 40_000, by: 1)
    where number % 3 == 0 { #expect(slot.accept(number), "\(number)") }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func nothingIsAcceptedTwiceWhateverTheOrder(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var accepted: Set<UInt64> = []
    var newest: UInt64 = 0
    for _ in 0..<100_000 {
      let number = next(newest, &generator)
      let isAccepted = slot.accept(number)
      let isNew = accepted.insert(number).inserted
      #expect(!isAccepted || isNew, "\(number), \(generator)")
      let isInReach = number + Self.reach >= newest
      #expect(isAccepted || !isNew || !isInReach, "\(number) of \(newest), \(generator)")
      newest = max(newest, number)
    }
  }

  /// Mostly near the newest, sometimes far behind or ahead.
  private func next(_ newest: UInt64, _ generator: inout SeededGenerator) -> UInt64 {
    let near = UInt64(generator.number(below: 40))
    switch generator.number(below: 100) {
    case 0: return newest + UInt64(generator.number(below: 100_000))
    case 1: return newest - min(newest, UInt64(generator.number(below: 40_000)))
    case 2..<50: return newest - min(newest, near)
    default: return newest + near
    }
  }

  @Test func lastNumberHasARoundAndTheNextIsRefused() {
    let limit = SharedReplayWindow.numberLimit
    #expect(limit == (1 << 62) - (1 << 14))
    #expect(slot.accept(limit - 1) && !slot.accept(limit - 1))
    #expect(slot.accept(limit - 16_384) && slot.accept(limit - 16_385 + 16))
    for number in [limit, limit + 1, 1 << 62, UInt64.max >> 1] {
      #expect(!slot.accept(number))
    }
  }
}

extension KeySlot {
  fileprivate func accept(_ number: UInt64) -> Bool { accept(number, isFragmentable: false) }
}
