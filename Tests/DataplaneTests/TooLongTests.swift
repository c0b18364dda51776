// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing
import Wire

/// What does not fit is cut, or its sender is told, and the books show it.
struct TooLongTests {
  /// Ports 0 and 1 and the way to both endpoints carry 1514 bytes, port 2 carries 600; stations 0
  /// to 2 are behind the ports, 3 behind endpoint 0.
  private func makeSwitch(_ options: MemorySwitch.Options = .init()) throws -> MemorySwitch {
    let bridge = try MemorySwitch(options)
    try bridge.stop(port(2))
    try bridge.start(port(2), kind: .station, frameLengthMax: 600)
    for station in 0...2 { bridge.learn(station, at: behind(port: station)) }
    bridge.learn(3, at: behind(endpoint: 0))
    bridge.worker.breathe(times: 1)
    return bridge
  }

  /// Checks that nothing is lost, and returns the account.
  private func settled(_ bridge: MemorySwitch) throws -> FrameAccount {
    bridge.worker.breathe(times: 2)
    let account = try bridge.account
    #expect(account.isBalanced, "\(account)")
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
    return account
  }

  // MARK: Answers

  @Test func senderBehindAPortIsToldWhatTheUnderlayCarries() throws {
    let bridge = try makeSwitch()
    let sent = long(from: 0, to: 3, dontFragment: true)
    let left = try bridge.pass(sent, into: port(0))
    #expect(left == [port(0): [answer(to: sent, mtu: 1500)]])
    let account = try settled(bridge)
    #expect(account.generated == 1 && account.sent == 1 && account.copied == 0)
    #expect(account.dropped(.tooLongForUnderlay) == 1)
  }

  @Test func senderOfIPv6IsTold() throws {
    let bridge = try makeSwitch()
    let sent = FrameBuilder(sourceMAC: stationMAC(0), destinationMAC: stationMAC(3))
      .ipv6(nextHeader: 17, payload: [UInt8](repeating: 1, count: 1500))
    #expect(try bridge.pass(sent, into: port(0)) == [port(0): [answer(to: sent, mtu: 1500)]])
    let account = try settled(bridge)
    #expect(account.generated == 1 && account.dropped(.tooLongForUnderlay) == 1)
  }

  @Test func senderIsToldWhatAPortCarries() throws {
    let bridge = try makeSwitch()
    let sent = long(from: 0, to: 2, dontFragment: true, payloadLength: 600)
    #expect(try bridge.pass(sent, into: port(0)) == [port(0): [answer(to: sent, mtu: 586)]])
    let account = try settled(bridge)
    #expect(account.generated == 1 && account.dropped(.tooLongForPort) == 1)
  }

  @Test func senderBehindAnEndpointIsToldThere() throws {
    let bridge = try makeSwitch()
    let sent = long(from: 3, to: 2, dontFragment: true, payloadLength: 600)
    let left = try bridge.pass(outer(from: 0, sent), into: MemorySwitch.underlay)
    let told = answer(to: sent, mtu: 586)
    let expected = outer(to: 0, told, sourcePort: outerSourcePort(flowHash(told.span)))
    #expect(left == [MemorySwitch.underlay: [expected]])
    #expect(try settled(bridge).dropped(.tooLongForPort) == 1)
  }

  @Test func senderBehindAPeerIsToldOverTheMesh() throws {
    let bridge = try makeSwitch()
    let peers = try bridge.joinMesh()
    #expect(peers.count == 3)
    let sent = long(from: 4, to: 2, dontFragment: true, payloadLength: 600)
    let own = MemorySwitch.meshShortIDs[0]
    let other = MemorySwitch.meshShortIDs[3]
    let left = try bridge.pass(
      meshOuter(fromPeer: 2, sent, network: meshNetwork(from: other, to: own)),
      into: MemorySwitch.underlay)
    let told = answer(to: sent, mtu: 586)
    let expected = meshOuter(
      toPeer: 2, told, network: meshNetwork(from: own, to: other),
      sourcePort: outerSourcePort(flowHash(told.span)))
    #expect(left == [MemorySwitch.underlay: [expected]])
    #expect(try settled(bridge).generated == 1)
  }

