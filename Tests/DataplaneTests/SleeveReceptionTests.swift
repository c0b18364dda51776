// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport
import Testing

/// What becomes of datagrams of sleeve and the frames in them.
struct SleeveReceptionTests {
  @Test(arguments: 1...2) func frameForUsGoesToItsStation(neighbour: Int) throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2, payloadLength: 100)
    let sent = try bench.pass([(neighbour, 0, inner)], via: neighbour)
    #expect(sent == [port(1): [inner]])
    let hints = bench.bridge.takeHints()
    #expect(hints.map(\.mac) == [stationMAC(1).bits])
    #expect(try hints.map(\.location) == [bench.behind(neighbour)])
    let account = try bench.bridge.account
    #expect(account.received == 1 && account.copied == 0 && account.sent == 1)
    #expect(try bench.isInOrder())
  }

  @Test(arguments: 1...2, [1, 2, 3, 9, 20])
  func recordsLeaveInTheirOrder(neighbour: Int, count: Int) throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = (0..<count).map { frame(from: 1, to: 2, payloadLength: 2 + $0) }
    let sent = try bench.pass(inner.map { (neighbour, 0, $0) }, via: neighbour)
    #expect(sent == [port(1): inner])
    let account = try bench.bridge.account
    #expect(account.received == 1 && account.copied == UInt64(count - 1))
    #expect(account.sent == UInt64(count))
    #expect(try bench.isInOrder())
  }

  @Test func moreRecordsThanABatchHasLeaveInTheirOrder() throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let underlay = try #require(bench.bridge.ports[MemorySwitch.underlay])
    var all: [[UInt8]] = []
    for datagram in 0..<8 {
      let inner = (0..<25).map { frame(from: 1, to: 2, payloadLength: 4 + 8 * datagram + $0) }
      let records = inner.map { sleeveRecord(from: 2, to: 0, $0) }
      let bytes = bench.datagram(from: 2, records, number: UInt64(datagram))
      #expect(underlay.arrive(sleeveOuter(fromPeer: 2, bytes)))
      all += inner
    }
    #expect(bench.bridge.worker.breathe() == 8)
    #expect(bench.bridge.drain() == [port(1): all])
    #expect(try bench.bridge.account.copied == 8 * 24)
    #expect(try bench.isInOrder())
  }

  @Test func datagramsBetweenOtherFramesTakeNothingFromThem() throws {
    let bench = try UnpackBench(byVXLAN: [1])
    bench.bridge.learn(2, at: behind(port: 1))
    let underlay = try #require(bench.bridge.ports[MemorySwitch.underlay])
    let inner = (0..<9).map { frame(from: 1, to: 2, payloadLength: 4 + $0) }
    for (index, inner) in inner.enumerated() {
      let network = meshNetwork(from: 0xB0B, to: 0xA0A)
      let record = sleeveRecord(from: 1, to: 0, inner)
      let packets = [
        meshOuter(fromPeer: 1, inner, network: network), outer(from: 0, inner),
        sleeveOuter(fromPeer: 1, bench.datagram(from: 1, [record, record])),
      ]
      #expect(underlay.arrive(packets[index % 3]))
    }
    #expect(bench.bridge.worker.breathe() == 9)
    let sent = try #require(bench.bridge.drain()[port(1)])
    let late = inner.indices.filter { $0 % 3 == 2 }.flatMap { [inner[$0], inner[$0]] }
    #expect(sent == inner.indices.filter { $0 % 3 != 2 }.map { inner[$0] } + late)
    #expect(try bench.isInOrder())
  }

  @Test func floodGoesToAllPortsAndOnAlongItsTree() throws {
    let bench = try UnpackBench()
    let inner = FrameBuilder(sourceMAC: stationMAC(1)).arpRequest()
    let sent = try bench.pass([(1, 0, inner)], via: 1)
    for number in 0..<3 { #expect(sent[port(number)] == [inner]) }
    let packets = sent[MemorySwitch.underlay] ?? []
    try #require(packets.count == 1)
    let records = try #require(bench.records(of: packets.first, to: 2))
    #expect(records.map(\.source) == [UnpackBench.names[1]])
    #expect(records.map(\.destination) == [UnpackBench.names[2]])
    #expect(records.map(\.frame) == [inner])
    #expect(try bench.isInOrder())
  }

  @Test func frameForAnotherPeerIsRelayed() throws {
    let bench = try UnpackBench()
    let inner = (0..<3).map { frame(from: 1, to: 9, payloadLength: 30 + $0) }
    let sent = try bench.pass(inner.map { (1, 3, $0) }, via: 1)
    #expect(Array(sent.keys) == [MemorySwitch.underlay])
    let packets = sent[MemorySwitch.underlay] ?? []
    let records = packets.compactMap { bench.records(of: $0, to: 2) }.flatMap { $0 }
    #expect(records.map(\.frame) == inner)
    #expect(records.allSatisfy { $0.source == UnpackBench.names[1] })
    #expect(records.allSatisfy { $0.destination == UnpackBench.names[3] })
    #expect(bench.bridge.takeHints().isEmpty)
    #expect(try bench.isInOrder())
  }

  @Test func frameOfSleeveGoesOnAsVXLAN() throws {
    let bench = try UnpackBench(byVXLAN: [2])
    let inner = frame(from: 1, to: 9)
    let sent = try bench.pass([(1, 3, inner)], via: 1)
    #expect(isPacket(sent[MemorySwitch.underlay]?.first, inner, via: 2, from: 1, to: 3))
    #expect(try bench.isInOrder())
  }

  @Test(arguments: [Set<Int>(), [2]])
  func relayThatWouldGoBackIsDropped(byVXLAN: Set<Int>) throws {
    let bench = try UnpackBench(byVXLAN: byVXLAN)
    let inner = frame(from: 1, to: 9)
    #expect(try bench.pass([(1, 3, inner), (1, 1, inner), (0, 3, inner)], via: 2).isEmpty)
    #expect(try bench.bridge.account.dropped(.meshLoop) == 3)
    #expect(try bench.isInOrder())
  }

  @Test func frameOfAPeerWithoutAShortNumberIsTaken() throws {
    let bench = try UnpackBench(byVXLAN: [2])
    let peer = try #require(bench.mesh.peers[1])
    bench.bridge.model.setPeer(peer, shortID: nil, path: nil, broadcast: [])
    bench.bridge.publish()
    let inner = frame(from: 9, to: 7)
    #expect(try bench.pass([(1, 0, inner)], via: 1)[port(0)] == [inner])
    #expect(bench.bridge.takeHints().map(\.location) == [try bench.behind(1)])
    // A flood is for our stations; VXLAN could not say whose it is, as of a frame for another peer.
    let flood = FrameBuilder(sourceMAC: stationMAC(1)).arpRequest()
    let sent = try bench.pass([(1, 0, flood)], via: 1)
    #expect(sent[port(0)] == [flood] && sent[MemorySwitch.underlay] == nil)
    #expect(try bench.pass([(1, 3, inner)], via: 1).isEmpty)
    #expect(try bench.bridge.account.dropped(.peerUnknown) == 1)
    #expect(try bench.isInOrder())
  }

  @Test func namesThatNobodyHasAreRefused() throws {
    let bench = try UnpackBench()
    let nobody = PeerName(bits: 0x99)
    let inner = frame(from: 1, to: 2)
    let names = UnpackBench.names
    let records = [
      sleeveRecord(from: nobody, to: names[0], inner),
      sleeveRecord(from: names[1], to: nobody, inner),
      sleeveRecord(from: .unknown, to: .unknown, inner),
    ]
    #expect(try bench.pass(bench.datagram(from: 1, records), via: 1).isEmpty)
    #expect(try bench.bridge.account.dropped(.peerUnknown) == 3)
    // Peer 3 is no neighbour, and knowing a name that has no sleeve is not enough.
    for sender in [nobody, names[0], names[3], .unknown] {
      let bytes = sleeveDatagram(from: sender, [sleeveRecord(from: names[1], to: names[0], inner)])
      #expect(try bench.pass(bytes, via: 1).isEmpty)
    }
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 4)
    #expect(bench.bridge.takeHints().isEmpty)
    #expect(try bench.isInOrder())
  }

  @Test func senderIsToldByNameAndNotByAddress() throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2)
    let bytes = bench.datagram(from: 1, [sleeveRecord(from: 1, to: 0, inner)])
    let packet = sleeveOuter(fromPeer: 77, bytes, sourcePort: 1024)
    #expect(try bench.bridge.pass(packet, into: MemorySwitch.underlay) == [port(1): [inner]])
  }

  @Test func linkWithoutAPathTakesNothing() throws {
    let bench = try UnpackBench()
    let link = try #require(bench.mesh.sleeveLinks[2])
    bench.bridge.model.setLink(link, shortID: nil, path: nil)
    bench.bridge.publish()
    let record = sleeveRecord(from: 2, to: 0, frame(from: 1, to: 2))
    let bytes = sleeveDatagram(from: UnpackBench.names[2], [record])
    #expect(try bench.pass(bytes, via: 2).isEmpty)
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 1)
  }

  @Test func withoutAMeshThePortMeansNothing() throws {
    let bridge = try MemorySwitch()
    let record = sleeveRecord(from: 1, to: 0, frame(from: 1, to: 2))
    let bytes = sleeveDatagram(from: UnpackBench.names[1], [record])
    try bridge.pass(sleeveOuter(fromPeer: 1, bytes), into: MemorySwitch.underlay)
    let account = try bridge.account
    #expect(account.dropped(.networkFlagMissing) + account.dropped(.endpointUnknown) == 1)
  }

  @Test func headersWithOptionsAreTakenOffToo() throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2)
    var builder = FrameBuilder(source: peerAddress(1), destination: MemorySwitch.ownAddress)
    for length in [4, 40] {
      builder.options = [UInt8](repeating: 1, count: length)
      let packet = builder.udp(
        sourcePort: 1, destinationPort: MemorySwitch.sleevePort,
        payload: bench.datagram(from: 1, [sleeveRecord(from: 1, to: 0, inner)]))
      #expect(
        try bench.bridge.pass(packet + [1, 2, 3], into: MemorySwitch.underlay)
          == [port(1): [inner]])
    }
    #expect(try bench.isInOrder())
  }

  @Test func bytesBehindTheLastRecordAreCountedAsOneMore() throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2)
    let record = sleeveRecord(from: 1, to: 0, inner)
    for count in [1, 13, 14, record.count - 1] {
      let bytes = bench.datagram(from: 1, [record, Array(record.prefix(count))])
      #expect(try bench.pass(bytes, via: 1) == [port(1): [inner]])
    }
    let account = try bench.bridge.account
    #expect(account.dropped(.sleeveMalformed) == 4 && account.sent == 4)
    #expect(account.received == 4 && account.copied == 4)
    #expect(try bench.isInOrder())
  }

  @Test func everyTruncationHasAnEnd() throws {
    let bench = try UnpackBench()
    let records = (0..<3).map { sleeveRecord(from: 2, to: $0, frame(from: 1, to: 2)) }
    for neighbour in 1...2 {
      let whole = bench.datagram(from: neighbour, records)
      for length in whole.indices { try bench.pass(Array(whole.prefix(length)), via: neighbour) }
    }
    #expect(try bench.bridge.account.dropped(.notAuthentic) > 200)
    #expect(try bench.bridge.account.dropped(.sleeveMalformed) > 100)
    #expect(try bench.isInOrder())
  }

  @Test func recordsWithoutAFrameEndAlone() throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2)
    let short = (0..<14).map { (1, 0, [UInt8](repeating: 7, count: $0)) }
    let sent = try bench.pass(short + [(1, 0, inner)] + short, via: 1)
    #expect(sent == [port(1): [inner]])
    #expect(try bench.bridge.account.dropped(.innerTooShort) == 28)
    #expect(try bench.isInOrder())
  }

  @Test func recordWithoutAChunkIsLostAlone() throws {
    var options = MemorySwitch.Options()
    options.stationPortCount = 1
    options.frameCount = 16
    options.fillTarget = 8
    let bench = try UnpackBench(options)
    bench.bridge.learn(2, at: behind(port: 0))
    try #require(bench.bridge.worker.framesFree == 0)
    let inner = (0..<3).map { frame(from: 1, to: 2, payloadLength: 5 + $0) }
    let sent = try bench.pass(inner.map { (1, 0, $0) }, via: 1)
    #expect(sent == [port(0): [inner[2]]])
    let account = try bench.bridge.account
    #expect(account.dropped(.noFrameForCopy) == 2 && account.copied == 2)
    #expect(try bench.isInOrder())
  }

  @Test func sealedDatagramIsOpenedOnceAndOnlyIfAuthentic() throws {
    let bench = try UnpackBench()
    bench.bridge.learn(2, at: behind(port: 1))
    let inner = frame(from: 1, to: 2)
    let records = [sleeveRecord(from: 2, to: 0, inner)]
    let bytes = bench.datagram(from: 2, records, number: 5)
    for index in bytes.indices.dropFirst(6) {
      var wrong = bytes
      wrong[index] ^= 0x10
      #expect(try bench.pass(wrong, via: 2).isEmpty)
    }
    #expect(try bench.bridge.account.dropped(.notAuthentic) == UInt64(bytes.count - 6))
    #expect(try bench.pass(bytes, via: 2) == [port(1): [inner]])
    for _ in 0..<3 { #expect(try bench.pass(bytes, via: 2).isEmpty) }
    #expect(try bench.bridge.account.dropped(.replayed) == 3)
    // The other kind has numbers of its own.
    let other = bench.datagram(from: 2, records, number: 5, isFragmentable: true)
    #expect(try bench.pass(other, via: 2) == [port(1): [inner]])
    // In the clear, on a link that is sealed.
    let plain = sleeveDatagram(from: UnpackBench.names[2], records)
    #expect(try bench.pass(plain, via: 2).isEmpty)
    #expect(
      try bench.bridge.account.dropped(.notAuthentic) == UInt64(bytes.count - 6) + 1)
    #expect(try bench.isInOrder())
  }
}
