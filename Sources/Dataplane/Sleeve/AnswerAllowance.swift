// SPDX-License-Identifier: Apache-2.0

/// How many answers to frames that were too long a worker may still give, or how many heartbeats
/// from strangers it may report.
///
/// Somebody who sends such frames in another's name must not turn us on him, nor keep the control
/// plane busy: 64 at once, and then one for every 2²² ticks, which is about a millisecond. Who is
/// not told, or not heard, sends again.
struct AnswerAllowance {
  static var capacity: UInt64 { 64 }
  static var ticksShift: UInt64 { 22 }

  private var left = AnswerAllowance.capacity
  /// When the last that was regained was due.
  private var due: UInt64 = 0

  /// Whether another may be given now; `ticks` is the time.
  mutating func areAllowed(at ticks: UInt64) -> Bool {
    // Time stamps of two cores may differ a little.
    if ticks > due {
      let gained = (ticks &- due) >> AnswerAllowance.ticksShift
      left = min(AnswerAllowance.capacity, left &+ gained)
      due &+= gained << AnswerAllowance.ticksShift
    }
    return left > 0
  }

  /// One was given.
  mutating func note() { left &-= min(left, 1) }
}
