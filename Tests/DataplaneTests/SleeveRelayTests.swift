// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// Floods and relays leave by sleeve and as VXLAN, each with the names that belong to them.
struct SleeveRelayTests {
  private func mixed() throws -> SleeveBench {
    var sleeve = SleeveOptions()
    sleeve.neighboursByVXLAN = [1]
    sleeve.keys = [2: [UInt8](repeating: 9, count: 32)]
    return try SleeveBench(sleeve)
  }

  private func isVXLAN(_ outer: [UInt8]) -> Bool {
    Array(outer[36..<38]) == octets(MemorySwitch.meshPort)
  }

  @Test func ownFloodReachesPortsAndNeighboursOfBothOverlays() throws {
    let bench = try mixed()
    let frames = (0..<3).map { frame(from: 1, to: 99, payloadLength: 50 + $0) }
    let sent = try bench.pass(frames)
    #expect(sent[port(1)] == frames && sent[port(2)] == frames)
    let underlay = sent[MemorySwitch.underlay] ?? []
    let byVXLAN = underlay.filter { isVXLAN($0) }
    #expect(byVXLAN.map { Array($0.dropFirst(50)) } == frames)
    let bySleeve = underlay.filter { !isVXLAN($0) }
    try #require(bySleeve.count == 1)
    // Of a flood the receiver is the neighbour.
    #expect(
      try bench.records(bySleeve[0], toPeer: 2) == frames.map { SleeveBench.record(0, 2, $0) })
    let account = try bench.bridge.account
    #expect(account.received == 3 && account.copied == 9 && account.merged == 2)
    try bench.check()
  }

  @Test func floodOfAPeerIsPassedOnBySleeveInItsName() throws {
    let bench = try mixed()
    let inner = frame(from: 11, to: 99)
    let network = meshNetwork(
      from: MemorySwitch.meshShortIDs[1], to: MemorySwitch.meshShortIDs[0])
    let sent = try bench.pass(
      [meshOuter(fromPeer: 1, inner, network: network)], into: MemorySwitch.underlay)
    for number in 0..<3 { #expect(sent[port(number)] == [inner]) }
    let underlay = sent[MemorySwitch.underlay] ?? []
    try #require(underlay.count == 1)
    #expect(try bench.records(underlay[0], toPeer: 2) == [SleeveBench.record(1, 2, inner)])
    try bench.check()
  }

  @Test func relayFromVXLANToSleeveKeepsBothNames() throws {
    let bench = try mixed()
    let inners = (0..<3).map { frame(from: 11, to: 13, payloadLength: 40 + $0) }
    let network = meshNetwork(
      from: MemorySwitch.meshShortIDs[1], to: MemorySwitch.meshShortIDs[3])
    let sent = try bench.pass(
      inners.map { meshOuter(fromPeer: 1, $0, network: network) }, into: MemorySwitch.underlay)
    let underlay = sent[MemorySwitch.underlay] ?? []
    try #require(sent.count == 1 && underlay.count == 1)
    #expect(
      try bench.records(underlay[0], toPeer: 2) == inners.map { SleeveBench.record(1, 3, $0) })
    #expect(try bench.bridge.account.merged == 2)
    try bench.check()
  }

  @Test func floodWithoutFreeChunksIsCountedAndLosesNoChunk() throws {
    var sleeve = SleeveOptions()
    sleeve.keys = [1: [UInt8](repeating: 1, count: 32)]
    let bench = try SleeveBench(sleeve) {
      $0.frameCount = 256
      $0.fillTarget = 63
    }
    // What arrives takes the chunks of the fill ring; what is left is too little for all copies.
    let memory = try #require(bench.bridge.ports[port(0)])
    for _ in 0..<4 {
      for _ in 0..<60 where memory.arrive(frame(from: 1, to: 99, payloadLength: 1300)) {}
      _ = bench.bridge.worker.breathe()
    }
    let account = try bench.bridge.account
    #expect(account.dropped(.noFrameForCopy) > 0 && account.isBalanced)
    _ = bench.bridge.drain()
    try bench.check()
  }

  @Test func tracedFramesLeaveAsUntracedOnesDo() throws {
    let frames = [11, 12, 99, 13, 11].map { frame(from: 1, to: $0, payloadLength: 77) }
    let untraced = try SleeveBench()
    let traced = try SleeveBench()
    traced.bridge.startTrace(count: 10)
    #expect(try untraced.pass(frames) == (try traced.pass(frames)))
    #expect(try untraced.bridge.account == (try traced.bridge.account))
    let records = traced.bridge.takeTrace()
    try #require(records.count == 5)
    #expect(records.map(\.sentCount) == [1, 1, 4, 1, 1])
    #expect(records.allSatisfy { $0.drop == nil })
    #expect(records[0].exit == MemorySwitch.underlay && records[0].isForEndpoint)
    #expect(records[0].sentLength == UInt32(42 + 6 + 14 + frames[0].count))
    try traced.check()
  }
}
