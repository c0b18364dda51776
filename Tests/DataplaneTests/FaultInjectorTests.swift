// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import TestSupport
import Testing

@testable import Dataplane

private let rates: [UInt32] = [0, 100, 10_000, 100_000, 500_000, 1_000_000]

/// Each kind of fault alone, and what holds for all of them.
struct FaultInjectorTests {
  private let frames = numberedFrames(1500)

  @Test(arguments: rates, fixedSeeds)
  func lossTakesItsShareAndLeavesTheRestAsItWas(rate: UInt32, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try FaultBench(FaultSettings(seed: seed, loss: rate))
    let given = try bench.pass(frames, &random)
    #expect(bench.count(.faultInjected) == frames.count - given.count)
    #expect(isPlausible(bench.count(.faultInjected), of: frames.count, rate: rate), "\(random)")
    var rest = given[...]
    for frame in frames where rest.first == frame { rest.removeFirst() }
    #expect(rest.isEmpty, "\(random): not the frames that came, or not in their order")
  }

  @Test(arguments: rates, fixedSeeds)
  func duplicateFollowsItsOriginal(rate: UInt32, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try FaultBench(FaultSettings(seed: seed, duplication: rate))
    let given = try bench.pass(frames, &random)
    #expect(bench.count(.copied) == given.count - frames.count)
    #expect(isPlausible(bench.count(.copied), of: frames.count, rate: rate), "\(random)")
    var single: [[UInt8]] = []
    for frame in given where single.last != frame { single.append(frame) }
    #expect(single == frames, "\(random)")
  }

