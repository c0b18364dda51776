// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import pktbench

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
      ThreadTimes.Entry(
        thread: "1", comm: "weft-worker-1\n", schedstat: "2500000000 17 42\n"))
    #expect(entry.name == "weft-worker-1" && entry.seconds == 2.5)
    let other = try #require(
      ThreadTimes.Entry(thread: "2", comm: "pktbench\n", schedstat: "1000000000 0 1\n"))
    let times = ThreadTimes(entries: [entry, other, entry])
    #expect(times.seconds(named: "weft-worker-") == 5)
    #expect(times.seconds(named: "nobody") == nil)
  }

  @Test func theTimeSinceAnEarlierLookIsThatOfAllThreads() throws {
    func entry(_ thread: String, _ seconds: UInt64) throws -> ThreadTimes.Entry {
      try #require(
        ThreadTimes.Entry(
          thread: thread, comm: "weftd\n", schedstat: "\(seconds * 1_000_000_000) 0 1\n"))
    }
    let before = ThreadTimes(entries: [try entry("1", 5), try entry("2", 7)])
    // One has ended, one is new.
    let after = ThreadTimes(entries: [try entry("1", 6), try entry("3", 2)])
    #expect(after.seconds(since: before) == 3)
    #expect(before.seconds(since: before) == 0)
  }

  @Test(arguments: ["", "12", "a b c", "-1 2 3", "99999999999999999999 1 1"])
  func otherFilesAreRefused(schedstat: String) {
    #expect(ThreadTimes.Entry(thread: "1", comm: "x", schedstat: schedstat) == nil)
  }

  @Test func ownThreadsAreThere() {
    #expect(ThreadTimes.own().entries.contains { $0.seconds > 0 })
    #expect(ThreadTimes(ofProcess: "no number").entries.isEmpty)
  }
}

@Suite struct LossesTests {
  @Test func onlyPortsThatLostAreNamed() {
    var before = Losses()
    before.byWorkers = 1
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
