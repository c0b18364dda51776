// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import pktbench

/// A forwarder that carries so many frames a second, behind a generator that sends so many, on a
/// machine that is now and then busy elsewhere.
private struct PretendMachine {
  var capacity: Double
  var generator = 1e6
  /// Of 100 trials, those that fall into a bad moment and lose up to a fifth.
  var badTrialsOf100 = 0
  var random = SeededGenerator(seed: 1)
  /// What was asked for.
  var paces: [Double?] = []

  mutating func trial(_ pace: RateSearch.Pace) -> RateSearch.Trial {
    paces.append(pace.rate)
    let rate = min(pace.rate ?? generator, generator)
    var arrived = min(rate, capacity)
    if random.number(below: 100) < badTrialsOf100 {
      arrived *= 1 - Double(1 + random.number(below: 20)) / 100
    }
    return RateSearch.Trial(sent: Int(rate), seconds: 1, arrived: Int(arrived))
  }

  /// Searches alone.
  mutating func search() throws -> RateSearch {
    try #require(RateSearch.inTurn(sides: 1) { trial($1) }.first)
  }
}

@Suite struct RateSearchTests {
  @Test(arguments: fixedSeeds)
  func theRateFoundIsNearWhatTheForwarderCarries(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      let generator = Double(500_000 + random.number(below: 3_000_000))
      let capacity = generator * Double(5 + random.number(below: 94)) / 100
      var machine = PretendMachine(capacity: capacity, generator: generator)
      let rate = try #require(machine.search().found, "\(random)")
      // 0.5 % more than is carried may be sent; then come the 2 % of the search.
      #expect(rate <= capacity * 1.0051, "\(random)")
      #expect(rate >= capacity - 0.021 * generator, "\(random)")
      #expect(machine.paces.count <= 28, "\(random)")
    }
  }

  @Test(arguments: fixedSeeds)
  func fiveSearchesOnANoisyMachineHaveTheRightMiddle(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      let capacity = Double(100_000 + random.number(below: 850_000))
      var machine = PretendMachine(capacity: capacity, badTrialsOf100: 10, random: random)
      var rates: [Double] = []
      for _ in 0..<5 { rates.append(try #require(machine.search().found, "\(random)")) }
      let middle = try #require(Spread(rates)?.median)
      #expect(abs(middle - capacity) <= 0.025 * capacity, "\(random)")
      #expect(machine.paces.count <= 5 * 50, "\(random)")
      random = machine.random
    }
  }

  @Test func theGeneratorsRateIsFoundWhenNothingIsLost() throws {
    var machine = PretendMachine(capacity: 9e6)
    let search = try machine.search()
    #expect(search.found == 1e6)
    // The first one is only there to warm up.
    #expect(machine.paces == [nil, nil, nil])
  }

  @Test func oneBadMomentIsForgiven() throws {
    var count = 0
    let search = RateSearch.inTurn(sides: 1) { _, _ in
      count += 1
      // The second trial, the first that counts, falls into a bad moment.
      return RateSearch.Trial(sent: 1_000_000, seconds: 1, arrived: count == 2 ? 1 : 1_000_000)
    }
    #expect(search.first?.found == 1e6)
    #expect(count == 4)
  }

  @Test(arguments: [2, 4, 6, 9])
  func aBadMinuteDoesNotHideWhatIsAboveIt(first: Int) throws {
    var machine = PretendMachine(capacity: 820_000)
    var count = 0
    let searches = RateSearch.inTurn(sides: 1) { _, pace in
      count += 1
      var trial = machine.trial(pace)
      // Enough for a pace to be refused, wherever the search is.
      if first...(first + 1) ~= count { trial.arrived = 0 }
      return trial
    }
    let search = try #require(searches.first)
    #expect(abs(try #require(search.found) - 820_000) <= 0.021e6)
    #expect(search.reopenings <= RateSearch.reopeningsMax)
  }

  @Test func aBoundThatHoldsLaterIsReopened() throws {
    var refused = 0
    let searches = RateSearch.inTurn(sides: 1) { _, pace in
      let rate = pace.rate ?? 1e6
      // The first pace below the full rate is carried, but not the first two times.
      let isStall = rate < 750_000 && refused < 2
      if isStall { refused += 1 }
      return RateSearch.Trial(
        sent: Int(rate), seconds: 1, arrived: isStall ? 0 : Int(min(rate, 750_000)))
    }
    let search = try #require(searches.first)
    #expect(search.reopenings == 1)
    #expect(abs(try #require(search.found) - 750_000) <= 0.021e6)
  }

  @Test func bothSidesAreTriedInTurnUntilBothAreFound() throws {
    var order: [Int] = []
    var machines = [PretendMachine(capacity: 700_000), PretendMachine(capacity: 9e6)]
    let searches = RateSearch.inTurn(sides: 2) { side, pace in
      order.append(side)
      return machines[side].trial(pace)
    }
    #expect(order.prefix(6) == [0, 1, 1, 0, 0, 1])
    #expect(order.dropFirst(6).allSatisfy { $0 == 0 }, "the other one was found in three trials")
    #expect(abs(try #require(searches[0].found) - 700_000) <= 0.021e6)
    #expect(searches[1].found == 1e6)
  }

  @Test func whatAlwaysLosesHasNoRate() {
    var count = 0
    let searches = RateSearch.inTurn(sides: 1) { _, pace in
      count += 1
      return RateSearch.Trial(sent: Int(pace.rate ?? 1e6), seconds: 1, arrived: 0)
    }
    #expect(searches.first?.found == nil)
    #expect(count <= 32)
  }

  @Test func aGeneratorThatSendsNothingHasNoRate() {
    let searches = RateSearch.inTurn(sides: 1) { _, _ in
      RateSearch.Trial(sent: 0, seconds: 1, arrived: 0)
    }
    #expect(searches.first?.found == nil)
  }

  @Test func whatArrivesTwiceIsNoGain() {
    #expect(RateSearch.Trial(sent: 10, seconds: 1, arrived: 12).lostShare == 0)
    #expect(RateSearch.Trial(sent: 10, seconds: 1, arrived: 9).lostShare == 0.1)
  }

  @Test func anErrorOfATrialEndsTheSearch() {
    #expect(throws: Interruption.error) {
      _ = try RateSearch.inTurn(sides: 2) { _, _ throws -> RateSearch.Trial in
        throw Interruption.error
      }
    }
  }
}
