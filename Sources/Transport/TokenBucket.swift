// SPDX-License-Identifier: Apache-2.0

/// Lets something happen at a rate, and a few times at once after a quiet time.
///
/// Time is handed in, in nanoseconds of a clock that never goes back.
struct TokenBucket {
  private let interval: UInt64
  /// How long an empty bucket takes to fill.
  private let fillTime: UInt64
  /// When the bucket was, or will be, without a token, by `fillTime` later than the clock has it,
  /// which may be younger than a bucket takes to fill.
  private var empty: UInt64

  /// A full bucket of `burst` tokens, to which one is added each `interval`.
  init(burst: Int, interval: Duration, now: UInt64) {
    self.interval = UInt64(max(1, interval.nanoseconds))
    let product = UInt64(max(1, burst)).multipliedReportingOverflow(by: self.interval)
    fillTime = product.overflow ? UInt64.max / 4 : min(product.partialValue, .max / 4)
    empty = now
  }

  /// Takes a token; gives how long to wait until there is another, in nanoseconds.
  mutating func take(now: UInt64) -> UInt64 {
    empty = max(empty, now) &+ interval
    let next = empty &+ interval
    return next > now &+ fillTime ? next &- now &- fillTime : 0
  }
}

extension Duration {
  /// Whole nanoseconds, some 292 years at most.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let sum = whole.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
    return whole.overflow || sum.overflow ? (seconds < 0 ? .min : .max) : sum.partialValue
  }
}
