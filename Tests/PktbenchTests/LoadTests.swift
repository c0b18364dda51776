// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import pktbench

@Suite struct TokenBucketTests {
  @Test(arguments: [1_000.0, 250_000, 3_000_000], fixedSeeds)
  func whoLooksOftenEnoughKeepsThePace(pace: Double, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var bucket = TokenBucket(pace: pace, at: 1_000_000)
    var now: UInt64 = 1_000_000
    var sent = 0
    let gapMax = Int(Double(TokenBucket.burstMax - 1) / pace * 1e9)
    for _ in 0..<2000 {
      now += UInt64(random.number(below: gapMax))
      let burst = bucket.take(at: now)
      #expect(0...TokenBucket.burstMax ~= burst, "\(random)")
      sent += burst
    }
    let expected = Double(now - 1_000_000) * pace / 1e9
    #expect(abs(Double(sent) - expected) <= 1.5, "\(random)")
  }

  @Test func aPauseIsNotMadeUpFor() {
    var bucket = TokenBucket(pace: 1e6, at: 0)
    #expect(bucket.take(at: 1_000_000_000) == TokenBucket.burstMax)
    #expect(bucket.take(at: 1_000_000_000) == 0)
    #expect(bucket.take(at: 1_000_005_000) == 5)
  }

  @Test func whatDidNotGoMayGoLater() {
    var bucket = TokenBucket(pace: 1e6, at: 0)
    #expect(bucket.take(at: 10_000) == 10)
    bucket.giveBack(4)
    #expect(bucket.take(at: 10_000) == 4)
  }

  @Test func aClockThatGoesBackGivesNothing() {
    var bucket = TokenBucket(pace: 1e9, at: 100)
    #expect(bucket.take(at: 50) == 0)
    #expect(bucket.take(at: .max) == TokenBucket.burstMax)
  }
}

@Suite struct TestpmdStatisticsTests {
  private static let text = """
    show fwd stats all

      ---------------------- Forward statistics for port 0  ----------------------
      RX-packets: 6              RX-dropped: 0             RX-total: 6
      TX-packets: 3              TX-dropped: 7             TX-total: 10
      ----------------------------------------------------------------------------

      +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++
      RX-packets: 9              RX-dropped: 0             RX-total: 9
      TX-packets: 9              TX-dropped: 12            TX-total: 21
      ++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++

      CPU cycles/packet=577.78 (total cycles=5200 / total io packets=9) at 2600 MHz Clock
    testpmd>\u{20}
    """

  @Test func dropsAndWorkAreThoseOfAllPorts() throws {
    let statistics = try #require(TestpmdStatistics(Self.text))
    #expect(statistics.dropped == 12)
    #expect(abs(statistics.busySeconds - 2e-6) < 1e-12)
  }

  @Test func beforeTheFirstFrameThereIsNoWork() throws {
    let lines = Self.text.split(separator: "\n").filter { !$0.contains("CPU") }
    #expect(try #require(TestpmdStatistics(lines.joined(separator: "\n"))).busySeconds == 0)
  }

  @Test func whatIsCutOffIsReadOrRefused() {
    for length in 0...Self.text.count {
      let statistics = TestpmdStatistics(String(Self.text.prefix(length)))
      #expect((statistics?.dropped ?? 0) <= 12)
    }
    #expect(TestpmdStatistics("") == nil)
    #expect(TestpmdStatistics("Accumulated forward statistics\nTX-packets: 1 TX-dropped: x") == nil)
  }
}