  @Test func whoOnlyRelaysAnswersInTheReceiversName() throws {
    let bridge = try makeSwitch()
    _ = try bridge.joinMesh()
    let sent = long(from: 4, to: 5, dontFragment: true)
    let (first, third) = (MemorySwitch.meshShortIDs[1], MemorySwitch.meshShortIDs[3])
    let left = try bridge.pass(
      meshOuter(fromPeer: 1, sent, network: meshNetwork(from: first, to: third)),
      into: MemorySwitch.underlay)
    let told = answer(to: sent, mtu: 1500)
    let expected = meshOuter(
      toPeer: 1, told, network: meshNetwork(from: third, to: first),
      sourcePort: outerSourcePort(flowHash(told.span)))
    #expect(left == [MemorySwitch.underlay: [expected]])
    let account = try settled(bridge)
    #expect(account.generated == 1 && account.dropped(.tooLongForUnderlay) == 1)
  }

  @Test func floodsAndErrorsAreNotAnswered() throws {
    let bridge = try makeSwitch()
    var group = FrameBuilder(
      sourceMAC: stationMAC(0), destinationMAC: MACAddress(bits: 0x0100_5E00_0001))
    group.dontFragment = true
    let payload = [UInt8](repeating: 0, count: 700)
    let unknown = long(from: 0, to: 77, dontFragment: true, payloadLength: 700)
    for frame in [group.udp(sourcePort: 1, destinationPort: 2, payload: payload), unknown] {
      let left = try bridge.pass(frame, into: port(0))
      #expect(left[port(0)] == nil && left[port(2)] == nil && left[port(1)] == [frame])
    }
    group.destinationMAC = stationMAC(2)
    let error = group.ipv4(protocolNumber: 1, payload: [3, 1] + payload)
    #expect(try bridge.pass(error, into: port(0)).isEmpty)
    let account = try settled(bridge)
    #expect(account.generated == 0 && account.dropped(.tooLongForPort) == 3)
  }

  @Test func aFewAnswersAreGivenAtOnce() throws {
    let bridge = try makeSwitch()
    let sent = long(from: 0, to: 2, dontFragment: true, payloadLength: 600)
    let memory = try #require(bridge.ports[port(0)])
    var arrived = 0
    for _ in 0..<100 { arrived += memory.arrive(sent) ? 1 : 0 }
    bridge.worker.breathe(times: 4)
    let told = bridge.drain()[port(0)]?.count ?? 0
    let account = try settled(bridge)
    #expect(arrived == 100 && account.dropped(.tooLongForPort) == 100)
    #expect(64...100 ~= told && account.generated == UInt64(told))
  }

  // MARK: Fragments

  @Test(arguments: [0, 3])
  func packetsAreCutForAPortThatCarriesLess(source: Int) throws {
    let bridge = try makeSwitch()
    let sent = long(from: source, to: 2, dontFragment: false)
    let left =
      source == 0
      ? try bridge.pass(sent, into: port(0))
      : try bridge.pass(outer(from: 0, sent), into: MemorySwitch.underlay)
    #expect(left.count == 1)
    try expectPieces(left[port(2)] ?? [], of: sent, limit: 600)
    let account = try settled(bridge)
    #expect(account.copied == 3 && account.sent == 4 && account.generated == 0)
  }

  @Test func packetsAreCutForTheUnderlay() throws {
    let bridge = try makeSwitch()
    let sent = long(from: 0, to: 3, dontFragment: false)
    let left = try bridge.pass(sent, into: port(0))
    let pieces = (left[MemorySwitch.underlay] ?? []).map { Array($0.dropFirst(50)) }
    try expectPieces(pieces, of: sent, limit: 1514)
    for (packet, piece) in zip(left[MemorySwitch.underlay] ?? [], pieces) {
      let from = outerSourcePort(flowHash(piece.span))
      #expect(packet == outer(to: 0, piece, sourcePort: from))
    }
    let account = try settled(bridge)
    #expect(account.copied == 1 && account.sent == 2)
  }

  @Test func relayedPacketsAreCutAndKeepTheirNetwork() throws {
    let bridge = try makeSwitch()
    _ = try bridge.joinMesh()
    let sent = long(from: 4, to: 5, dontFragment: false)
    let network = meshNetwork(
      from: MemorySwitch.meshShortIDs[1], to: MemorySwitch.meshShortIDs[3])
    let left = try bridge.pass(
      meshOuter(fromPeer: 1, sent, network: network), into: MemorySwitch.underlay)
    let packets = left[MemorySwitch.underlay] ?? []
    let pieces = packets.map { Array($0.dropFirst(50)) }
    try expectPieces(pieces, of: sent, limit: 1514)
    for (packet, piece) in zip(packets, pieces) {
      let from = outerSourcePort(flowHash(piece.span))
      #expect(packet == meshOuter(toPeer: 2, piece, network: network, sourcePort: from))
    }
    #expect(try settled(bridge).copied == 1)
  }

