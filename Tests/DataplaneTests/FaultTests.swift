// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import TestSupport
import Testing

@testable import Dataplane

/// A worker with bad ports: nothing is lost from its books, and nothing is kept for ever.
struct FaultTests {
  private func everything(_ seed: UInt64) -> FaultSettings {
    FaultSettings(
      seed: seed, loss: 100_000, duplication: 200_000, reordering: 300_000, corruption: 100_000,
      truncation: 100_000)
  }

  @Test(arguments: fixedSeeds)
  func accountIsExactAfterEveryBreathWithEveryFaultOnEveryPort(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var options = MemorySwitch.Options()
    options.frameCount = 160
    options.ringCapacity = 64
    options.fillTarget = 32
    let bridge = try MemorySwitch(options)
    for station in 0..<4 { bridge.learn(station, at: location(station)) }
    makeBad(bridge, seed)
    for round in 0..<2000 {
      try arrive(bridge, &random)
      if random.number(below: 8) == 0 { try breathe(bridge, random) }
      if random.number(below: 30) == 0 { _ = bridge.drain() }
      if round % 500 == 499 { try replacePort(bridge, &random) }
    }
    try settle(bridge, random)
    let account = try bridge.account
    #expect(account.held == 0 && account.dropped(.faultInjected) > 100, "\(random)")
    #expect(account.dropped(.frameTooShort) > 0 && account.dropped(.outerMalformed) > 0)
  }

  @Test(arguments: fixedSeeds)
  func sameFramesAndSeedsGiveTheSameFrames(seed: UInt64) throws {
    var results: [[PortIndex: [[UInt8]]]] = []
    for _ in 0..<2 {
      var random = SeededGenerator(seed: seed)
      let bridge = try MemorySwitch()
      for station in 0..<4 { bridge.learn(station, at: location(station)) }
      makeBad(bridge, seed)
      var sent: [PortIndex: [[UInt8]]] = [:]
      for _ in 0..<300 {
        try arrive(bridge, &random)
        try breathe(bridge, random)
        sent.merge(bridge.drain()) { $0 + $1 }
      }
      results.append(sent)
    }
    #expect(results[0] == results[1])
    #expect(results[0].values.reduce(0) { $0 + $1.count } > 200)
  }

