// SPDX-License-Identifier: Apache-2.0

/// Looks for the highest rate at which hardly a frame is lost, by halving.
struct RateSearch {
  /// What a trial at some pace gave.
  struct Trial: Equatable {
    /// Frames sent, and in how many seconds.
    var sent: Int
    var seconds: Double
    /// Those that arrived.
    var arrived: Int

    /// Frames sent in a second.
    var rate: Double { seconds > 0 ? Double(sent) / seconds : 0 }

    /// The share that was lost, from 0 to 1; what arrives twice does not make up for it.
    var lostShare: Double { sent > 0 ? Double(max(0, sent - arrived)) / Double(sent) : 0 }
  }

  /// The share of frames that may be lost.
  var lostShareMax = 0.005
  /// How far apart the rates may be at the end, as a share of the higher one.
  var width = 0.02
  /// How often a trial that lost too much is made again before the pace counts as too high, because
  /// a machine that was busy elsewhere for a moment loses frames at any pace.
  var repetitions = 1
  /// Rates below this share of the generator's highest are not looked at.
  var floor = 0.01

  /// The highest rate found; nil if even the lowest loses too much.
  ///
  /// `trial` sends at a pace, or for nil as fast as it can. Its first answer, which finds caches
  /// and clocks cold, only tells how fast the generator is.
  func highest(_ trial: (Double?) throws -> Trial) rethrows -> Double? {
    let first = try trial(nil)
    let whole = try best(of: trial, at: nil)
    if isGood(whole) { return whole.rate }
    var high = max(whole.rate, first.rate)
    let lowest = high * floor
    var low = 0.0
    var found: Double?
    while high - max(low, lowest) > width * high {
      let pace = (max(low, lowest) + high) / 2
      let result = try best(of: trial, at: pace)
      if isGood(result) {
        // A generator that was kept from its core was slower than asked; only what it did counts.
        found = max(found ?? 0, result.rate)
        low = pace
      } else {
        high = pace
      }
    }
    return found
  }

  /// The first trial at a pace that does not lose too much, or the last one.
  private func best(
    of trial: (Double?) throws -> Trial, at pace: Double?
  ) rethrows -> Trial {
    var result = try trial(pace)
    for _ in 0..<repetitions where !isGood(result) { result = try trial(pace) }
    return result
  }

  private func isGood(_ trial: Trial) -> Bool {
    trial.lostShare <= lostShareMax && trial.rate > 0
  }
}