  @Test func floodsAreCutForThoseThatTheyDoNotFit() throws {
    let bridge = try makeSwitch()
    var builder = FrameBuilder(
      sourceMAC: stationMAC(0), destinationMAC: MACAddress(bits: 0x0100_5E00_0001))
    builder.identification = 7
    let sent = builder.udp(
      sourcePort: 1, destinationPort: 2, payload: [UInt8](repeating: 3, count: 1000))
    let left = try bridge.pass(sent, into: port(0))
    #expect(left[port(1)] == [sent])
    #expect(left[MemorySwitch.underlay]?.count == 2)
    try expectPieces(left[port(2)] ?? [], of: sent, limit: 600)
    // Four receivers, and a piece more for one of them.
    let account = try settled(bridge)
    #expect(account.copied == 4 && account.sent == 5)
  }

  @Test func whatPaddedAPacketIsLeftOut() throws {
    let bridge = try makeSwitch()
    for dontFragment in [false, true] {
      let packet = long(from: 0, to: 2, dontFragment: dontFragment, payloadLength: 500)
      let left = try bridge.pass(packet + [UInt8](repeating: 0, count: 90), into: port(0))
      #expect(left == [port(2): [packet]])
    }
    let account = try settled(bridge)
    #expect(account.sent == 2 && account.copied == 0 && account.generated == 0)
  }

  @Test func aPacketThatChunksAreMissingForIsDroppedAsAWhole() throws {
    var options = MemorySwitch.Options()
    options.frameCount = 80
    options.fillTarget = 16
    let bridge = try makeSwitch(options)
    let sent = long(from: 0, to: 2, dontFragment: false)
    let memory = try #require(bridge.ports[port(0)])
    // What was sent keeps its chunks until it is drained.
    for _ in 0..<40 where memory.arrive(sent) { _ = bridge.worker.breathe() }
    let pieces = bridge.drain()[port(2)] ?? []
    let account = try settled(bridge)
    #expect(account.dropped(.noFrameForCopy) > 0 && pieces.count % 4 == 0 && !pieces.isEmpty)
    #expect(account.received == account.dropped(.noFrameForCopy) + UInt64(pieces.count / 4))
  }

  @Test func whatIsNotIPIsDropped() throws {
    let bridge = try makeSwitch()
    let frame = FrameBuilder(sourceMAC: stationMAC(0), destinationMAC: stationMAC(2))
      .ethernet(type: 0x88B5, payload: [UInt8](repeating: 1, count: 700))
    #expect(try bridge.pass(frame, into: port(0)).isEmpty)
    #expect(try settled(bridge).dropped(.tooLongForPort) == 1)
  }

  // MARK: Sleeve

