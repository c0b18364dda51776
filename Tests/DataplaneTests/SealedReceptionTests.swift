// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport
import Testing

@testable import Sealing

/// What becomes of packets of ESP and the frames in them.
struct SealedReceptionTests {
  @Test(arguments: 1...2) func frameForUsGoesToItsStation(neighbour: Int) throws {
    let bench = try DecryptBench()
    let inner = frame(from: 1, to: 2, payloadLength: 100)
    #expect(try bench.pass(inner, via: neighbour, from: neighbour) == [port(1): [inner]])
    let hints = bench.bridge.takeHints()
    #expect(hints.map(\.mac) == [stationMAC(1).bits])
    #expect(try hints.map(\.location) == [bench.behind(neighbour)])
    let account = try bench.bridge.account
    #expect(account.received == 1 && account.copied == 0 && account.sent == 1)
    #expect(try bench.isInOrder())
  }

  @Test func everyLengthIsOpened() throws {
    let bench = try DecryptBench()
    for length in Array(14...140) + Array(1380...1514) {
      let inner = opaqueFrame(from: 1, to: 2, length: length)
      try #require(try bench.pass(inner, via: 1, from: 1) == [port(1): [inner]], "\(length)")
    }
    #expect(try bench.isInOrder())
  }

  @Test(arguments: [3, 40, 63]) func anyPaddingIsTakenOff(blocks: Int) throws {
    let bench = try DecryptBench()
    for length in 60..<64 {
      let inner = opaqueFrame(from: 1, to: 2, length: length)
      let text = DecryptBench.text(
        inner, network: DecryptBench.network(from: 1, to: 0), blocks: blocks - 1)
      let outer = DecryptBench.outer(try bench.seal(text, from: 1), from: 1)
      #expect(try bench.pass(outer) == [port(1): [inner]])
    }
  }

  @Test func outerOptionsAndEthernetPaddingDoNotMatter() throws {
    let bench = try DecryptBench()
    for count in stride(from: 0, through: 40, by: 4) {
      let inner = frame(from: 1, to: 2, payloadLength: count)
      let packet = try bench.packet(inner, via: 1, from: 1)
      let outer = DecryptBench.outer(
        packet, from: 1, options: [UInt8](repeating: 1, count: count))
      #expect(try bench.pass(outer + [UInt8](repeating: 7, count: count)) == [port(1): [inner]])
    }
    #expect(try bench.isInOrder())
  }

