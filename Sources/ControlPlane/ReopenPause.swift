// SPDX-License-Identifier: Apache-2.0

/// How long an interface is left alone whose port could not be opened: 1, 2, 4 … 60 seconds.
///
/// Each try attaches a program and takes it off again, which resets some cards.
struct ReopenPause {
  static let secondsMax: UInt64 = 60

  /// The interface that the last tries were made on.
  private var index: Int32?
  private var seconds: UInt64 = 0
  private var end: UInt64 = 0

  /// Whether the last try failed.
  var isRetry: Bool { seconds > 0 }

  /// Ends when what is there changes for real: another interface, or the same after it was down.
  mutating func note(index: Int32?, isUp: Bool) {
    if index != self.index || !isUp { stop() }
    self.index = index
  }

  func isOver(at now: UInt64) -> Bool { now >= end }

  /// Begins, twice as long as the one before.
  mutating func begin(at now: UInt64) {
    seconds = min(max(1, seconds * 2), ReopenPause.secondsMax)
    end = now + seconds
  }

  mutating func stop() {
    seconds = 0
    end = 0
  }
}
