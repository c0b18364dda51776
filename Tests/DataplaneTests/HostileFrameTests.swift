// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Foundation
import Routing
import TestSupport
import Testing

/// Very many hostile frames into both kinds of port: no trap, no frame without a counter, no chunk
/// without an owner.
///
/// `WEFT_HOSTILE_FRAMES` says how many frames; `make soak` asks for ten million.
@Suite struct HostileFrameTests {
  private static let frameCount =
    ProcessInfo.processInfo.environment["WEFT_HOSTILE_FRAMES"].flatMap { Int($0) } ?? 100_000

  private static let seedCount = 4

  @Test(arguments: 1...UInt64(HostileFrameTests.seedCount))
  func everyHostileFrameHasAnEnd(seed: UInt64) throws {
    var flood = try HostileFlood(seed: seed)
    while flood.arrived < Self.frameCount / Self.seedCount { try flood.pass() }
    try flood.settle()
    print(flood)
    let account = try flood.bridge.account
    #expect(account.received == UInt64(flood.arrived), "\(flood)")
    #expect(account.sent == UInt64(flood.left), "\(flood)")
    // Nobody closes a port or makes one bad here, every endpoint's next hop is known, no key goes
    // away, and there is one worker only; no frame is longer than a chunk, and reports are taken.
    let absent: [DropReason] = [
      .portGone, .nextHopUnresolved, .nobodyToFloodTo, .faultInjected, .handOverRingFull,
      .piecesMissing, .controlRingFull, .keyMissing,
    ]
    for reason in DropReason.allCases where !absent.contains(reason) {
      #expect(account.dropped(reason) > 0, "\(flood): no frame met \(reason)")
    }
  }
}

/// A switch and what went in and out of it.
private struct HostileFlood: CustomStringConvertible {
  let bridge: MemorySwitch
  private(set) var arrived = 0
  private(set) var left = 0
  private var frames: HostileFrames

  init(seed: UInt64) throws {
    var options = MemorySwitch.Options()
    // Small enough that rings and memory run out now and then.
    options.frameCount = 120
    options.ringCapacity = 32
    options.fillTarget = 16
    bridge = try MemorySwitch(options)
    _ = try bridge.joinSleeve(HostileFrames.sleeveOptions)
    // Peer 3 has to seal what it sends by VXLAN, and there is no key for that.
    bridge.model.setNeighbours([peerAddress(1): false, peerAddress(2): false, peerAddress(3): true])
    bridge.publish()
    for station in 0..<6 {
      bridge.learn(station, at: station < 4 ? behind(port: station / 2) : behind(endpoint: 0))
    }
    frames = HostileFrames(seed: seed)
  }

  /// More heartbeats arrive than the ring of reports has room for.
  private mutating func fillReports() throws {
    let names = MemorySwitch.peerNames
    let beat = sleeveRecord(from: names[1], to: names[0], sleeveHeartbeat(1))
    let datagram = sleeveDatagram(from: names[1], [[UInt8]](repeating: beat, count: 64))
    let memory = try #require(bridge.ports[MemorySwitch.underlay])
    for _ in 0..<80 {
      if memory.arrive(sleeveOuter(fromPeer: 1, datagram)) { arrived += 1 }
      try breathe()
    }
  }

  /// A few frames arrive, and a breath deals with them.
  mutating func pass() throws {
    for _ in 0...frames.random.number(below: 8) {
      let chosen = frames.random.number(below: 6)
      let chosenPort = chosen > 2 ? MemorySwitch.underlay : port(chosen)
      let memory = try #require(bridge.ports[chosenPort])
      if memory.arrive(frames.next(isOuter: chosen > 2)) { arrived += 1 }
    }
    try breathe()
    if frames.random.number(below: 6) == 0 { left += bridge.discard() }
    if frames.random.number(below: 100) == 0 { _ = bridge.takeControlFrames() }
  }

  /// Everything leaves.
  mutating func settle() throws {
    try fillReports()
    for _ in 0..<8 {
      left += bridge.discard()
      try breathe()
    }
  }

  private func breathe() throws {
    _ = bridge.worker.breathe()
    let account = try bridge.account
    // Nothing after the first wrong breath is worth a look.
    try #require(account.isBalanced && account.held == 0, "\(self)")
    try #require(bridge.knownChunkCount == bridge.options.frameCount, "\(self)")
    _ = bridge.takeHints()
  }

  var description: String {
    guard let account = try? bridge.account else { return "\(frames.random)" }
    let drops = DropReason.allCases.map { "\($0) \(account.dropped($0))" }
    return "\(frames.random): \(arrived) arrived, \(account.sent) sent, \(account.copied) copied; "
      + drops.joined(separator: ", ")
  }
}
