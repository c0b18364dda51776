// SPDX-License-Identifier: Apache-2.0

/// Lets frames go at a pace, in small bursts.
///
/// What could not be sent in time is not made up for: after a pause the next burst is no longer
/// than any other, so that a generator that was kept from its core does not flood the forwarder.
struct TokenBucket {
  /// Frames in a burst at most.
  static let burstMax = 32

  private let framesPerNanosecond: Double
  private var tokens = 0.0
  private var last: UInt64

  /// An empty bucket; `pace` is in frames a second and above 0.
  init(pace: Double, at nanoseconds: UInt64) {
    framesPerNanosecond = pace / 1e9
    last = nanoseconds
  }

  /// Takes what may go now, from 0 to `burstMax` frames.
  mutating func take(at nanoseconds: UInt64) -> Int {
    let passed = nanoseconds > last ? nanoseconds - last : 0
    last = max(last, nanoseconds)
    tokens = min(tokens + Double(passed) * framesPerNanosecond, Double(TokenBucket.burstMax))
    let whole = Int(tokens)
    tokens -= Double(whole)
    return whole
  }

  /// Puts back what was taken and did not go.
  mutating func giveBack(_ frames: Int) {
    tokens = min(tokens + Double(frames), Double(TokenBucket.burstMax))
  }
}
