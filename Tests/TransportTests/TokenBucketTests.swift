// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Transport

@Suite struct TokenBucketTests {
  private static let interval: UInt64 = 50_000_000

  private func bucket(now: UInt64 = 0) -> TokenBucket {
    TokenBucket(burst: 20, interval: .milliseconds(50), now: now)
  }

  @Test(arguments: [0, 1, 12_345_678_901_234])
  func burstIsTakenAtOnceAndThenOneEachInterval(start: UInt64) {
    var bucket = bucket(now: start)
    for _ in 0..<19 { #expect(bucket.take(now: start) == 0) }
    var now = start
    for _ in 0..<100 {
      let wait = bucket.take(now: now)
      #expect(wait == Self.interval)
      now += wait
    }
  }

  @Test func quietTimeFillsTheBucketAndNoMore() {
    var bucket = bucket()
    for _ in 0..<20 { _ = bucket.take(now: 0) }
    let later = 1000 * Self.interval
    for _ in 0..<19 { #expect(bucket.take(now: later) == 0) }
    #expect(bucket.take(now: later) == Self.interval)
  }

  @Test func partOfAnIntervalIsNotLost() {
    var bucket = bucket()
    for _ in 0..<20 { _ = bucket.take(now: 0) }
    #expect(bucket.take(now: Self.interval + 10) == Self.interval - 10)
  }

  @Test(arguments: fixedSeeds)
  func rateIsKeptWhateverComes(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var bucket = bucket()
    var now: UInt64 = 0
    var taken: UInt64 = 0
    for _ in 0..<10_000 {
      now += UInt64.random(in: 0...3 * Self.interval, using: &generator)
      now += bucket.take(now: now)
      taken += 1
      #expect(taken <= 20 + now / Self.interval, "\(generator)")
    }
  }

  @Test func absurdRatesDoNoHarm() {
    var never = TokenBucket(burst: .max, interval: .seconds(Int64.max), now: 5)
    _ = never.take(now: 5)
    _ = never.take(now: .max)
    var always = TokenBucket(burst: 0, interval: .zero, now: 5)
    #expect(always.take(now: 5) <= 1)
  }
}
