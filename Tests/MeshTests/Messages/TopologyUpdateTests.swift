// SPDX-License-Identifier: Apache-2.0

import Gob
import Inet
import Mesh
import TestSupport
import Testing

@Suite struct TopologyUpdateTests {
  private static let a = PeerName(bits: 0x0200_0000_000A)
  private static let b = PeerName(bits: 0x0200_0000_000B)
  private static let example = TopologyUpdate(peers: [
    PeerDescription(
      name: a, nickname: "hostA", uid: 0x1122_3344_5566_7788, version: 3, shortID: ShortID(0xABC),
      connections: [
        .init(peer: b, address: "10.9.0.2:6783", isOutbound: false, isEstablished: true)
      ]),
    PeerDescription(
      name: b, nickname: "hostB", uid: 0x99, version: 2, shortID: ShortID(0x123), connections: []),
  ])
  private static let summaryDefinition = hexadecimal(
    """
    62 ff830301010b7065657253756d6d61727901ff8400010601084e616d6542797465010a0001084e69636b4e616d65
    010c000103554944010600010756657273696f6e010600010753686f72744944010600010a48617353686f72744944
    0102000000
    """)
  /// Bytes that a Go program printed for the same update.
  private static let exampleBytes =
    summaryDefinition
    + hexadecimal(
      """
      24 ff84 01 06 02000000000a 01 05 686f737441 01 f8 1122334455667788 01 03 01 fe0abc 01 01 00
      0d ff87020102ff880001ff860000
      5b ff8503010111636f6e6e656374696f6e53756d6d61727901ff8600010401084e616d6542797465010a00010d52
      656d6f746554435041646472010c0001084f7574626f756e64010200010b45737461626c69736865640102000000
      1e ff88 00 01 01 06 02000000000b 01 0d 31302e392e302e323a36373833 02 01 00
      1d ff84 01 06 02000000000b 01 05 686f737442 01 ff99 01 02 01 fe0123 01 01 00
      04 ff88 00 00
      """)

  @Test func theExampleIsWrittenAsGoWritesIt() {
    #expect(Self.example.gob == Self.exampleBytes)
    let reversed = TopologyUpdate(peers: Self.example.peers.reversed())
    #expect(reversed.gob == Self.exampleBytes)
  }

  @Test func theExampleIsReadWhole() throws {
    #expect(try TopologyUpdate(gob: Self.exampleBytes) == Self.example)
    #expect(try TopologyUpdate(gob: []) == TopologyUpdate(peers: []))
  }

  @Test func aShortNumberCountsOnlyIfThereIsOne() throws {
    let type = GobType.structure(
      name: "", fields: [GobField("NameByte", .bytes), GobField("ShortID", .uint)])
    var encoder = GobEncoder()
    encoder.encode(
      .structure(GobStructure(["NameByte": .bytes(Self.a.octets), "ShortID": .uint(5)])), as: type)
    encoder.encode(.sequence([]), as: .sequence(element: .uint))
    let peer = try #require(try TopologyUpdate(gob: encoder.bytes).peers.first)
    #expect(peer.name == Self.a && peer.shortID == nil)
  }

  @Test(arguments: [
    ("NameByte of five bytes", GobValue.bytes([2, 0, 0, 0, 1]), GobValue.uint(1)),
    ("NameByte of seven bytes", .bytes([2, 0, 0, 0, 0, 0, 1]), .uint(1)),
    ("no NameByte", .bytes([]), .uint(1)),
    ("NameByte of zeros", .bytes([0, 0, 0, 0, 0, 0]), .uint(1)),
    ("ShortID of 13 bits", .bytes([2, 0, 0, 0, 0, 1]), .uint(4096)),
    ("ShortID of 64 bits", .bytes([2, 0, 0, 0, 0, 1]), .uint(.max)),
  ])
  func nonsenseIsLeftOut(what: String, name: GobValue, shortID: GobValue) throws {
    let type = GobType.structure(
      name: "",
      fields: [
        GobField("ShortID", .uint), GobField("HasShortID", .bool), GobField("NameByte", .bytes),
      ])
    var encoder = GobEncoder()
    encoder.encode(
      .structure(
        GobStructure(["ShortID": shortID, "HasShortID": .bool(true), "NameByte": name])), as: type)
    encoder.encode(.sequence([]), as: .sequence(element: .uint))
    // A peer that has only a bad number is there without one.
    let peers = try TopologyUpdate(gob: encoder.bytes).peers
    #expect(peers.count == (what.hasPrefix("ShortID") ? 1 : 0), "\(what)")
    #expect(peers.allSatisfy { $0.shortID == nil })
  }

