// SPDX-License-Identifier: Apache-2.0

/// The middle and the ends of a few figures of the same thing.
struct Spread: Equatable, Sendable {
  let median: Double
  let min: Double
  let max: Double
  let count: Int

  /// Sums figures up; nil if there are none, or if one is not a finite number.
  ///
  /// The median of an even number of figures is the mean of the two in the middle.
  init?(_ figures: [Double]) {
    let sorted = figures.sorted()
    guard let first = sorted.first, let last = sorted.last, figures.allSatisfy(\.isFinite) else {
      return nil
    }
    let middle = sorted.count / 2
    median =
      sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    min = first
    max = last
    count = sorted.count
  }
}