  @Test func workerThatKeepsAFrameDoesNotRestBeforeItHasGoneOn() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    bridge.setFaults(FaultSettings(seed: 1, reordering: FaultSettings.scale), port(0))
    let memory = try #require(bridge.ports[port(0)])
    #expect(memory.arrive(frame(from: 1, to: 2)))
    #expect(bridge.worker.breathe() == 1)
    #expect(try bridge.account.held == 1)
    for _ in 1..<FaultInjector.quietBreathsMax {
      #expect(bridge.worker.breathe() == 1, "an empty breath that may not be followed by sleep")
    }
    #expect(bridge.drain().isEmpty)
    #expect(bridge.worker.breathe() == 0)
    #expect(bridge.drain() == [port(2): [frame(from: 1, to: 2)]])
    #expect(try bridge.account.held == 0 && bridge.account.isBalanced)
  }

  @Test func stoppedQueueGivesBackWhatItKept() throws {
    let bridge = try MemorySwitch()
    bridge.setFaults(FaultSettings(seed: 1, reordering: FaultSettings.scale), port(0))
    let memory = try #require(bridge.ports[port(0)])
    for _ in 0..<5 { #expect(memory.arrive(frame(from: 1, to: 2))) }
    _ = bridge.worker.breathe()
    let kept = try bridge.account.held
    #expect(kept > 0)
    try bridge.stop(port(0))
    _ = bridge.drain()
    #expect(bridge.worker.breathe() == 0)
    let account = try bridge.account
    #expect(account.held == 0 && account.dropped(.faultInjected) == kept && account.isBalanced)
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
  }

  @Test func portThatIsOpenedAnewIsGood() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    bridge.setFaults(FaultSettings(seed: 1, loss: FaultSettings.scale), port(0))
    try bridge.stop(port(0))
    try bridge.start(port(0), kind: .station)
    bridge.worker.breathe(times: 1)
    #expect(try bridge.pass(frame(from: 1, to: 2), into: port(0)).count == 1)
  }

  @Test func faultsCanBeChangedAndTakenAway() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    let sent = frame(from: 1, to: 2)
    bridge.setFaults(FaultSettings(seed: 1, loss: FaultSettings.scale), port(0))
    #expect(try bridge.pass(sent, into: port(0)).isEmpty)
    bridge.setFaults(FaultSettings(seed: 1, duplication: FaultSettings.scale), port(0))
    #expect(try bridge.pass(sent, into: port(0)) == [port(2): [sent, sent]])
    bridge.setFaults(FaultSettings(seed: 0), port(0))
    bridge.worker.breathe(times: 1)
    #expect(!bridge.ends.ports.hasFaults(port(0).number))
    #expect(try bridge.pass(sent, into: port(0)) == [port(2): [sent]])
  }

  @Test func otherPortsStayAsTheyAre() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    bridge.setFaults(FaultSettings(seed: 1, loss: FaultSettings.scale), port(0))
    for _ in 0..<100 {
      #expect(try bridge.pass(frame(from: 1, to: 2), into: port(1)).count == 1)
    }
  }

  @Test func fullBatchOfDuplicatesGoesOnInOneBreath() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    bridge.setFaults(FaultSettings(seed: 1, duplication: FaultSettings.scale), port(0))
    let memory = try #require(bridge.ports[port(0)])
    for _ in 0..<Batch.capacity { #expect(memory.arrive(frame(from: 1, to: 2))) }
    #expect(bridge.worker.breathe() == Batch.capacity)
    #expect(bridge.drain()[port(2)]?.count == 2 * Batch.capacity)
    let account = try bridge.account
    #expect(account.received == 64 && account.copied == 64 && account.sent == 128)
  }

  // MARK: Steps

  private func location(_ station: Int) -> Location {
    station < 3 ? behind(port: station) : behind(endpoint: 0)
  }

  private func makeBad(_ bridge: MemorySwitch, _ seed: UInt64) {
    for port in bridge.ports.keys.sorted(by: { $0.number < $1.number }) {
      bridge.setFaults(everything(seed).derived(for: port, queue: 0), port)
    }
  }

  private func arrive(_ bridge: MemorySwitch, _ random: inout SeededGenerator) throws {
    let inner = frame(
      from: random.number(below: 5), to: random.number(below: 5),
      payloadLength: random.number(below: 200))
    let chosen = random.number(below: 4)
    let memory = try #require(bridge.ports[chosen == 3 ? MemorySwitch.underlay : port(chosen)])
    _ = memory.arrive(chosen == 3 ? outer(from: 0, inner) : inner)
  }

  private func replacePort(_ bridge: MemorySwitch, _ random: inout SeededGenerator) throws {
    let chosen = port(random.number(below: 3))
    try bridge.stop(chosen)
    try breathe(bridge, random)
    try bridge.start(chosen, kind: .station)
    bridge.setFaults(everything(random.next()), chosen)
  }

  private func breathe(_ bridge: MemorySwitch, _ random: SeededGenerator) throws {
    _ = bridge.worker.breathe()
    let account = try bridge.account
    try #require(account.isBalanced, "\(random): \(account)")
    try #require(bridge.knownChunkCount == bridge.options.frameCount, "\(random)")
    _ = bridge.takeHints()
  }

  private func settle(_ bridge: MemorySwitch, _ random: SeededGenerator) throws {
    for _ in 0..<(FaultInjector.quietBreathsMax + 8) {
      _ = bridge.drain()
      try breathe(bridge, random)
    }
  }
}
