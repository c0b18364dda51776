// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Sealing
import TestSupport
import Testing

/// Datagrams of sleeve that are sealed by any suite, opened together.
struct SleeveSuiteTests {
  private let inner = (0..<12).map { frame(from: 1, to: 2, payloadLength: 40 + $0) }

  private func outer(
    _ inner: [UInt8], _ bench: DecryptBench, key: UInt16? = nil, isFragmentable: Bool = false
  ) throws -> [UInt8] {
    let record = sleeveRecord(from: 2, to: 0, inner)
    return sleeveOuter(
      fromPeer: 2,
      try bench.datagram([record], from: 2, key: key, isFragmentable: isFragmentable))
  }

  @Test(arguments: CipherSuite.allCases)
  func datagramsOfABatchAreOpenedInTheirOrder(suite: CipherSuite) throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .sealedSleeve(suite)])
    let outers = try inner.enumerated().map {
      try outer($1, bench, isFragmentable: $0 % 3 == 1)
    }
    #expect(try bench.pass(all: outers) == [port(1): inner])
    #expect(try bench.pass(all: outers).isEmpty)
    #expect(try bench.bridge.account.dropped(.replayed) == 12)
    #expect(try bench.isInOrder())
  }

  @Test(arguments: CipherSuite.allCases)
  func badDatagramsOfABatchTakeNothingFromTheOthers(suite: CipherSuite) throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .sealedSleeve(suite)])
    var outers = try inner.map { try outer($0, bench) }
    for index in [0, 4, 11] { outers[index][90] ^= 1 }
    outers[5] = sleeveOuter(
      fromPeer: 2,
      sleeveDatagram(from: MemorySwitch.peerNames[2], [sleeveRecord(from: 2, to: 0, inner[5])]))
    outers[6] = sleeveOuter(fromPeer: 2, Array(outers[6][42..<70]))
    outers[7] = outers[8]
    let left = [1, 2, 3, 8, 9, 10].map { inner[$0] }
    #expect(try bench.pass(all: outers) == [port(1): left])
    let account = try bench.bridge.account
    #expect(account.dropped(.notAuthentic) == 4 && account.dropped(.sleeveMalformed) == 1)
    #expect(account.dropped(.replayed) == 1)
    #expect(try bench.isInOrder())
  }

  @Test(arguments: [CipherSuite.aes256gcm, .chacha20poly1305])
  func oldAndNewKeyOpenWhatTheySealed(suite: CipherSuite) throws {
    var bench = try DecryptBench([1: .sealedVXLAN, 2: .sealedSleeve(suite)])
    let old = try inner.map { try outer($0, bench) }
    try bench.rekey(2, generation: 1)
    let new = try inner.map { try outer($0, bench) }
    let mixed = (0..<6).flatMap { [new[$0], old[$0]] }
    #expect(
      try bench.pass(all: mixed) == [port(1): (0..<6).flatMap { [inner[$0], inner[$0]] }])
    try bench.rekey(2, generation: 2)
    #expect(try bench.pass(all: [old[7], new[7]]) == [port(1): [inner[7]]])
    // The identifier is authentic, too: one key's packet is not another's.
    var renamed = new[8]
    renamed[48] ^= 0x7F & (10 ^ 18)
    #expect(try bench.pass(renamed).isEmpty)
    #expect(try bench.bridge.account.dropped(.notAuthentic) == 2)
    #expect(try bench.isInOrder())
  }

  @Test(arguments: CipherSuite.allCases)
  func longDatagramIsOpenedInOnePiece(suite: CipherSuite) throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .sealedSleeve(suite)])
    let frames = (0..<20).map { frame(from: 1, to: 2, payloadLength: 1300 + $0) }
    let datagram = try bench.datagram(
      frames.map { sleeveRecord(from: 2, to: 0, $0) }, from: 2)
    var damaged = datagram
    damaged[20_000] ^= 1
    #expect(try bench.pass(sleeveOuter(fromPeer: 2, damaged)).isEmpty)
    #expect(try bench.pass(sleeveOuter(fromPeer: 2, datagram)) == [port(1): frames])
    #expect(try bench.isInOrder())
  }

  @Test func frameOfSealedSleeveGoesOnAsVXLAN() throws {
    let bench = try DecryptBench([1: .plainVXLAN, 2: .sealedSleeve(.chacha20poly1305)])
    let inner = frame(from: 5, to: 9)
    let datagram = try bench.datagram([sleeveRecord(from: 3, to: 1, inner)], from: 2)
    let sent = try bench.pass(sleeveOuter(fromPeer: 2, datagram))
    #expect(isPacket(sent[MemorySwitch.underlay]?.first, inner, via: 1, from: 3, to: 1))
    #expect(try bench.isInOrder())
  }

  @Test func everyOverlayOfABatchIsOpenedTogether() throws {
    let ways: [Int: NeighbourWay] = [
      1: .sealedVXLAN, 2: .sealedSleeve(.aes256gcm), 4: .sealedSleeve(.secretbox),
      5: .plainSleeve, 6: .sealedSleeve(.chacha20poly1305),
    ]
    let bench = try DecryptBench(ways)
    var outers: [[UInt8]] = []
    var early: [[UInt8]] = []
    var late: [[UInt8]] = []
    for round in 0..<12 {
      for neighbour in ways.keys.sorted() {
        let inner = frame(from: 1, to: 2, payloadLength: 10 * round + neighbour)
        guard neighbour > 1 else {
          outers.append(
            DecryptBench.outer(try bench.packet(inner, via: 1, from: 1), from: 1))
          early.append(inner)
          continue
        }
        let name = MemorySwitch.peerName(neighbour)
        let record = sleeveRecord(from: name, to: MemorySwitch.peerNames[0], inner)
        let datagram =
          try neighbour == 5
          ? sleeveDatagram(from: name, [record]) : bench.datagram([record], from: neighbour)
        outers.append(sleeveOuter(fromPeer: neighbour, datagram))
        late.append(inner)
      }
    }
    #expect(try bench.pass(all: outers) == [port(1): early + late])
    #expect(try bench.isInOrder())
  }
}
