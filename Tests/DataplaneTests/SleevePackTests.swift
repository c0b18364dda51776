// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Sealing
import TestSupport
import Testing

/// Frames for endpoints that are reached by sleeve leave as records of datagrams.
struct SleevePackTests {
  private static let keys: [Int: [UInt8]] = [
    1: (0..<32).map { UInt8($0) }, 2: (0..<32).map { UInt8(200 - $0) },
  ]

  private func sealedOptions() -> SleeveOptions {
    var options = SleeveOptions()
    options.keys = SleevePackTests.keys
    return options
  }

  @Test func plainDatagramIsByteForByteAsDescribed() throws {
    let bench = try SleeveBench()
    let inner = frame(from: 1, to: 11)
    let sent = try bench.pass([inner])
    let payload = sleeveDatagram(
      from: MemorySwitch.peerNames[0], [sleeveRecord(from: 0, to: 1, inner)])
    #expect(sent == [MemorySwitch.underlay: [sleeveOuter(toPeer: 1, payload)]])
    #expect(try bench.bridge.account.merged == 0)
    try bench.check()
  }

  @Test func framesOfABatchToOneNextHopShareADatagramInTheirOrder() throws {
    for sleeve in [SleeveOptions(), sealedOptions()] {
      let bench = try SleeveBench(sleeve)
      // Neighbour 2 gets those of peers 2 and 3; neighbour 1's lie between them.
      let receivers = [12, 11, 13, 12, 11, 13]
      let frames = receivers.enumerated().map {
        frame(from: 1, to: $0.element, payloadLength: 30 + $0.offset)
      }
      let sent = try bench.pass(frames)[MemorySwitch.underlay] ?? []
      try #require(sent.count == 2)
      let wanted = zip(receivers, frames).map { SleeveBench.record(0, $0.0 - 10, $0.1) }
      #expect(
        try bench.records(sent[0], toPeer: 2)
          == wanted.filter { $0.destination != MemorySwitch.peerNames[1] })
      #expect(
        try bench.records(sent[1], toPeer: 1)
          == wanted.filter { $0.destination == MemorySwitch.peerNames[1] })
      let account = try bench.bridge.account
      #expect(account.sent == 2 && account.merged == 4)
      try bench.check()
    }
  }

  @Test(arguments: [0, 1])
  func datagramIsFilledToItsLastByteAndNoFurther(missing: Int) throws {
    for keys in [[:], SleevePackTests.keys] {
      var sleeve = SleeveOptions()
      sleeve.keys = keys
      let overhead = keys.isEmpty ? 6 : 30
      let frames = (0..<3).map { frame(from: 1, to: 11, payloadLength: 100 + $0) }
      let length = frames.reduce(overhead) { $0 + 14 + $1.count }
      sleeve.datagramLengthMax = length - missing
      let bench = try SleeveBench(sleeve)
      let sent = try bench.pass(frames)[MemorySwitch.underlay] ?? []
      let records = try sent.map { try bench.records($0, toPeer: 1).map(\.frame) }
      #expect(records == (missing == 0 ? [frames] : [Array(frames.prefix(2)), [frames[2]]]))
      #expect(try bench.bridge.account.merged == (missing == 0 ? 2 : 1))
      try bench.check()
    }
  }

  @Test func longestFrameFitsAndALongerOneDoesNot() throws {
    for sleeve in [SleeveOptions(), sealedOptions()] {
      let bench = try SleeveBench(sleeve)
      let longest = 1472 - 14 - (sleeve.keys.isEmpty ? 6 : 30)
      let frames = [0, 1].map { opaqueFrame(from: 1, to: 11, length: longest + $0) }
      let sent = try bench.pass(frames)[MemorySwitch.underlay] ?? []
      try #require(sent.count == 1)
      #expect(sent[0].count == 1514)
      #expect(try bench.records(sent[0], toPeer: 1) == [SleeveBench.record(0, 1, frames[0])])
      #expect(try bench.bridge.account.dropped(.tooLongForUnderlay) == 1)
      try bench.check()
    }
  }

  @Test func fullChunkEndsADatagramAlsoWhereTheUnderlayCarriesMore() throws {
    var sleeve = SleeveOptions()
    sleeve.datagramLengthMax = 8000
    let bench = try SleeveBench(sleeve) { $0.frameLengthMax = 8000 }
    let frames = (0..<5).map { frame(from: 1, to: 11, payloadLength: 1300 + $0) }
    let sent = try bench.pass(frames)[MemorySwitch.underlay] ?? []
    let records = try sent.map { try bench.records($0, toPeer: 1).map(\.frame) }
    #expect(records == [Array(frames[0..<2]), Array(frames[2..<4]), [frames[4]]])
    try bench.check()
  }

  /// Jumbo underlays: the frame is in several chunks, and so is its datagram.
  @Test func frameInSeveralChunksTravelsAloneAndInItsOrder() throws {
    for keys in [[:], SleevePackTests.keys] {
      var sleeve = SleeveOptions()
      sleeve.keys = keys
      sleeve.datagramLengthMax = 8972
      let bench = try SleeveBench(sleeve) { $0.frameLengthMax = 9014 }
      let frames = [100, 8000, 200, 300, 6000].map {
        frame(from: 1, to: 11, payloadLength: $0)
      }
      let sent = try bench.pass(frames)[MemorySwitch.underlay] ?? []
      let records = try sent.map { try bench.records($0, toPeer: 1).map(\.frame) }
      #expect(records == [[frames[0]], [frames[1]], [frames[2], frames[3]], [frames[4]]])
      try bench.check()
    }
  }

  @Test func sealedDatagramsAreNumberedAndShowNothingOfWhatIsInThem() throws {
    let bench = try SleeveBench(sealedOptions())
    let marker = [UInt8]("what nobody on the way shall read".utf8)
    let inner = FrameBuilder(sourceMAC: stationMAC(1), destinationMAC: stationMAC(11))
      .udp(sourcePort: 1, destinationPort: 2, payload: marker)
    for number in 0..<3 {
      let sent = try bench.pass([inner, inner])[MemorySwitch.underlay] ?? []
      try #require(sent.count == 1)
      let payload = bench.payload(sent[0], toPeer: 1)
      let key = try #require(SleevePackTests.keys[1])
      let opened = try #require(openedDatagram(payload, key: key, isOutbound: true))
      #expect(opened.sequence == 1 << 63 | UInt64(number))
      #expect(openedDatagram(payload, key: key, isOutbound: false) == nil)
      #expect(sent[0].firstRange(of: marker) == nil)
      #expect(sent[0].firstRange(of: octets(stationMAC(1).bits, 6)) == nil)
    }
    try bench.check()
  }

  @Test func datagramOfARemovedKeyIsNotSent() throws {
    let bench = try SleeveBench(sealedOptions())
    bench.bridge.keys.remove(try #require(bench.mesh.sealing[1]))
    let sent = try bench.pass([frame(from: 1, to: 11), frame(from: 1, to: 12)])
    #expect(sent[MemorySwitch.underlay]?.count == 1)
    #expect(try bench.bridge.account.dropped(.keyMissing) == 1)
    try bench.check()
  }

  @Test func fullRingDropsWholeDatagrams() throws {
    let bench = try SleeveBench(sealedOptions()) { $0.ringCapacity = 32 }
    let frames = (0..<20).map { _ in frame(from: 1, to: 11, payloadLength: 1300) }
    let memory = try #require(bench.bridge.ports[port(0)])
    for _ in 0..<2 {
      for bytes in frames { #expect(memory.arrive(bytes)) }
      #expect(bench.bridge.worker.breathe() == 20)
    }
    #expect(bench.bridge.drain()[MemorySwitch.underlay]?.count == 32)
    let account = try bench.bridge.account
    #expect(account.dropped(.transmitRingFull) == 8 && account.merged == 0)
    try bench.check()
  }

  @Test func moreNextHopsThanOpenDatagramsGetTheirFramesInOrder() throws {
    let bench = try SleeveBench()
    for peer in 20..<60 {
      let name = PeerName(bits: UInt64(peer))
      let added = bench.bridge.model.addPeer(named: name, underlayPort: MemorySwitch.underlay)
      let index = try #require(added)
      bench.bridge.model.setPeer(
        index, shortID: nil, path: bench.bridge.sleevePath(to: peer, bench.sleeve, bench.mesh),
        broadcast: [])
      bench.bridge.learn(peer, at: behind(peer: index))
    }
    bench.bridge.worker.breathe(times: 2)
    // First so that datagrams give way to each other, then so that they need not.
    for order in [(0..<64).map { 20 + $0 % 21 }, (0..<64).map { 20 + $0 % 16 }] {
      let frames = order.enumerated().map {
        frame(from: 1, to: $0.element, payloadLength: 20 + $0.offset)
      }
      let sent = try bench.pass(frames)[MemorySwitch.underlay] ?? []
      for peer in Set(order) {
        let own = sent.filter { $0[30..<34].elementsEqual(octets(peerAddress(peer).bits)) }
        let records = try own.flatMap { try bench.records($0, toPeer: peer) }
        #expect(records.map(\.frame) == zip(order, frames).filter { $0.0 == peer }.map(\.1))
        #expect(records.allSatisfy { $0.destination == PeerName(bits: UInt64(peer)) })
      }
      #expect(Set(order).count == 16 ? sent.count == 16 : sent.count > 21)
    }
    try bench.check()
  }

  @Test func handedOverDatagramIsWhole() throws {
    let paths = try HandOverMemory(workerCount: 2)
    let bench = try SleeveBench(sealedOptions()) { $0.handOver = paths }
    try bench.bridge.stop(MemorySwitch.underlay)
    bench.bridge.command(
      WorkerCommand(.startHandingOver, slot: 1, port: MemorySwitch.underlay))
    _ = try bench.pass([frame(from: 1, to: 11), frame(from: 1, to: 11)])
    let account = try bench.bridge.account
    #expect(account.handedOver == 1 && account.merged == 1)
    try bench.check()
  }
}
