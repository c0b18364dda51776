// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport
import Testing

/// What the control plane orders leaves as one frame by itself.
struct SleeveOrderTests {
  private static let key = (0..<32).map { UInt8($0) }

  private func bench(isSealed: Bool = false) throws -> SleeveBench {
    var sleeve = SleeveOptions()
    if isSealed { sleeve.keys = [1: SleeveOrderTests.key] }
    return try SleeveBench(sleeve)
  }

  private func carryOut(
    _ orders: [ControlOrder], _ bench: SleeveBench
  ) -> [PortIndex: [[UInt8]]] {
    for order in orders { bench.bridge.order(order) }
    _ = bench.bridge.worker.breathe()
    return bench.bridge.drain()
  }

  /// The vectors of the protocol notes, between peers that are called as in them.
  @Test(arguments: [false, true])
  func heartbeatHasTheBytesThatWereRecorded(isSealed: Bool) throws {
    let bench = try bench(isSealed: isSealed)
    let (own, neighbour) = (PeerName(bits: 0x0200_0000_000A), PeerName(bits: 0x0200_0000_000B))
    bench.bridge.model.setMesh(
      shortID: nil, port: MemorySwitch.meshPort, sleevePort: MemorySwitch.sleevePort, name: own)
    let added = bench.bridge.model.addLink(
      to: neighbour, by: .sleeve, underlayPort: MemorySwitch.underlay)
    let link = try #require(added)
    bench.bridge.model.setLink(
      link, shortID: nil, path: bench.bridge.sleevePath(to: 1, bench.sleeve, bench.mesh))
    bench.bridge.publish()
    let sent = carryOut(
      [
        ControlOrder(
          name: neighbour, overlay: .sleeve, frameLength: 22, connectionUID: 0x1122_3344_5566_7788)
      ], bench)
    let golden =
      isSealed
      ? """
      02000000000a 8000000000000000 3cf25877519930702e82a4810943a2171df248f80a905e73e11fe0172e887170
      cc5106609f1b0ab72099ced458857646c9b651ee
      """
      : """
      02000000000a 02000000000a 02000000000b 0016 0000000000000000000000000000 1122334455667788
      """
    #expect(
      sent == [MemorySwitch.underlay: [sleeveOuter(toPeer: 1, hexadecimal(golden))]])
    #expect(try bench.bridge.account.generated == 1)
    try bench.check()
  }

  @Test func heartbeatOfVXLANSaysItsLengthAndBothShortNumbers() throws {
    let bench = try bench()
    let sent = carryOut(
      [
        ControlOrder(
          name: MemorySwitch.peerNames[2], overlay: .vxlan, frameLength: 1390, connectionUID: 0xABC)
      ], bench)
    let outer = try #require(sent[MemorySwitch.underlay]?.first)
    let network = meshNetwork(
      from: MemorySwitch.meshShortIDs[0], to: MemorySwitch.meshShortIDs[2])
    let port = UInt16(outer[34]) << 8 | UInt16(outer[35])
    #expect(
      outer
        == meshOuter(
          toPeer: 2, vxlanHeartbeat(0xABC, length: 1390), network: network, sourcePort: port))
    #expect(sent.count == 1 && sent[MemorySwitch.underlay]?.count == 1)
    try bench.check()
  }

  @Test func testsTravelAloneAndMayBeLongerThanWhatIsBelievedToFit() throws {
    let bench = try bench(isSealed: true)
    let lengths = [600, 1428, 1470]
    let memory = try #require(bench.bridge.ports[port(0)])
    #expect(memory.arrive(frame(from: 1, to: 11)))
    let sent =
      carryOut(
        lengths.map {
          ControlOrder(
            name: MemorySwitch.peerNames[1], overlay: .sleeve, frameLength: $0)
        }, bench)[MemorySwitch.underlay] ?? []
    try #require(sent.count == 4)
    for (outer, length) in zip(sent, lengths) {
      #expect(
        try bench.records(outer, toPeer: 1) == [SleeveBench.record(0, 1, zeroFrame(length))])
    }
    #expect(sent[2].count == 42 + 30 + 14 + 1470)
    try bench.check()
  }

  @Test func fragmentableTestLeavesThroughTheSocketsWithAnIdentification() throws {
    let bench = try bench(isSealed: true)
    var identifications: Set<[UInt8]> = []
    for number in 0..<3 {
      let sent = carryOut(
        [
          ControlOrder(
            name: MemorySwitch.peerNames[1], overlay: .sleeve, frameLength: 2000,
            isFragmentable: true)
        ], bench)
      let outer = try #require(sent[MemorySwitch.sockets]?.first)
      #expect(sent.count == 1)
      identifications.insert(Array(outer[18..<20]))
      #expect(outer[20..<22].elementsEqual([0, 0]))
      #expect(internetChecksum(Array(outer[14..<34])) == 0)
      let opened = try #require(
        openedDatagram(Array(outer[42...]), key: SleeveOrderTests.key, isOutbound: true))
      #expect(opened.sequence == UInt64(number))
      #expect(opened.records == sleeveRecord(from: 0, to: 1, zeroFrame(2000)))
    }
    #expect(identifications.count == 3 && !identifications.contains([0, 0]))
    try bench.check()
  }

  /// In as many chunks as it needs, sealed and plain.
  @Test(arguments: [false, true])
  func fragmentationTestOfFullLengthLeavesWhole(isSealed: Bool) throws {
    var sleeve = SleeveOptions()
    sleeve.socketFrameLengthMax = Frame.lengthMax
    if isSealed { sleeve.keys = [1: SleeveOrderTests.key] }
    let bench = try SleeveBench(sleeve)
    let order = ControlOrder(
      name: MemorySwitch.peerNames[1], overlay: .sleeve, frameLength: 60_001, isFragmentable: true)
    for _ in 0..<3 {
      let sent = carryOut([order], bench)
      let outer = try #require(sent[MemorySwitch.sockets]?.first)
      #expect(Array(outer[16..<18]) == octets(UInt16(outer.count - 14)))
      #expect(internetChecksum(Array(outer[14..<34])) == 0)
      let payload = Array(outer[42...])
      let record = sleeveRecord(from: 0, to: 1, zeroFrame(60_001))
      if isSealed {
        let opened = openedDatagram(payload, key: SleeveOrderTests.key, isOutbound: true)
        #expect(try #require(opened).records == record)
      } else {
        #expect(payload == sleeveDatagram(from: MemorySwitch.peerNames[0], [record]))
      }
      bench.bridge.worker.breathe(times: 1)
    }
    try bench.check()
  }

  @Test(arguments: [false, true])
  func testThatNoPortCarriesIsDroppedAndItsChunksAreFree(isFragmentable: Bool) throws {
    let bench = try bench(isSealed: true)
    let sent = carryOut(
      [60_000, 60_001, 65_535].map {
        ControlOrder(
          name: MemorySwitch.peerNames[1], overlay: .sleeve, frameLength: $0,
          isFragmentable: isFragmentable)
      }, bench)
    #expect(sent.isEmpty)
    let account = try bench.bridge.account
    #expect(account.generated == 3 && account.dropped(.tooLongForPort) == 3)
    try bench.check()
  }

  @Test func ordersForNobodyLeaveNoTrace() throws {
    let bench = try bench()
    let link = try #require(bench.mesh.sleeveLinks[1])
    bench.bridge.model.setLink(link, shortID: nil, path: nil)
    bench.bridge.publish()
    let sent = carryOut(
      [MemorySwitch.peerNames[1], MemorySwitch.peerNames[3], PeerName.unknown].map {
        ControlOrder(name: $0, overlay: .sleeve, frameLength: 22, connectionUID: 1)
      }, bench)
    #expect(sent.isEmpty)
    #expect(try bench.bridge.account.generated == 0)
    try bench.check()
  }

  @Test func manyOrdersAreSpreadOverBreaths() throws {
    let bench = try SleeveBench { $0.ringCapacity = 1024 }
    for number in 0..<300 {
      bench.bridge.order(
        ControlOrder(
          name: MemorySwitch.peerNames[1], overlay: .sleeve, frameLength: 22,
          connectionUID: UInt64(number)))
    }
    var sent: [[UInt8]] = []
    for expected in [256, 44, 0] {
      #expect(bench.bridge.worker.breathe() == expected)
      sent += bench.bridge.drain()[MemorySwitch.underlay] ?? []
    }
    let records = try sent.map { try bench.records($0, toPeer: 1) }
    #expect(
      records
        == (0..<300).map { [SleeveBench.record(0, 1, sleeveHeartbeat(UInt64($0)))] })
    try bench.check()
  }

  @Test func orderWithoutAFreeChunkIsCounted() throws {
    let bench = try SleeveBench { $0.frameCount = 512 + 4 }
    // Five rings have 128 each on their fill rings, but for what was not there any more.
    #expect(bench.bridge.worker.framesFree < 18)
    let sent = carryOut(
      [ControlOrder(name: MemorySwitch.peerNames[1], overlay: .sleeve, frameLength: 60_001)],
      bench)
    #expect(sent.isEmpty)
    #expect(try bench.bridge.account.dropped(.noFrameForCopy) == 1)
    try bench.check()
  }
}