  @Test(arguments: rates, fixedSeeds)
  func reorderedFrameIsOvertakenByAtMostEight(rate: UInt32, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try FaultBench(FaultSettings(seed: seed, reordering: rate))
    let given = try bench.pass(frames, &random)
    #expect(given.sorted { number(of: $0) < number(of: $1) } == frames, "\(random)")
    let numbers = given.map(number(of:))
    var lateCount = 0
    for (place, number) in numbers.enumerated() {
      let overtakers = numbers[..<place].suffix(24).count { $0 > number }
      // Two frames that are late at once may keep each other's company.
      try #require(overtakers <= 8, "\(random)")
      if overtakers > 0 { lateCount += 1 }
    }
    // Where most are late, being late is hardly being overtaken.
    guard rate <= 10_000 else { return #expect(lateCount > frames.count / 20, "\(random)") }
    #expect(isPlausible(lateCount, of: frames.count, rate: rate), "\(random): \(lateCount)")
  }

  @Test(arguments: rates, fixedSeeds)
  func corruptionChangesOneToThreeBytes(rate: UInt32, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try FaultBench(FaultSettings(seed: seed, corruption: rate))
    let given = try bench.pass(frames, &random)
    try #require(given.map(\.count) == frames.map(\.count))
    let changes = zip(given, frames).map { zip($0, $1).count { $0 != $1 } }
    #expect(changes.allSatisfy { $0 <= 3 })
    #expect(isPlausible(changes.count { $0 > 0 }, of: frames.count, rate: rate), "\(random)")
    guard rate >= 500_000 else { return }
    for count in 1...3 {
      #expect(changes.count { $0 == count } > changes.count { $0 > 0 } / 4, "\(random)")
    }
  }

  @Test(arguments: rates, fixedSeeds)
  func truncationTakesAPartOfTheEnd(rate: UInt32, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try FaultBench(FaultSettings(seed: seed, truncation: rate))
    let given = try bench.pass(frames, &random)
    try #require(given.count == frames.count)
    #expect(zip(given, frames).allSatisfy { $1.starts(with: $0) })
    let short = given.filter { $0.count < 60 }
    #expect(isPlausible(short.count, of: frames.count, rate: rate), "\(random)")
    guard rate >= 500_000 else { return }
    #expect(Set(short.map(\.count)) == Set(0..<60), "\(random)")
  }

  private let everything = FaultSettings(
    seed: 0, loss: 100_000, duplication: 200_000, reordering: 300_000, corruption: 100_000,
    truncation: 100_000)

  @Test(arguments: fixedSeeds)
  func sameSeedAndFramesGiveTheSameResultWhateverTheBatches(seed: UInt64) throws {
    var settings = everything
    settings.seed = seed
    var results: [[[UInt8]]] = []
    for batching in [seed, seed + 100] {
      var random = SeededGenerator(seed: batching)
      let bench = try FaultBench(settings)
      results.append(try bench.pass(frames, &random))
    }
    #expect(results[0] == results[1])
    settings.seed += 1
    var random = SeededGenerator(seed: seed)
    let bench = try FaultBench(settings)
    #expect(try bench.pass(frames, &random) != results[0])
  }

  @Test func everyFrameTwiceAndLateKeepsNeverMoreThanItHasRoomFor() throws {
    let bench = try FaultBench(
      FaultSettings(seed: 7, duplication: 1_000_000, reordering: 1_000_000))
    var most = 0
    var given: [[UInt8]] = []
    for frame in frames.prefix(500) {
      given += try bench.breathe([frame])
      most = max(most, bench.injector.heldCount)
    }
    given += try bench.settle()
    #expect(most == 8, "one for each of the eight arrivals before")
    #expect(given.count == 1000)
    given.removeAll()
    for start in stride(from: 500, to: 1500, by: 64) {
      given += try bench.breathe(Array(frames[start..<min(start + 64, 1500)]))
    }
    given += try bench.settle()
    #expect(given.count == 2000)
  }

  @Test func lastFrameGoesOnWhenNoOtherComes() throws {
    let bench = try FaultBench(FaultSettings(seed: 1, reordering: 1_000_000))
    #expect(try bench.breathe([frames[0]]) == [])
    for _ in 1..<FaultInjector.quietBreathsMax {
      #expect(try bench.breathe([]) == [])
    }
    #expect(try bench.breathe([]) == [frames[0]])
    #expect(bench.injector.heldCount == 0)
  }

  @Test func whatIsKeptGoesOnWhenFaultsAreTakenAway() throws {
    let bench = try FaultBench(FaultSettings(seed: 1, reordering: 1_000_000))
    #expect(try bench.breathe([frames[0]]) == [])
    #expect(!bench.injector.isDone)
    bench.injector.change(to: FaultSettings(seed: 0))
    #expect(try bench.breathe([frames[1]]) == [frames[0], frames[1]])
    #expect(bench.injector.isDone)
  }

  @Test func duplicateWithoutAFreeChunkIsCounted() throws {
    let bench = try FaultBench(FaultSettings(seed: 1, duplication: 1_000_000))
    try bench.takeAllBut(3)
    #expect(try bench.breathe(Array(frames[..<2])) == [frames[0], frames[0], frames[1]])
    #expect(bench.count(.copied) == 2 && bench.count(.noFrameForCopy) == 1)
  }

  @Test func emptyFrameSurvivesEveryFault() throws {
    let bench = try FaultBench(
      FaultSettings(
        seed: 3, duplication: 1_000_000, reordering: 0, corruption: 1_000_000,
        truncation: 1_000_000))
    #expect(try bench.breathe([[], []]) == [[], [], [], []])
  }

  @Test func queuesAndPortsOfOneSeedDiffer() {
    let settings = FaultSettings(seed: 5, loss: 1)
    var seeds: Set<UInt64> = []
    for port in 0..<50 {
      for queue in 0..<8 {
        let derived = settings.derived(for: PortIndex(UInt16(port)), queue: UInt32(queue))
        #expect(derived.loss == 1)
        seeds.insert(derived.seed)
      }
    }
    #expect(seeds.count == 400)
    #expect(settings.derived(for: PortIndex(0), queue: 0) == settings)
  }
}
