// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// What workers tell the control plane of frames that two ends of an overlay send each other.
struct ControlFrameTests {
  private static let uid: UInt64 = 0x1122_3344_5566_7788

  @Test(arguments: 1...2) func heartbeatOfASleeveIsReported(neighbour: Int) throws {
    let bench = try UnpackBench()
    let datagram = bench.datagram(
      from: neighbour, [sleeveRecord(from: neighbour, to: 0, sleeveHeartbeat(Self.uid))])
    let packet = sleeveOuter(fromPeer: 7, datagram, sourcePort: 50_123)
    #expect(try bench.bridge.pass(packet, into: MemorySwitch.underlay).isEmpty)
    let expected = ControlFrame(
      name: UnpackBench.names[neighbour], overlay: .sleeve, kind: .heartbeat,
      source: SocketAddress(peerAddress(7), port: 50_123), frameLength: 22,
      connectionUID: Self.uid)
    #expect(bench.bridge.takeControlFrames() == [expected])
    let account = try bench.bridge.account
    #expect(account.punted == 1 && account.received == 1)
    #expect(try bench.isInOrder())
  }

  @Test(arguments: [14, 15, 21, 23, 100, 1438, 1452])
  func otherLengthsAreTests(length: Int) throws {
    let bench = try UnpackBench()
    #expect(try bench.pass([(1, 0, zeroFrame(length))], via: 1).isEmpty)
    let reports = bench.bridge.takeControlFrames()
    #expect(reports.map(\.kind) == [.lengthTest])
    #expect(reports.map(\.frameLength) == [UInt32(length)])
    #expect(reports.map(\.connectionUID) == [0])
    #expect(try bench.isInOrder())
  }

  @Test func reportsStandBetweenFramesOfTheSameDatagram() throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2)
    let sent = try bench.pass(
      [(2, 0, inner), (2, 0, sleeveHeartbeat(1)), (2, 0, inner), (2, 0, zeroFrame(99))], via: 2)
    #expect(sent == [port(1): [inner, inner]])
    #expect(bench.bridge.takeControlFrames().map(\.kind) == [.heartbeat, .lengthTest])
    let account = try bench.bridge.account
    #expect(account.received == 1 && account.copied == 3 && account.punted == 2)
    #expect(try bench.isInOrder())
  }

  @Test func specialFrameOfAnybodyElseIsMisplaced() throws {
    let bench = try UnpackBench()
    let beat = sleeveHeartbeat(1)
    #expect(
      try bench.pass([(3, 0, beat), (1, 2, beat), (2, 0, beat), (0, 0, beat)], via: 1).isEmpty)
    #expect(try bench.bridge.account.dropped(.specialMisplaced) == 4)
    #expect(bench.bridge.takeControlFrames().isEmpty)
    #expect(try bench.isInOrder())
  }

  @Test func oneDatagramIsNotReportedWithoutEnd() throws {
    let bench = try UnpackBench()
    let beat = sleeveRecord(from: 1, to: 0, sleeveHeartbeat(1))
    let others = sleeveRecord(from: 1, to: 0, frame(from: 2, to: 99))
    try bench.pass(bench.datagram(from: 1, [others] + [[UInt8]](repeating: beat, count: 7)), via: 1)
    #expect(bench.bridge.takeControlFrames().count == 4)
    let account = try bench.bridge.account
    #expect(account.punted == 4 && account.dropped(.specialMisplaced) == 3)
    #expect(try bench.isInOrder())
  }

  @Test func fullRingOfReportsIsCounted() throws {
    let bench = try UnpackBench()
    let beat = sleeveRecord(from: 1, to: 0, sleeveHeartbeat(1))
    let datagram = bench.datagram(from: 1, [[UInt8]](repeating: beat, count: 4))
    for _ in 0..<1040 { try bench.pass(datagram, via: 1) }
    let account = try bench.bridge.account
    #expect(account.punted == 4096 && account.dropped(.controlRingFull) == 64)
    #expect(bench.bridge.takeControlFrames().count == 4096)
    try bench.pass(datagram, via: 1)
    #expect(bench.bridge.takeControlFrames().count == 4)
    #expect(try bench.isInOrder())
  }

  // MARK: VXLAN

  @Test(arguments: [24, 60, 1390, 1514])
  func heartbeatOverVXLANIsReported(length: Int) throws {
    let bench = try UnpackBench()
    let beat = vxlanHeartbeat(Self.uid, length: length, announced: 1390)
    let packet = meshOuter(
      fromPeer: 1, beat, network: meshNetwork(from: 0xB0B, to: 0xA0A))
    #expect(try bench.bridge.pass(packet, into: MemorySwitch.underlay).isEmpty)
    let expected = ControlFrame(
      name: UnpackBench.names[1], overlay: .vxlan, kind: .heartbeat,
      source: SocketAddress(peerAddress(1), port: 49_152), frameLength: length,
      announcedLength: 1390, connectionUID: Self.uid)
    #expect(bench.bridge.takeControlFrames() == [expected])
    let account = try bench.bridge.account
    #expect(account.punted == 1 && account.copied == 0)
    #expect(try bench.isInOrder())
  }

  @Test func heartbeatOverVXLANThatIsCutIsNoConnections() throws {
    let bench = try UnpackBench()
    let packet = meshOuter(
      fromPeer: 2, sleeveHeartbeat(Self.uid), network: meshNetwork(from: 0xC0C, to: 0xA0A))
    try bench.bridge.pass(packet, into: MemorySwitch.underlay)
    let reports = bench.bridge.takeControlFrames()
    #expect(reports.map(\.connectionUID) == [0] && reports.map(\.announcedLength) == [0])
  }

  @Test func heartbeatOverVXLANOfAnybodyElseIsMisplaced() throws {
    let bench = try UnpackBench()
    let beat = vxlanHeartbeat(1, length: 100)
    // Of a peer that is no neighbour.
    let packet = meshOuter(fromPeer: 1, beat, network: meshNetwork(from: 0xD0D, to: 0xA0A))
    #expect(try bench.bridge.pass(packet, into: MemorySwitch.underlay).isEmpty)
    #expect(try bench.bridge.account.dropped(.specialMisplaced) == 1)
    // A frame of zeros at another port.
    try bench.bridge.pass(beat, into: port(0))
    try bench.bridge.pass(outer(from: 0, beat), into: MemorySwitch.underlay)
    #expect(try bench.bridge.account.dropped(.sourceNotStation) == 2)
    #expect(bench.bridge.takeControlFrames().isEmpty)
    #expect(try bench.isInOrder())
  }
}
