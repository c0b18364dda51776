// SPDX-License-Identifier: Apache-2.0

/// Looks for the highest rate at which hardly a frame is lost, by halving.
///
/// It asks for one trial after the other: `next` says at which pace, `take` is told what came of
/// it. So searches on several sides can take turns (`inTurn`), and what happens on the machine for
/// a minute meets all of them. A pace is judged by the median of three trials, of which the third
/// is left out if the first two agree.
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

  /// How fast to send in a trial.
  struct Pace: Equatable {
    /// Frames in a second; nil for as many as the kernel takes.
    var rate: Double?
  }

  /// A pace that lost too much.
  private struct Bound {
    var pace: Pace
    /// What it came to.
    var rate: Double
  }

  /// What a pace is tried for.
  private enum Aim {
    /// To know how fast the generator is, with cold caches and clocks.
    case warmUp
    /// To halve what is left.
    case halving
    /// To know whether the lowest pace that lost too much does so once more.
    case retest
  }

  /// The share of frames that may be lost.
  static let lostShareMax = 0.005
  /// How far apart the rates may be at the end, as a share of the higher one.
  static let width = 0.02
  /// Trials that one pace is judged by at most.
  static let trialsMax = 3
  /// Rates below this share of the generator's highest are not looked at.
  static let floor = 0.01
  /// How often a bound may turn out to be none before the search ends nevertheless.
  static let reopeningsMax = 4

  /// The highest rate found so far; nil if there is none.
  private(set) var found: Double?
  /// The pace of the next trial; nil if the search is over.
  private(set) var next: Pace? = Pace()
  /// How often a pace held that had counted as too high.
  private(set) var reopenings = 0
  private var aim = Aim.warmUp
  private var trials: [Trial] = []
  private var firstRate = 0.0
  private var low = 0.0
  private var lowest = 0.0
  /// Paces that lost too much, the lowest last.
  private var bounds: [Bound] = []

  /// Searches on several sides whose trials take turns, and the rates found.
  ///
  /// `trial` sends at a pace on one side. Which side goes first changes from turn to turn.
  static func inTurn(
    sides: Int, _ trial: (_ side: Int, _ pace: Pace) throws -> Trial
  ) rethrows -> [RateSearch] {
    var searches = Array(repeating: RateSearch(), count: sides)
    var turn = 0
    while searches.contains(where: { $0.next != nil }) {
      for place in 0..<sides {
        let side = turn % 2 == 0 ? place : sides - 1 - place
        guard let pace = searches[side].next else { continue }
        searches[side].take(try trial(side, pace))
      }
      turn += 1
    }
    return searches
  }

  /// Whether a trial lost hardly a frame.
  static func isGood(_ trial: Trial) -> Bool {
    trial.lostShare <= lostShareMax && trial.rate > 0
  }

  /// Takes what came of a trial at the pace `next`.
  mutating func take(_ trial: Trial) {
    guard let pace = next else { return }
    if aim == .warmUp {
      firstRate = trial.rate
      aim = .halving
      return
    }
    trials.append(trial)
    let good = trials.filter(RateSearch.isGood)
    let decisive = RateSearch.trialsMax / 2 + 1
    if good.count == decisive {
      accept(pace, rates: good.map(\.rate))
    } else if trials.count - good.count == decisive {
      refuse(pace)
    } else {
      return
    }
    trials = []
  }

  private mutating func accept(_ pace: Pace, rates: [Double]) {
    // A generator that was kept from its core was slower than asked; only what it did counts.
    let rate = Spread(rates)?.median ?? 0
    found = max(found ?? 0, rate)
    if aim == .retest {
      bounds.removeLast()
      reopenings += 1
      aim = .halving
    }
    // Nothing is faster than the generator at its full rate.
    guard let wanted = pace.rate, !bounds.isEmpty else { return next = nil }
    low = wanted
    proceed()
  }

  private mutating func refuse(_ pace: Pace) {
    guard aim == .halving else { return next = nil }
    let median = Spread(trials.map(\.rate))?.median ?? 0
    let rate = pace.rate ?? max(median, firstRate)
    if bounds.isEmpty { lowest = rate * RateSearch.floor }
    bounds.append(Bound(pace: pace, rate: rate))
    proceed()
  }

  /// Halves what is left, or looks once more at what is above.
  private mutating func proceed() {
    guard let bound = bounds.last, bound.rate > 0 else { return next = nil }
    let bottom = max(low, lowest)
    if bound.rate - bottom > RateSearch.width * bound.rate {
      next = Pace(rate: (bottom + bound.rate) / 2)
    } else if found == nil || reopenings == RateSearch.reopeningsMax {
      next = nil
    } else {
      aim = .retest
      next = bound.pace
    }
  }
}
