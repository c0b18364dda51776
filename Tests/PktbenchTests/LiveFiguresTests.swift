// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import pktbench

@Suite struct RateSearchTests {
  /// A forwarder that carries so many frames a second, behind a generator that sends so many.
  private func trial(capacity: Double, generator: Double, pace: Double?) -> RateSearch.Trial {
    let rate = min(pace ?? generator, generator)
    return RateSearch.Trial(
      sent: Int(rate), seconds: 1, arrived: Int(min(rate, capacity)))
  }

  @Test(arguments: fixedSeeds)
  func theRateFoundIsNearWhatTheForwarderCarries(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      let generator = Double(500_000 + random.number(below: 3_000_000))
      let capacity = generator * Double(5 + random.number(below: 94)) / 100
      var trials = 0
      let found = RateSearch().highest { pace in
        trials += 1
        return trial(capacity: capacity, generator: generator, pace: pace)
      }
      let rate = try #require(found, "\(random)")
      // 0.5 % more than is carried may be sent; then come the 2 % of the search.
      #expect(rate <= capacity * 1.0051, "\(random)")
      #expect(rate >= capacity - 0.021 * generator, "\(random)")
      #expect(trials <= 24, "\(random)")
    }
  }

  @Test func theGeneratorsRateIsFoundWhenNothingIsLost() {
    var paces: [Double?] = []
    let rate = RateSearch().highest { pace in
      paces.append(pace)
      // The first trial is slow, as first trials are.
      return trial(capacity: 9e6, generator: paces.count == 1 ? 1e5 : 1e6, pace: pace)
    }
    #expect(rate == 1e6)
    #expect(paces == [nil, nil])
  }

  @Test func oneBadMomentIsForgiven() {
    var count = 0
    let rate = RateSearch().highest { pace in
      count += 1
      // The second trial, the first that counts, falls into a bad moment.
      return trial(capacity: count == 2 ? 1 : 9e6, generator: 1e6, pace: pace)
    }
    #expect(rate == 1e6)
    #expect(count == 3)
  }

  @Test func whatAlwaysLosesHasNoRate() {
    #expect(
      RateSearch().highest { pace in
        RateSearch.Trial(sent: Int(pace ?? 1e6), seconds: 1, arrived: 0)
      } == nil)
  }

  @Test func aGeneratorThatSendsNothingHasNoRate() {
    #expect(RateSearch().highest { _ in RateSearch.Trial(sent: 0, seconds: 1, arrived: 0) } == nil)
  }

  @Test func whatArrivesTwiceIsNoGain() {
    #expect(RateSearch.Trial(sent: 10, seconds: 1, arrived: 12).lostShare == 0)
    #expect(RateSearch.Trial(sent: 10, seconds: 1, arrived: 9).lostShare == 0.1)
  }

  @Test func anErrorOfATrialEndsTheSearch() {
    #expect(throws: Interruption.error) {
      _ = try RateSearch().highest { _ throws -> RateSearch.Trial in throw Interruption.error }
    }
  }
}

@Suite struct RoundTripTests {
  @Test func mostIsWithinTheTimeOfTheSlowestOfThem() {
    var times = Echo.Times()
    #expect(times.median == nil && times.within(0.99) == nil)
    times.nanoseconds = (1...100).reversed().map { Double($0) }
    #expect(times.median == 50.5)
    #expect(times.within(0.99) == 100)
    #expect(times.within(0.5) == 51)
    #expect(times.within(1) == 100)
  }
}

@Suite struct ThreadTimesTests {
  @Test func aThreadIsReadFromItsFiles() throws {
    let entry = try #require(
      ThreadTimes.Entry(comm: "weft-worker-1\n", schedstat: "2500000000 17 42\n"))
    #expect(entry.name == "weft-worker-1" && entry.seconds == 2.5)
    let other = try #require(ThreadTimes.Entry(comm: "pktbench\n", schedstat: "1000000000 0 1\n"))
    let times = ThreadTimes(entries: [entry, other, entry])
    #expect(times.seconds(named: "weft-worker-") == 5)
    #expect(times.seconds(named: "nobody") == nil)
  }

  @Test(arguments: ["", "12", "a b c", "-1 2 3", "99999999999999999999 1 1"])
  func otherFilesAreRefused(schedstat: String) {
    #expect(ThreadTimes.Entry(comm: "x", schedstat: schedstat) == nil)
  }

  @Test func ownThreadsAreThere() {
    #expect(ThreadTimes.own().entries.contains { $0.seconds > 0 })
  }
}

@Suite struct LossesTests {
  @Test func onlyPortsThatLostAreNamed() {
    var before = Losses(byWorkers: 1)
    before.ports["first host's wire"] = .init(ringFull: 1, withoutChunk: 2, otherwise: 3)
    before.ports["second host's wire"] = .init(ringFull: 7)
    var after = before
    after.byWorkers = 5
    after.ports["first host's wire"] = .init(ringFull: 1, withoutChunk: 4, otherwise: 5)
    let added = after.since(before)
    #expect(
      added.text
        == "dropped by workers 4; first host's wire: RX full 0, fill ring empty 2, dropped 2")
    #expect(after.since(after).text == "dropped by workers 0")
  }
}