  @Test func framesOfABatchLeaveInTheirOrderWhateverTheyCameIn() throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .sealedVXLAN, 4: .plainVXLAN])
    let inner = (0..<60).map { frame(from: 1, to: 2, payloadLength: 4 + $0) }
    let outers = try inner.enumerated().map { row, inner in
      switch row % 4 {
      case 0, 1:
        let neighbour = row % 4 + 1
        let packet = try bench.packet(inner, via: neighbour, from: neighbour)
        return DecryptBench.outer(packet, from: neighbour)
      case 2: return outer(from: 0, inner)
      default:
        return meshOuter(
          fromPeer: 4, inner, network: DecryptBench.network(from: 4, to: 0))
      }
    }
    #expect(try bench.pass(all: outers) == [port(1): inner])
    #expect(try bench.isInOrder())
  }

  @Test func floodGoesToAllPorts() throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .plainVXLAN])
    let inner = FrameBuilder(sourceMAC: stationMAC(1)).arpRequest()
    let sent = try bench.pass(inner, via: 1, from: 1)
    for number in 0..<3 { #expect(sent[port(number)] == [inner]) }
    let onward = sent[MemorySwitch.underlay] ?? []
    #expect(onward.count == 1)
    #expect(isPacket(onward.first, inner, via: 2, from: 1, to: 2))
    #expect(try bench.isInOrder())
  }

  @Test func frameForAnotherPeerIsRelayed() throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .plainVXLAN])
    let inner = frame(from: 1, to: 9)
    let sent = try bench.pass(inner, via: 1, from: 1, to: 3)
    #expect(Array(sent.keys) == [MemorySwitch.underlay])
    #expect(isPacket(sent[MemorySwitch.underlay]?.first, inner, via: 2, from: 1, to: 3))
    #expect(bench.bridge.takeHints().isEmpty)
    // Back to where it came from it does not go.
    #expect(try bench.pass(inner, via: 1, from: 3, to: 1).isEmpty)
    #expect(try bench.bridge.account.dropped(.meshLoop) == 1)
    #expect(try bench.isInOrder())
  }

  @Test func frameForAnotherPeerIsRelayedBySleeve() throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .plainSleeve])
    let inner = (0..<3).map { frame(from: 1, to: 9, payloadLength: 30 + $0) }
    let sent = try bench.pass(
      all: inner.map {
        DecryptBench.outer(try bench.packet($0, via: 1, from: 1, to: 3), from: 1)
      })
    let records = inner.map { sleeveRecord(from: 1, to: 3, $0) }
    let datagram = sleeveDatagram(from: MemorySwitch.peerNames[0], records)
    #expect(sent == [MemorySwitch.underlay: [sleeveOuter(toPeer: 2, datagram)]])
    #expect(try bench.isInOrder())
  }

  @Test func heartbeatIsReported() throws {
    let bench = try DecryptBench()
    #expect(try bench.pass(vxlanHeartbeat(0x1122, length: 1390), via: 2, from: 2).isEmpty)
    let reports = bench.bridge.takeControlFrames()
    #expect(
      reports == [
        ControlFrame(
          name: MemorySwitch.peerNames[2], overlay: .vxlan, kind: .heartbeat,
          source: SocketAddress(peerAddress(2), port: 50_001), frameLength: 1390,
          announcedLength: 1390, connectionUID: 0x1122)
      ])
    // One that a neighbour only passed on is not his.
    #expect(try bench.pass(vxlanHeartbeat(1, length: 100), via: 1, from: 2).isEmpty)
    #expect(try bench.bridge.account.dropped(.specialMisplaced) == 1)
    #expect(try bench.isInOrder())
  }

  @Test func packetsOfAPeersOtherPortAreTaken() throws {
    let bench = try DecryptBench()
    bench.bridge.model.setMesh(
      shortID: ShortID(MemorySwitch.meshShortIDs[0]), port: MemorySwitch.meshPort,
      sleevePort: MemorySwitch.sleevePort, name: MemorySwitch.peerNames[0], otherPorts: [7000])
    bench.bridge.publish()
    let inner = frame(from: 1, to: 2)
    let network = DecryptBench.network(from: 1, to: 0)
    for (port, count) in [(UInt16(7000), 1), (7001, 0), (0, 0), (MemorySwitch.sleevePort, 0)] {
      let text = DecryptBench.text(inner, network: network, port: port)
      let sent = try bench.pass(DecryptBench.outer(bench.seal(text, from: 1), from: 1))
      #expect(sent.count == count, "\(port)")
    }
    #expect(try bench.bridge.account.dropped(.securityUnknown) == 3)
  }

  // MARK: Keys and numbers

  @Test func oldAndNewKeyOpenWhatTheySealedUntilTheOldOneIsGone() throws {
    var bench = try DecryptBench()
    let inner = (0..<8).map { frame(from: 1, to: 2, payloadLength: $0) }
    let old = try inner.map { DecryptBench.outer(try bench.packet($0, via: 1, from: 1), from: 1) }
    let before = try #require(bench.mesh.opening[1])
    try bench.rekey(1, generation: 1)
    let new = try inner.map { DecryptBench.outer(try bench.packet($0, via: 1, from: 1), from: 1) }
    let mixed = (0..<6).flatMap { [old[$0], new[$0]] }
    #expect(
      try bench.pass(all: mixed) == [port(1): (0..<6).flatMap { [inner[$0], inner[$0]] }])
    try bench.setLink(to: 1, former: nil, generation: 1)
    #expect(try bench.pass(all: [old[6], new[6]]) == [port(1): [inner[6]]])
    #expect(try bench.bridge.account.dropped(.securityUnknown) == 1)
    bench.bridge.keys.remove(before)
    #expect(try bench.pass(all: [old[7], new[7]]) == [port(1): [inner[7]]])
    #expect(try bench.isInOrder())
  }

  @Test func lateIsTakenOnceAndTooLateNot() throws {
    let bench = try DecryptBench()
    let inner = (0..<40).map { frame(from: 1, to: 2, payloadLength: $0) }
    let outers = try inner.map {
      DecryptBench.outer(try bench.packet($0, via: 1, from: 1), from: 1)
    }
    for place in outers.indices.reversed() {
      try #require(try bench.pass(outers[place]) == [port(1): [inner[place]]])
    }
    #expect(try bench.pass(all: outers + outers.prefix(20)).isEmpty)
    #expect(try bench.bridge.account.dropped(.replayed) == 60)
    // Rounds ahead of all of these, and in the place of the one that comes late.
    let first = try #require(
      bench.mesh.others.add(
        try Self.key(from: 1),
        firstNumbers: FrameKeys.FirstNumbers(unfragmentable: 6 << 14 | 40, fragmentable: 0)))
    let text = DecryptBench.text(inner[3], network: DecryptBench.network(from: 1, to: 0))
    let ahead = try bench.seal(text, from: 1, key: first)
    #expect(try bench.pass(DecryptBench.outer(ahead, from: 1)) == [port(1): [inner[3]]])
    #expect(try bench.pass(inner[4], via: 1, from: 1).isEmpty)
    #expect(try bench.bridge.account.dropped(.replayed) == 61)
    #expect(try bench.isInOrder())
  }

  @Test func numbersGoOnOverTheBorderOfTheirLowHalf() throws {
    let bench = try DecryptBench()
    let border: UInt64 = 1 << 32
    let place = try #require(
      bench.mesh.others.add(
        try Self.key(from: 1),
        firstNumbers: FrameKeys.FirstNumbers(unfragmentable: border - 20, fragmentable: 0)))
    let inner = (0..<40).map { frame(from: 1, to: 2, payloadLength: $0) }
    let network = DecryptBench.network(from: 1, to: 0)
    let outers = try inner.map {
      DecryptBench.outer(
        try bench.seal(DecryptBench.text($0, network: network), from: 1, key: place), from: 1)
    }
    // Those of both halves mixed, in one batch and in several.
    #expect(try bench.pass(outers[0]) == [port(1): [inner[0]]])
    let order = (1..<20).flatMap { [$0, 39 - $0] }
    #expect(try bench.pass(all: order.prefix(20).map { outers[$0] }).values.first?.count == 20)
    #expect(try bench.pass(all: order.dropFirst(20).map { outers[$0] }).values.first?.count == 18)
    #expect(try bench.pass(outers[39]) == [port(1): [inner[39]]])
    #expect(try bench.pass(all: outers).isEmpty)
    #expect(try bench.bridge.account.dropped(.replayed) == 40)
    #expect(try bench.isInOrder())
  }

  /// The key that a neighbour of `joinSecurely` seals with in ESP.
  private static func key(from neighbour: Int) throws -> FrameKey {
    let identifier = MemorySwitch.identifier(from: neighbour, .vxlan)
    return FrameKey(
      .aes256gcm, layout: .esp, isSealing: true, identifier: identifier,
      from: try #require(SessionKey(bytes: MemorySwitch.keyBytes(neighbour))),
      nonce: [UInt8](repeating: UInt8(truncatingIfNeeded: identifier), count: 32), info: [2])
  }
}
