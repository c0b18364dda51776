// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Routing
import TestSupport
import Testing

/// No frame is lost without a counter and no chunk without an owner, whatever arrives.
struct AccountingTests {
  /// Frames for each seed; 20,000 in all.
  private static var frameCount: Int { 20_000 / fixedSeeds.count }

  /// What some of the random frames must meet, or the test shows little.
  private static let commonReasons = DropReason.allCases.filter {
    ![
      .nobodyToFloodTo, .nextHopUnresolved, .portGone, .faultInjected, .handOverRingFull,
      .controlRingFull, .piecesMissing, .keyMissing,
    ].contains($0)
  }

  @Test(arguments: fixedSeeds)
  func accountIsExactAfterEveryBreathAndNoChunkLeaks(seed: UInt64) throws {
    var frames = HostileFrames(seed: seed)
    var random = SeededGenerator(seed: seed)
    var options = MemorySwitch.Options()
    // Small enough that rings and memory run out now and then.
    options.frameCount = 80
    options.ringCapacity = 32
    options.fillTarget = 16
    let bridge = try MemorySwitch(options)
    _ = try bridge.joinSleeve(HostileFrames.sleeveOptions)
    // Somebody's frames have to be sealed, and some of those that come in his name are not.
    bridge.model.setNeighbours([peerAddress(1): false, peerAddress(2): false, peerAddress(3): true])
    for station in 0..<6 { bridge.learn(station, at: location(station)) }
    var arrived = 0
    for _ in 0..<AccountingTests.frameCount {
      arrived += try arrive(bridge, &frames, &random) ? 1 : 0
      if random.number(below: 4) == 0 { try breathe(bridge, random) }
      if random.number(below: 60) == 0 { _ = bridge.drain() }
      if random.number(below: 200) == 0 { try replacePort(bridge, &random) }
    }
    try settle(bridge, random)
    #expect(try bridge.account.received <= UInt64(arrived), "\(random)")
    let account = try bridge.account
    for reason in AccountingTests.commonReasons {
      #expect(account.dropped(reason) > 0, "\(random): no frame met \(reason)")
    }
  }

  @Test(arguments: fixedSeeds)
  func everyFrameThatArrivesIsReceivedWhileNoPortIsClosed(seed: UInt64) throws {
    var frames = HostileFrames(seed: seed)
    var random = SeededGenerator(seed: seed)
    let bridge = try MemorySwitch()
    _ = try bridge.joinSleeve(HostileFrames.sleeveOptions)
    var arrived: UInt64 = 0
    for _ in 0..<500 {
      arrived += try arrive(bridge, &frames, &random) ? 1 : 0
      if random.number(below: 8) == 0 { try breathe(bridge, random) }
      if random.number(below: 8) == 0 { _ = bridge.drain() }
    }
    try settle(bridge, random)
    #expect(try bridge.account.received == arrived, "\(random)")
  }

  /// Two stations behind each of two ports and of one endpoint.
  private func location(_ station: Int) -> Location {
    station < 4 ? behind(port: station / 2) : behind(endpoint: 0)
  }

  private func breathe(_ bridge: MemorySwitch, _ random: SeededGenerator) throws {
    _ = bridge.worker.breathe()
    let account = try bridge.account
    // Nothing after the first wrong breath is worth a look.
    try #require(account.isBalanced, "\(random): \(account)")
    let known = bridge.knownChunkCount
    try #require(known == bridge.options.frameCount, "\(random)")
    _ = bridge.takeHints()
  }

  private func settle(_ bridge: MemorySwitch, _ random: SeededGenerator) throws {
    for _ in 0..<8 {
      _ = bridge.drain()
      try breathe(bridge, random)
    }
  }

  /// Closes a port with everything on its rings and opens it again.
  private func replacePort(_ bridge: MemorySwitch, _ random: inout SeededGenerator) throws {
    let chosen = random.number(below: 4)
    let port = chosen == 3 ? MemorySwitch.underlay : port(chosen)
    try bridge.stop(port)
    try breathe(bridge, random)
    try bridge.start(port, kind: chosen == 3 ? .underlay : .station)
  }

  private func arrive(
    _ bridge: MemorySwitch, _ frames: inout HostileFrames, _ random: inout SeededGenerator
  ) throws -> Bool {
    let chosen = random.number(below: 5)
    let port = chosen > 2 ? MemorySwitch.underlay : port(chosen)
    let memory = try #require(bridge.ports[port])
    return memory.arrive(frames.next(isOuter: chosen > 2))
  }
}
