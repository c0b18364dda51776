// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ControlPlane

@Suite struct ReopenPauseTests {
  /// The seconds of each pause, if each try fails the moment it is made.
  private func pauses(_ count: Int, of pause: inout ReopenPause) -> [UInt64] {
    var (now, lengths): (UInt64, [UInt64]) = (1000, [])
    for _ in 0..<count {
      let start = now
      pause.begin(at: now)
      while !pause.isOver(at: now) {
        now += 1
        // Looking at the same interface again changes nothing.
        pause.note(index: 2, isUp: true)
      }
      lengths.append(now - start)
    }
    return lengths
  }

  private var begun: ReopenPause {
    var pause = ReopenPause()
    pause.note(index: 2, isUp: true)
    return pause
  }

  @Test func firstTryIsNotHeldUp() {
    #expect(begun.isOver(at: 0))
    #expect(!begun.isRetry)
  }

  @Test func pausesDoubleUpToAMinute() {
    var pause = begun
    #expect(pauses(9, of: &pause) == [1, 2, 4, 8, 16, 32, 60, 60, 60])
    #expect(pause.isRetry)
  }

  @Test func successEndsIt() {
    var pause = begun
    _ = pauses(5, of: &pause)
    pause.stop()
    #expect(!pause.isRetry)
    #expect(pauses(2, of: &pause) == [1, 2])
  }

  @Test func anotherInterfaceIsTriedAtOnce() {
    for index: Int32? in [3, nil] {
      var pause = begun
      _ = pauses(5, of: &pause)
      pause.begin(at: 5000)
      pause.note(index: index, isUp: true)
      #expect(pause.isOver(at: 5000) && !pause.isRetry)
    }
  }

  @Test func interfaceThatWasDownIsTriedAtOnce() {
    var pause = begun
    _ = pauses(5, of: &pause)
    pause.begin(at: 5000)
    pause.note(index: 2, isUp: true)
    #expect(!pause.isOver(at: 5000))
    pause.note(index: 2, isUp: false)
    pause.note(index: 2, isUp: true)
    #expect(pause.isOver(at: 5000) && !pause.isRetry)
  }
}
