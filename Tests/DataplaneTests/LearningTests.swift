// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Telemetry
import TestSupport
import Testing

/// What a worker tells the control plane of senders.
struct LearningTests {
  @Test func newStationBringsOneHintHoweverManyFramesItSends() throws {
    let bridge = try MemorySwitch()
    for _ in 0..<5 { try bridge.pass(frame(from: 1, to: 2), into: port(0)) }
    #expect(bridge.takeHints() == [Hint(mac: stationMAC(1).bits, location: behind(port: 0))])
  }

  @Test func hintIsRepeatedOnceUnderEverySnapshotThatIgnoresIt() throws {
    let bridge = try MemorySwitch()
    let hint = Hint(mac: stationMAC(1).bits, location: behind(port: 0))
    for other in 100..<104 {
      for _ in 0..<3 { try bridge.pass(frame(from: 1, to: 2), into: port(0)) }
      #expect(bridge.takeHints() == [hint])
      bridge.learn(other, at: behind(port: 2))
    }
  }

  @Test func stationInItsPlaceBringsNoHint() throws {
    let bridge = try MemorySwitch()
    bridge.learn(1, at: behind(port: 0))
    bridge.learn(2, at: behind(endpoint: 0))
    try bridge.pass(frame(from: 1, to: 2), into: port(0))
    try bridge.pass(outer(from: 0, frame(from: 2, to: 1)), into: MemorySwitch.underlay)
    #expect(bridge.takeHints().isEmpty)
  }

  @Test func stationSeenElsewhereIsReportedThereAndReachedThereAfterwards() throws {
    let bridge = try MemorySwitch()
    bridge.learn(1, at: behind(port: 0))
    bridge.learn(2, at: behind(port: 2))
    try bridge.pass(frame(from: 1, to: 2), into: port(1))
    try bridge.pass(outer(from: 1, frame(from: 1, to: 2)), into: MemorySwitch.underlay)
    let hints = bridge.takeHints()
    #expect(hints.map(\.mac) == [stationMAC(1).bits, stationMAC(1).bits])
    #expect(hints.map(\.location) == [behind(port: 1), behind(endpoint: 1)])
    bridge.learn(1, at: behind(port: 1))
    let answer = frame(from: 2, to: 1)
    #expect(try bridge.pass(answer, into: port(2)) == [port(1): [answer]])
  }

  @Test func framesThatAreDroppedUnreadTeachNothing() throws {
    let bridge = try MemorySwitch()
    try bridge.pass([2, 2, 2], into: port(0))
    let unknown = outer(from: 77, frame(from: 1, to: 2))
    try bridge.pass(unknown, into: MemorySwitch.underlay)
    #expect(bridge.takeHints().isEmpty)
  }

  @Test func seenStationsOutliveTheSweep() throws {
    let bridge = try MemorySwitch()
    bridge.learn(1, at: behind(port: 0))
    bridge.learn(2, at: behind(port: 1))
    try bridge.pass(frame(from: 1, to: 2), into: port(0))
    bridge.model.sweep(nowSeconds: 601)
    #expect(bridge.model.stationCount == 1)
    #expect(bridge.model.stations(nowSeconds: 601).map(\.mac) == [stationMAC(1)])
  }

  @Test func hintsBeyondTheRingAreCountedAsLost() throws {
    let bridge = try MemorySwitch()
    let memory = try #require(bridge.ports[port(0)])
    for station in 0..<5000 {
      #expect(memory.arrive(frame(from: 10_000 + station, to: 2)))
      _ = bridge.worker.breathe()
      _ = bridge.drain()
      _ = bridge.worker.breathe()
    }
    let values = try #require(bridge.ends.counters.values())
    #expect(bridge.takeHints().count == 4096)
    #expect(values[WorkerCounter.hints.rawValue] == 4096)
    #expect(values[WorkerCounter.hintsLost.rawValue] == 5000 - 4096)
  }
}