  @Test func fieldsMayComeInAnyOrderAndWithOthers() throws {
    let type = GobType.structure(
      name: "x",
      fields: [
        GobField("Colour", .map(key: .string, element: .float)), GobField("UID", .uint),
        GobField("NameByte", .bytes),
      ])
    var encoder = GobEncoder(firstNumber: 1000)
    encoder.encode(
      .structure(
        GobStructure([
          "Colour": .map([GobEntry(.string("red"), .float(0.5))]), "UID": .uint(7),
          "NameByte": .bytes(Self.a.octets),
        ])), as: type)
    encoder.encode(.sequence([]), as: .sequence(element: type))
    let peer = try #require(try TopologyUpdate(gob: encoder.bytes).peers.first)
    #expect(peer.name == Self.a && peer.uid == 7 && peer.nickname.isEmpty)
  }

  @Test func connectionsOfPeersThatAreNoNewsAreNotRead() throws {
    let whole = try TopologyUpdate(gob: Self.exampleBytes)
    let first = try #require(whole.peers.first)
    let part = try TopologyUpdate(gob: Self.exampleBytes) { $0.name != first.name }
    #expect(part.peers.map(\.name) == whole.peers.map(\.name))
    #expect(part.peers.first?.connections == [] && !first.connections.isEmpty)
    #expect(part.peers.dropFirst().elementsEqual(whole.peers.dropFirst()))
  }

  @Test func aPeerWithoutItsConnectionsIsRefused() {
    var update = Self.exampleBytes
    update.removeLast(5)
    #expect(throws: GobError(.truncated, offset: update.count)) {
      try TopologyUpdate(gob: update)
    }
  }

  @Test func aNumberOfAnotherSignIsRefused() {
    let type = GobType.structure(
      name: "", fields: [GobField("NameByte", .bytes), GobField("UID", .int)])
    var encoder = GobEncoder()
    encoder.encode(
      .structure(GobStructure(["NameByte": .bytes(Self.a.octets), "UID": .int(7)])), as: type)
    encoder.encode(.sequence([]), as: .sequence(element: .uint))
    #expect {
      try TopologyUpdate(gob: encoder.bytes)
    } throws: { error in
      (error as? GobError)?.reason == .unexpectedType(expected: "an unsigned number")
    }
  }

  @Test func partsSayTogetherWhatTheWholeDoes() throws {
    var peers: [PeerDescription] = []
    for number in 1...40 as ClosedRange<UInt64> {
      var one = described(
        peer(0xFFFF_FFFF_F000 + number), uid: .max, version: .max, shortID: ShortID(4095),
        connectedWith: (1...number).map { peer($0) })
      one.nickname = String(repeating: "n", count: Int(number))
      peers.append(one)
    }
    let parts = TopologyUpdate(peers: peers).parts(lengthMax: 1000)
    #expect(parts.count > 10)
    #expect(parts.flatMap(\.peers) == peers)
    // Definitions of types come on top.
    let definitions = TopologyUpdate(peers: [described(peer(1), connectedWith: [peer(2)])]).gob
    for part in parts where part.peers.count > 1 {
      #expect(part.gob.count <= 1000 + definitions.count)
    }
    #expect(TopologyUpdate(peers: []).parts(lengthMax: 1000).isEmpty)
    #expect(TopologyUpdate(peers: peers).parts(lengthMax: 1 << 20).count == 1)
  }

  @Test func longestDescriptionThatIsKeptFitsOneMessage() {
    let limits = Topology.Limits()
    let length = limits.connectionCountOfPeer * (24 + limits.addressLength)
    #expect(length + limits.nicknameLength + 80 < TopologyUpdate.usualLengthMax)
    #expect(TopologyUpdate.usualLengthMax < 10 << 20)
  }
}
