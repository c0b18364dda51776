// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Sealing
import TestSupport
import Testing

/// Packets of ESP that nobody well-meaning sends, or that come too early or too late.
struct SealedForgeryTests {
  private let inner = frame(from: 1, to: 2, payloadLength: 60)

  private func good(_ bench: DecryptBench) throws -> [UInt8] {
    DecryptBench.outer(try bench.packet(inner, via: 1, from: 1), from: 1)
  }

  @Test func everyChangedByteIsFoundAndThePacketItselfStillOpens() throws {
    let bench = try DecryptBench()
    let outer = try good(bench)
    for index in outer.indices.dropFirst(12) {
      for bit in [0, 3, 7] {
        var changed = outer
        changed[index] ^= 1 << UInt8(bit)
        try #require(try bench.pass(changed).isEmpty, "byte \(index)")
        if 14..<34 ~= index { try #require(try bench.pass(resummed(changed)).isEmpty, "\(index)") }
      }
    }
    let account = try bench.bridge.account
    #expect(account.dropped(.securityUnknown) == 4 * 3)
    // A number of 0 is too old.
    #expect(
      account.dropped(.notAuthentic) + account.dropped(.replayed) == UInt64(outer.count - 38) * 3)
    #expect(account.received == account.ends && account.sent == 0)
    #expect(try bench.pass(outer) == [port(1): [inner]])
    #expect(try bench.isInOrder())
  }

  /// From another address, with a right checksum: not all that is in an outer header is checked, as
  /// some of it may change on the way.
  private func resummed(_ frame: [UInt8]) -> [UInt8] {
    var frame = frame
    frame[29] ^= 0x40
    frame.replaceSubrange(24..<26, with: [0, 0])
    frame.replaceSubrange(24..<26, with: octets(internetChecksum(Array(frame[14..<34]))))
    return frame
  }

