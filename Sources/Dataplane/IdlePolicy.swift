// SPDX-License-Identifier: Apache-2.0

/// Whether an idle worker may sleep.
public enum IdleMode: String, Sendable, CaseIterable, Codable {
  /// Spin for a while, then sleep until something arrives.
  case adaptive
  /// Never sleep.
  case spin
}

/// Decides after every breath whether to take the next at once, to pause, or to sleep.
///
/// Under load there is no decision to pay for. After work ends, a bounded number of empty breaths
/// is spent pausing longer and longer, because the next frame often follows within microseconds;
/// then the worker sleeps until the kernel has something.
struct IdlePolicy {
  enum Step: Equatable {
    case again
    case pause(Int)
    case sleep
  }

  private let mode: IdleMode
  private var emptyBreaths = 0

  /// Empty breaths before sleeping: some tens of microseconds with a handful of ports.
  static var emptyBreathsMax: Int { 400 }
  /// Processor pauses between two empty breaths at most.
  static var pausesMax: Int { 16 }

  init(mode: IdleMode) {
    self.mode = mode
  }

  mutating func step(after drawn: Int) -> Step {
    guard drawn == 0 else {
      emptyBreaths = 0
      return .again
    }
    emptyBreaths &+= 1
    if mode == .adaptive && emptyBreaths > IdlePolicy.emptyBreathsMax {
      emptyBreaths = 0
      return .sleep
    }
    return .pause(min(emptyBreaths, IdlePolicy.pausesMax))
  }
}
