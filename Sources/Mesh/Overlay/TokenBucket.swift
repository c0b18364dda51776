// SPDX-License-Identifier: Apache-2.0

/// Bounds how often something is done that others make us do.
struct TokenBucket: Sendable {
  private let countMax: Int
  private let pause: Duration
  private var count: Int
  private var renewedAt: MeshInstant?

  /// Allows `countMax` at once, and one more after each `pause`.
  init(countMax: Int, pause: Duration) {
    self.countMax = countMax
    self.pause = pause
    count = countMax
  }

  /// Whether it may be done once more.
  mutating func take(now: MeshInstant) -> Bool {
    let renewed = renewedAt ?? now
    let earned = Int(min(max(renewed.duration(to: now) / pause, 0), Double(countMax)))
    count += earned
    // What is left of a pause counts towards the next one, unless the bucket is full.
    renewedAt = count < countMax ? renewed.advanced(by: pause * earned) : now
    count = min(count, countMax)
    guard count > 0 else { return false }
    count -= 1
    return true
  }
}
