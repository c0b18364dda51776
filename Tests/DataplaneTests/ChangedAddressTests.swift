// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport
import Testing

/// Heartbeats over VXLAN from addresses that are not known to be their neighbour's, as one with
/// several addresses may send them.
struct ChangedAddressTests {
  private static let uid: UInt64 = 0x1122_3344_5566_7788

  /// Neighbours 1 and 2 by VXLAN in clear, or neighbour 1 sealed.
  private func bench(_ first: NeighbourWay = .plainVXLAN) throws -> DecryptBench {
    try DecryptBench([1: first, 2: .plainVXLAN])
  }

  private func beat(
    from address: Int, of peer: Int, to destination: Int = 0, length: Int = 1390,
    announced: UInt16? = nil
  ) -> [UInt8] {
    meshOuter(
      fromPeer: address, vxlanHeartbeat(Self.uid, length: length, announced: announced),
      network: DecryptBench.network(from: peer, to: destination))
  }

  private func report(from address: Int, of peer: Int, length: Int = 1390) -> ControlFrame {
    ControlFrame(
      name: MemorySwitch.peerName(peer), overlay: .vxlan, kind: .heartbeat,
      source: SocketAddress(peerAddress(address), port: 49_152), frameLength: length,
      announcedLength: UInt16(length), connectionUID: Self.uid)
  }

  @Test(arguments: [1, 2, 7, 200], [24, 1390])
  func heartbeatInClearIsReportedFromAnyAddress(address: Int, length: Int) throws {
    let bench = try bench()
    #expect(try bench.pass(beat(from: address, of: 1, length: length)).isEmpty)
    #expect(
      bench.bridge.takeControlFrames() == [report(from: address, of: 1, length: length)])
    let account = try bench.bridge.account
    #expect(account.punted == 1 && account.received == 1)
    #expect(try bench.isInOrder())
  }

  @Test func heartbeatIsReportedWhileTheLinkIsNotResolved() throws {
    let bench = try bench()
    bench.bridge.model.setLink(
      try #require(bench.mesh.links[1]), shortID: ShortID(MemorySwitch.peerShortID(1)), path: nil,
      receives: LinkReception(isReceiving: true))
    bench.bridge.publish()
    for address in [1, 7] {
      try bench.pass(beat(from: address, of: 1))
      #expect(bench.bridge.takeControlFrames() == [report(from: address, of: 1)])
    }
    #expect(try bench.isInOrder())
  }

  @Test func heartbeatComesAtThePortOfAPeerThatWeDialled() throws {
    let bench = try bench()
    bench.bridge.model.setMesh(
      shortID: ShortID(MemorySwitch.meshShortIDs[0]), port: MemorySwitch.meshPort,
      sleevePort: MemorySwitch.sleevePort, name: MemorySwitch.peerNames[0], otherPorts: [7000])
    bench.bridge.publish()
    for (port, count) in [(UInt16(7000), 1), (7001, 0)] {
      let packet = FrameBuilder(source: peerAddress(7)).vxlan(
        network: DecryptBench.network(from: 1, to: 0),
        inner: vxlanHeartbeat(Self.uid, length: 100), destinationPort: port)
      #expect(try bench.pass(packet).isEmpty)
      #expect(bench.bridge.takeControlFrames().count == count)
    }
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 1)
    #expect(try bench.isInOrder())
  }

  @Test func nothingElseIsTakenFromAnUnknownAddress() throws {
    let bench = try bench()
    let number = MemorySwitch.peerShortID(0)
    for network in [
      DecryptBench.network(from: 1, to: 2), DecryptBench.network(from: 0, to: 0),
      DecryptBench.network(from: 3, to: 0), meshNetwork(from: 0x777, to: number),
    ] {
      let inner = vxlanHeartbeat(Self.uid, length: 100)
      #expect(try bench.pass(meshOuter(fromPeer: 7, inner, network: network)).isEmpty)
    }
    let inner = frame(from: 1, to: 2)
    let network = DecryptBench.network(from: 1, to: 0)
    #expect(try bench.pass(meshOuter(fromPeer: 7, inner, network: network)).isEmpty)
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 5)
    // Neither one that says another length than it has, nor one that is too short to say any.
    try bench.pass(beat(from: 7, of: 1, length: 100, announced: 99))
    try bench.pass(meshOuter(fromPeer: 7, sleeveHeartbeat(Self.uid), network: network))
    #expect(try bench.bridge.account.dropped(.specialMisplaced) == 2)
    #expect(bench.bridge.takeControlFrames().isEmpty)
    #expect(try bench.isInOrder())
  }

  @Test(arguments: [false, true])
  func nothingInClearIsTakenForALinkThatIsSealed(isResolved: Bool) throws {
    let bench = try bench(.sealedVXLAN)
    if !isResolved {
      bench.bridge.model.setLink(
        try #require(bench.mesh.links[1]), shortID: ShortID(MemorySwitch.peerShortID(1)),
        path: nil,
        receives: LinkReception(
          isReceiving: true, opening: bench.mesh.opening[1],
          identifiers: [MemorySwitch.identifier(from: 1, .vxlan)]))
      bench.bridge.publish()
    }
    for address in [1, 2, 7] { try bench.pass(beat(from: address, of: 1)) }
    let account = try bench.bridge.account
    #expect(account.dropped(.notSealed) == 1 && account.dropped(.specialMisplaced) == 1)
    #expect(account.dropped(.endpointUnknown) == 1)
    #expect(bench.bridge.takeControlFrames().isEmpty)
    // Nor is one of the neighbour in clear, from the address of the one that is sealed.
    try bench.pass(beat(from: 1, of: 2))
    #expect(try bench.bridge.account.dropped(.notSealed) == 2)
    #expect(try bench.pass(vxlanHeartbeat(1, length: 100), via: 1, from: 1).isEmpty)
    #expect(bench.bridge.takeControlFrames().count == 1)
    #expect(try bench.isInOrder())
  }

  @Test func nothingIsTakenOverALinkThatHasNoKeyYet() throws {
    let bench = try bench(.sealedVXLAN)
    bench.bridge.model.setLink(
      try #require(bench.mesh.links[1]), shortID: ShortID(MemorySwitch.peerShortID(1)), path: nil)
    bench.bridge.publish()
    for address in [2, 7] { try bench.pass(beat(from: address, of: 1)) }
    let account = try bench.bridge.account
    #expect(account.dropped(.specialMisplaced) == 1 && account.dropped(.endpointUnknown) == 1)
    #expect(bench.bridge.takeControlFrames().isEmpty)
    #expect(try bench.isInOrder())
  }

  @Test func strangersDoNotKeepNeighboursFromBeingHeard() throws {
    let bench = try bench()
    let flood = (0..<60).map { beat(from: 7 + $0, of: 1, length: 24) }
    for _ in 0..<50 { #expect(try bench.pass(all: flood).isEmpty) }
    let told = bench.bridge.takeControlFrames().count
    let account = try bench.bridge.account
    #expect(64..<3000 ~= told && account.punted == UInt64(told))
    #expect(account.dropped(.specialMisplaced) == UInt64(3000 - told))
    // Those from the neighbour's own address are not counted against anything.
    _ = try bench.pass(all: (0..<60).map { _ in beat(from: 1, of: 1, length: 24) })
    #expect(bench.bridge.takeControlFrames().count == 60)
    #expect(try bench.isInOrder())
  }
}