  @Test func bySleeveTheUnderlayFragmentsIfItDoes() throws {
    let bridge = try makeSwitch()
    var sleeve = SleeveOptions()
    sleeve.mayFragment = true
    let mesh = try bridge.joinSleeve(sleeve)
    bridge.learn(4, at: behind(peer: try #require(mesh.peers[3])))
    let other = FrameBuilder(sourceMAC: stationMAC(0), destinationMAC: stationMAC(4))
      .ethernet(type: 0x88B5, payload: [UInt8](repeating: 1, count: 1600))
    for frame in [long(from: 0, to: 4, dontFragment: false), other] {
      let left = try bridge.pass(frame, into: port(0))
      let datagram = try #require(left[MemorySwitch.sockets]?.first)
      #expect(left.count == 1 && left[MemorySwitch.sockets]?.count == 1)
      let expected = sleeveDatagram(
        from: MemorySwitch.peerNames[0], [sleeveRecord(from: 0, to: 3, frame)])
      #expect(Array(datagram.dropFirst(42)) == expected)
    }
    let told = long(from: 0, to: 4, dontFragment: true)
    #expect(try bridge.pass(told, into: port(0)) == [port(0): [answer(to: told, mtu: 1438)]])
    let account = try settled(bridge)
    #expect(account.sent == 3 && account.generated == 1)
  }

  @Test func bySleeveIPv6IsCarriedWhereLessThanItNeedsFits() throws {
    let bridge = try makeSwitch()
    var sleeve = SleeveOptions()
    sleeve.mayFragment = true
    sleeve.datagramLengthMax = 1100
    let mesh = try bridge.joinSleeve(sleeve)
    bridge.learn(4, at: behind(peer: try #require(mesh.peers[1])))
    let frame = FrameBuilder(sourceMAC: stationMAC(0), destinationMAC: stationMAC(4))
      .ipv6(nextHeader: 17, payload: [UInt8](repeating: 1, count: 1240))
    let left = try bridge.pass(frame, into: port(0))
    #expect(left.count == 1 && left[MemorySwitch.sockets]?.count == 1)
    #expect(try settled(bridge).sent == 1)
  }

  // MARK: Any frames

  @Test(arguments: fixedSeeds)
  func booksBalanceWhateverIsTooLong(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var options = MemorySwitch.Options()
    options.frameCount = 256
    options.ringCapacity = 64
    options.fillTarget = 32
    let bridge = try makeSwitch(options)
    _ = try bridge.joinMesh()
    for number in [0, 1] {
      try bridge.stop(port(number))
      try bridge.start(
        port(number), kind: .station, frameLengthMax: 80 + random.number(below: 1600))
    }
    for round in 0..<1_500 {
      let (bytes, target) = hostile(&random)
      _ = bridge.ports[target]?.arrive(bytes)
      guard random.number(below: 3) == 0 else { continue }
      _ = bridge.worker.breathe()
      if random.number(below: 4) == 0 { _ = bridge.drain() }
      let account = try bridge.account
      try #require(account.isBalanced, "\(random), round \(round): \(account)")
      try #require(bridge.knownChunkCount == options.frameCount, "\(random), round \(round)")
    }
    let account = try bridge.account
    #expect(account.copied > 100 && account.generated > 5, "\(random): \(account)")
  }

  /// A long frame, changed here and there, and a port for it.
  private func hostile(_ random: inout SeededGenerator) -> ([UInt8], PortIndex) {
    let (source, destination) = (random.number(below: 5), random.number(below: 6))
    var bytes =
      random.number(below: 3) == 0
      ? FrameBuilder(sourceMAC: stationMAC(source), destinationMAC: stationMAC(destination))
        .ipv6(nextHeader: 17, payload: random.bytes(random.number(below: 2500)))
      : long(
        from: source, to: destination, dontFragment: random.next() & 1 == 0,
        payloadLength: random.number(below: 2500))
    for _ in 0..<random.number(below: 3) {
      bytes[random.number(below: 40)] = UInt8(truncatingIfNeeded: random.next())
    }
    let chosen = random.number(below: 5)
    guard chosen > 2 else { return (bytes, port(chosen)) }
    guard chosen == 3 else { return (outer(from: 0, bytes), MemorySwitch.underlay) }
    let numbers = MemorySwitch.meshShortIDs
    let network = meshNetwork(
      from: numbers[1 + random.number(below: 3)], to: numbers[random.number(below: 4)])
    let peer = 1 + random.number(below: 2)
    return (meshOuter(fromPeer: peer, bytes, network: network), MemorySwitch.underlay)
  }
}

/// A datagram too long for 1514 bytes, from one station to another.
private func long(
  from source: Int, to destination: Int, dontFragment: Bool, payloadLength: Int = 2000
) -> [UInt8] {
  var builder = FrameBuilder(
    sourceMAC: stationMAC(source), destinationMAC: stationMAC(destination))
  builder.dontFragment = dontFragment
  builder.identification = 0x1234
  var generator = SeededGenerator(seed: UInt64(payloadLength))
  return builder.udp(
    sourcePort: 1000, destinationPort: 2000, payload: generator.bytes(payloadLength))
}

/// What the sender of a frame is told; `TooBigAnswerTests` says whether that is right.
private func answer(to frame: [UInt8], mtu: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 1298)
  var span = bytes.mutableSpan
  let length = writeTooBigAnswer(to: frame.span, mtu: mtu, into: &span)
  return Array(bytes.prefix(length ?? 0))
}

/// Frames are the pieces of another one, of which none is longer than `limit`.
private func expectPieces(_ pieces: [[UInt8]], of frame: [UInt8], limit: Int) throws {
  #expect(pieces.count > 1 && pieces.allSatisfy { $0.count <= limit })
  var payload: [UInt8] = []
  for (index, piece) in pieces.enumerated() {
    try #require(piece.count > 34)
    #expect(internetChecksum(Array(piece[14..<34])) == 0)
    #expect(Array(piece[0..<16]) == Array(frame[0..<16]))
    let more: UInt16 = index < pieces.count - 1 ? 0x2000 : 0
    #expect(Array(piece[20..<22]) == octets(more | UInt16(payload.count / 8)))
    payload += piece[34...]
  }
  #expect(payload == Array(frame[34...]))
}
