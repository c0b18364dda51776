// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// Which frames a trace is about, and that nothing else is different while there is one.
struct TraceSelectionTests {
  @Test func nothingIsRecordedWhileNoTraceIsOrdered() throws {
    let bridge = try MemorySwitch()
    try bridge.pass(frame(from: 1, to: 2), into: port(0))
    #expect(bridge.takeTrace().isEmpty)
  }

  @Test func traceEndsWhenItsCountIsReached() throws {
    let bridge = try MemorySwitch()
    bridge.startTrace(count: 3)
    let memory = try #require(bridge.ports[port(0)])
    for number in 0..<5 { #expect(memory.arrive(frame(from: 1, to: 2, payloadLength: number))) }
    _ = bridge.worker.breathe()
    try bridge.pass(frame(from: 1, to: 2), into: port(0))
    #expect(bridge.takeTrace().map(\.receivedLength) == [42, 43, 44])
  }

  @Test func traceEndsWhenItIsStopped() throws {
    let bridge = try MemorySwitch()
    bridge.startTrace(count: 10)
    try bridge.pass(frame(from: 1, to: 2), into: port(0))
    bridge.command(WorkerCommand(.stopTrace))
    try bridge.pass(frame(from: 1, to: 2), into: port(0))
    #expect(bridge.takeTrace().count == 1)
  }

  @Test func onlyFramesOfThePortAreRecorded() throws {
    let bridge = try MemorySwitch()
    bridge.startTrace(TraceFilter(port: port(1)), count: 10)
    for number in [0, 1, 2, 1] { try bridge.pass(frame(from: number, to: 9), into: port(number)) }
    #expect(bridge.takeTrace().map(\.port) == [port(1), port(1)])
  }

  @Test func onlyFramesFromOrToTheStationAreRecordedAlsoInsideVXLAN() throws {
    let bridge = try MemorySwitch()
    bridge.startTrace(TraceFilter(mac: stationMAC(5)), count: 10)
    try bridge.pass(frame(from: 5, to: 6), into: port(0))
    try bridge.pass(frame(from: 6, to: 7), into: port(0))
    try bridge.pass(frame(from: 6, to: 5), into: port(1))
    try bridge.pass([1, 2, 3], into: port(0))
    try bridge.pass(outer(from: 0, frame(from: 5, to: 8)), into: MemorySwitch.underlay)
    try bridge.pass(outer(from: 0, frame(from: 8, to: 9)), into: MemorySwitch.underlay)
    try bridge.pass(outer(from: 77, frame(from: 5, to: 8)), into: MemorySwitch.underlay)
    #expect(bridge.takeTrace().map(\.port) == [port(0), port(1), MemorySwitch.underlay])
  }

  @Test func recordsWithoutRoomAreLostAndCounted() throws {
    let bridge = try MemorySwitch()
    bridge.startTrace(count: 1100)
    for _ in 0..<1100 { try bridge.pass(frame(from: 1, to: 2), into: port(0)) }
    #expect(bridge.takeTrace().count == 1024)
    #expect(bridge.ends.trace.lostCount == 76)
    try bridge.pass(frame(from: 1, to: 2), into: port(0))
    #expect(bridge.takeTrace().isEmpty, "the lost ones were among the 1100")
  }

  @Test(arguments: fixedSeeds)
  func tracedFramesFareAsUntracedOnes(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var frames = HostileFrames(seed: seed)
    let filters = [TraceFilter(), TraceFilter(port: port(1)), TraceFilter(mac: stationMAC(2))]
    for filter in filters {
      let plain = try tightSwitch()
      let traced = try tightSwitch()
      var recorded = 0
      for _ in 0..<400 {
        traced.startTrace(filter, count: UInt32(random.number(below: 100)))
        plain.command(WorkerCommand(.stopTrace))
        for _ in 0..<random.number(below: 12) {
          try arrive(&random, &frames, plain, traced)
        }
        #expect(plain.worker.breathe() == traced.worker.breathe())
        if random.number(below: 8) == 0 { #expect(plain.drain() == traced.drain(), "\(random)") }
        #expect(plain.takeHints() == traced.takeHints())
        #expect(plain.takeControlFrames() == traced.takeControlFrames())
        recorded += traced.takeTrace().count
        try #require(try plain.account == traced.account, "\(random)")
        try #require(plain.worker.framesFree == traced.worker.framesFree, "\(random)")
      }
      #expect(plain.drain() == traced.drain(), "\(random)")
      #expect(recorded > 20 && plain.takeTrace().isEmpty)
    }
  }

  /// One whose rings run full now and then.
  private func tightSwitch() throws -> MemorySwitch {
    var options = MemorySwitch.Options()
    options.frameCount = 80
    options.ringCapacity = 32
    options.fillTarget = 16
    let bridge = try MemorySwitch(options)
    _ = try bridge.joinSleeve(HostileFrames.sleeveOptions)
    for station in 0..<4 { bridge.learn(station, at: behind(port: station / 2)) }
    for station in 4..<6 { bridge.learn(station, at: behind(endpoint: 0)) }
    return bridge
  }

  private func arrive(
    _ random: inout SeededGenerator, _ frames: inout HostileFrames, _ plain: MemorySwitch,
    _ traced: MemorySwitch
  ) throws {
    let chosen = random.number(below: 5)
    let port = chosen > 2 ? MemorySwitch.underlay : port(chosen)
    let bytes = frames.next(isOuter: chosen > 2)
    let one = try #require(plain.ports[port]).arrive(bytes)
    let other = try #require(traced.ports[port]).arrive(bytes)
    #expect(one == other)
  }
}