  @Test func whatIsCutOffAnywhereIsRefused() throws {
    let bench = try DecryptBench()
    let outer = try good(bench)
    for length in outer.indices {
      try #require(try bench.pass(Array(outer.prefix(length))).isEmpty)
    }
    #expect(try bench.bridge.account.dropped(.outerMalformed) == UInt64(outer.count))
    let packet = Array(outer[34...])
    for length in packet.indices {
      try #require(
        try bench.pass(DecryptBench.outer(Array(packet.prefix(length)), from: 1)).isEmpty)
    }
    let account = try bench.bridge.account
    #expect(account.dropped(.outerMalformed) == UInt64(outer.count + 32))
    #expect(account.dropped(.notAuthentic) == UInt64(packet.count - 32))
    #expect(try bench.pass(outer) == [port(1): [inner]])
    #expect(try bench.isInOrder())
  }

  @Test func whatOpenedOnceDoesNotOpenAgain() throws {
    let bench = try DecryptBench()
    let outer = try good(bench)
    #expect(try bench.pass(all: [outer, outer, outer]) == [port(1): [inner]])
    #expect(try bench.pass(outer).isEmpty)
    #expect(try bench.bridge.account.dropped(.replayed) == 3)
    #expect(try bench.isInOrder())
  }

  @Test func packetOfOneNeighbourIsNotTakenFromAnotherAddress() throws {
    let bench = try DecryptBench()
    let packet = try bench.packet(inner, via: 1, from: 1)
    #expect(try bench.pass(DecryptBench.outer(packet, from: 2)).isEmpty)
    #expect(try bench.pass(DecryptBench.outer(packet, from: 77)).isEmpty)
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 2)
    // Nor does the key of one open what says that it is of the other.
    var renamed = packet
    renamed.replaceSubrange(0..<4, with: octets(MemorySwitch.identifier(from: 2, .vxlan)))
    #expect(try bench.pass(DecryptBench.outer(renamed, from: 2)).isEmpty)
    #expect(try bench.bridge.account.dropped(.notAuthentic) == 1)
    #expect(try bench.pass(DecryptBench.outer(packet, from: 1)) == [port(1): [inner]])
    #expect(try bench.isInOrder())
  }

  @Test func ownPacketsThatComeBackAreRefused() throws {
    let bench = try DecryptBench()
    let text = DecryptBench.text(inner, network: DecryptBench.network(from: 1, to: 0))
    let own = try sealed(
      [UInt8](repeating: 0, count: 16) + text + [UInt8](repeating: 0, count: 16),
      by: bench.bridge.keys, key: #require(bench.mesh.sealing[1]))
    #expect(try bench.pass(DecryptBench.outer(own, from: 1)).isEmpty)
    #expect(try bench.bridge.account.dropped(.securityUnknown) == 1)
    let renamed = octets(MemorySwitch.identifier(from: 1, .vxlan)) + own.dropFirst(4)
    #expect(try bench.pass(DecryptBench.outer(renamed, from: 1)).isEmpty)
    #expect(try bench.bridge.account.dropped(.notAuthentic) == 1)
    #expect(try bench.isInOrder())
  }

  @Test func unknownSPIsAreRefusedAndSoIsALinkThatReceivesNothing() throws {
    let bench = try DecryptBench()
    let outer = try good(bench)
    for identifier: UInt32 in [0, 1, 0x1000_0000, 0x1000_0003, .max] {
      var other = outer
      other.replaceSubrange(34..<38, with: octets(identifier))
      #expect(try bench.pass(other).isEmpty)
    }
    #expect(try bench.bridge.account.dropped(.securityUnknown) == 5)
    bench.bridge.model.setLink(
      try #require(bench.mesh.links[1]), shortID: ShortID(MemorySwitch.meshShortIDs[1]),
      path: try bench.bridge.path(to: 1, bench.security, bench.mesh),
      receives: LinkReception(
        isReceiving: false, opening: bench.mesh.opening[1],
        identifiers: [MemorySwitch.identifier(from: 1, .vxlan)]))
    bench.bridge.publish()
    #expect(try bench.pass(outer).isEmpty)
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 1)
    #expect(try bench.isInOrder())
  }

  @Test func addressIsNotAskedForAsLongAsTheLinkIsNotResolved() throws {
    let bench = try DecryptBench()
    bench.bridge.model.setLink(
      try #require(bench.mesh.links[1]), shortID: ShortID(MemorySwitch.meshShortIDs[1]), path: nil,
      receives: LinkReception(
        isReceiving: true, opening: bench.mesh.opening[1],
        identifiers: [MemorySwitch.identifier(from: 1, .vxlan)]))
    bench.bridge.publish()
    #expect(try bench.pass(good(bench)) == [port(1): [inner]])
    // But it is one of a neighbour.
    let packet = try bench.packet(inner, via: 1, from: 1)
    #expect(try bench.pass(DecryptBench.outer(packet, from: 77)).isEmpty)
    #expect(try bench.bridge.account.dropped(.endpointUnknown) == 1)
  }

  @Test func removedKeyOpensNothing() throws {
    let bench = try DecryptBench()
    let outer = try good(bench)
    bench.bridge.keys.remove(try #require(bench.mesh.opening[1]))
    #expect(try bench.pass(outer).isEmpty)
    #expect(try bench.bridge.account.dropped(.securityUnknown) == 1)
    #expect(try bench.isInOrder())
  }

  @Test func clearPacketsOfANeighbourWhoSealsAreRefused() throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .plainVXLAN])
    let network = DecryptBench.network(from: 1, to: 0)
    #expect(try bench.pass(meshOuter(fromPeer: 1, inner, network: network)).isEmpty)
    let heartbeat = vxlanHeartbeat(1, length: 100)
    #expect(try bench.pass(meshOuter(fromPeer: 1, heartbeat, network: network)).isEmpty)
    let relayed = DecryptBench.network(from: 1, to: 2)
    #expect(try bench.pass(meshOuter(fromPeer: 1, inner, network: relayed)).isEmpty)
    #expect(try bench.bridge.account.dropped(.notSealed) == 3)
    #expect(bench.bridge.takeControlFrames().isEmpty)
    // Another neighbour may, also with what that one sent him.
    #expect(
      try bench.pass(meshOuter(fromPeer: 2, inner, network: network)) == [port(1): [inner]])
    #expect(try bench.isInOrder())
  }

  @Test func configuredEndpointAtANeighboursAddressMaySendInClear() throws {
    let bench = try DecryptBench()
    let endpoint = bench.bridge.model.addEndpoint(
      address: peerAddress(1), network: VirtualNetwork(bits: 99),
      underlayPort: MemorySwitch.underlay)
    #expect(endpoint != nil)
    bench.bridge.publish()
    let outer = FrameBuilder(source: peerAddress(1)).vxlan(network: 99, inner: inner)
    #expect(try bench.pass(outer) == [port(1): [inner]])
  }

  @Test func whatIsNoDatagramOfTheMeshInsideIsRefused() throws {
    let bench = try DecryptBench()
    let text = DecryptBench.text(
      inner, network: DecryptBench.network(from: 1, to: 0), blocks: 1)
    let end = text.count
    let changes: [(Int, UInt8)] = [
      (end - 1, 4), (end - 1, 59), (end - 1, 0), (end - 2, 255), (end - 2, 0),
      (end - 2, text[end - 2] + 1), (end - 3, 0), (4, 1), (5, text[5] + 1), (5, text[5] - 1),
      (5, 7), (8, 0), (2, 0), (3, 0),
    ]
    for (index, byte) in changes {
      var changed = text
      changed[index] = byte
      let sent = try bench.pass(DecryptBench.outer(bench.seal(changed, from: 1), from: 1))
      #expect(sent.isEmpty, "byte \(index) is \(byte)")
    }
    let short = (0..<14).map { DecryptBench.text([UInt8](repeating: 2, count: $0), network: 1) }
    let bare = (0..<14).map { [UInt8](repeating: 17, count: $0) } + [[0, 17], [1, 1, 17]]
    for text in short + bare {
      #expect(try bench.pass(DecryptBench.outer(bench.seal(text, from: 1), from: 1)).isEmpty)
    }
    #expect(
      try bench.bridge.account.dropped(.securityUnknown)
        == UInt64(changes.count + short.count + bare.count))
    #expect(try bench.isInOrder())
  }

  @Test func numbersThatNobodyHasAndOwnFramesAreRefused() throws {
    let bench = try DecryptBench()
    #expect(try bench.pass(inner, via: 1, from: 0).isEmpty)
    #expect(try bench.pass(inner, via: 1, from: 5).isEmpty)
    #expect(try bench.pass(inner, via: 1, from: 1, to: 5).isEmpty)
    #expect(try bench.bridge.account.dropped(.meshLoop) == 1)
    #expect(try bench.bridge.account.dropped(.peerUnknown) == 2)
    #expect(bench.bridge.takeHints().isEmpty)
    #expect(try bench.isInOrder())
  }

  @Test func fragmentsAndOtherProtocolsKeepTheirReasons() throws {
    let bench = try DecryptBench()
    var part = try good(bench)
    part[20] = 0x20
    part.replaceSubrange(24..<26, with: [0, 0])
    part.replaceSubrange(24..<26, with: octets(internetChecksum(Array(part[14..<34]))))
    #expect(try bench.pass(part).isEmpty)
    let builder = FrameBuilder(source: peerAddress(1), destination: MemorySwitch.ownAddress)
    #expect(try bench.pass(builder.ipv4(protocolNumber: 51, payload: inner)).isEmpty)
    #expect(try bench.pass(builder.ipv6(nextHeader: 50, payload: inner)).isEmpty)
    let account = try bench.bridge.account
    #expect(account.dropped(.outerFragment) == 1 && account.dropped(.outerNotUDP) == 2)
    #expect(try bench.isInOrder())
  }

  /// Packets with up to three bytes changed, cut or longer, with a right checksum.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func nothingChangedEverLeaves(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .sealedSleeve(.aes256gcm)])
    let packets = [
      try bench.packet(inner, via: 1, from: 1),
      try bench.datagram([sleeveRecord(from: 2, to: 0, inner)], from: 2),
    ]
    for round in 0..<2500 {
      var changed = packets[round % 2]
      for _ in 0...random.number(below: 3) {
        changed[random.number(below: changed.count)] ^= UInt8(1 + random.number(below: 255))
      }
      if round % 5 == 0 { changed.removeLast(random.number(below: changed.count)) }
      if round % 7 == 0 { changed += [UInt8](repeating: 3, count: random.number(below: 9)) }
      let outer =
        round % 2 == 0
        ? DecryptBench.outer(changed, from: 1) : sleeveOuter(fromPeer: 2, changed)
      let isSame = changed == packets[round % 2]
      #expect(try isSame || bench.pass(outer).isEmpty, "\(random), round \(round)")
      try #require(try bench.bridge.account.isBalanced, "\(random), round \(round)")
    }
    #expect(try bench.pass(DecryptBench.outer(packets[0], from: 1)) == [port(1): [inner]])
    #expect(try bench.pass(sleeveOuter(fromPeer: 2, packets[1])) == [port(1): [inner]])
    #expect(try bench.isInOrder())
  }
}
