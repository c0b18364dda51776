// SPDX-License-Identifier: Apache-2.0

import Gob
import TestSupport
import Testing

/// The structures of Weave's address and name channels, against bytes that its Go types gave.
@Suite struct WeaveExampleTests {
  private static let entry = GobType.structure(
    name: "Entry",
    fields: [
      GobField("ContainerID", .string), GobField("Origin", .uint), GobField("Addr", .uint),
      GobField("Hostname", .string), GobField("Version", .int), GobField("Tombstone", .int),
    ])
  private static let names = GobType.structure(
    name: "GossipData",
    fields: [
      GobField("Timestamp", .int),
      GobField("Entries", .sequence(name: "Entries", element: entry)),
    ])
  private static let namesPrefix = hexadecimal(
    """
    33 ff810301010a476f737369704461746101ff82000102010954696d657374616d700104000107456e74726965
    7301ff86000000
    16 ff8502010107456e747269657301ff860001ff840000
    5e ff8303010105456e74727901ff84000106010b436f6e7461696e65724944010c0001064f726967696e010600
    0104416464720106000108486f73746e616d65010c00010756657273696f6e0104000109546f6d6273746f6e65
    0104000000
    """)

  @Test func namesAreAsGoWritesThem() throws {
    var entry = GobStructure([
      "ContainerID": .string("c1"), "Origin": .uint(0x0200_0000_000A), "Addr": .uint(0x0A20_0001),
      "Hostname": .string("c1.weave.local."),
    ])
    func encoded(_ entries: [GobValue]) -> [UInt8] {
      var encoder = GobEncoder()
      encoder.encode(
        .structure(
          GobStructure(["Timestamp": .int(1_700_000_000), "Entries": .sequence(entries)])),
        as: Self.names)
      return encoder.bytes
    }
    #expect(encoded([]) == Self.namesPrefix + hexadecimal("09 ff82 01 fccaa7e200 00"))
    let live = hexadecimal(
      """
      2f ff82 01 fccaa7e200 01 01 01 02 6331 01 fa02000000000a 01 fc0a200001
      01 0f 63312e77656176652e6c6f63616c2e 00 00
      """)
    #expect(encoded([.structure(entry)]) == Self.namesPrefix + live)
    entry.fields.append(.init(name: "Version", value: .int(1)))
    entry.fields.append(.init(name: "Tombstone", value: .int(1_700_000_100)))
    let tombstone = hexadecimal(
      """
      37 ff82 01 fccaa7e200 01 01 01 02 6331 01 fa02000000000a 01 fc0a200001
      01 0f 63312e77656176652e6c6f63616c2e 01 02 01 fccaa7e2c8 00 00
      """)
    #expect(encoded([.structure(entry)]) == Self.namesPrefix + tombstone)
  }

  private static let node = GobType.structure(
    name: "", fields: [GobField("Name", .uint), GobField("UID", .uint)])
  private static let proposal = GobType.structure(
    name: "ProposalID", fields: [GobField("Round", .uint), GobField("Proposer", node)])
  private static let accepted = GobType.structure(
    name: "AcceptedValue",
    fields: [
      GobField("Value", .sequence(name: "Value", element: .uint)), GobField("Origin", proposal),
    ])
  private static let claims = GobType.structure(
    name: "",
    fields: [
      GobField("Promise", proposal), GobField("Accepted", proposal),
      GobField("AcceptedVal", accepted),
    ])
  private static let ring = GobType.structure(
    name: "Ring",
    fields: [
      GobField("Start", .uint), GobField("End", .uint), GobField("Peer", .uint),
      GobField(
        "Entries",
        .sequence(
          name: "entries",
          element: .structure(
            name: "",
            fields: [
              GobField("Token", .uint), GobField("Peer", .uint), GobField("Version", .uint),
              GobField("Free", .uint),
            ]))),
      GobField("Seeds", .sequence(name: "[]mesh.PeerName", element: .uint)),
    ])
  private static let addresses = GobType.structure(
    name: "gossipState",
    fields: [
      GobField("Now", .int),
      GobField("Nicknames", .map(name: "map[mesh.PeerName]string", key: .uint, element: .string)),
      GobField("Paxos", .map(name: "GossipState", key: node, element: claims)),
      GobField("Ring", ring),
    ])
  private static let addressesPrefix = hexadecimal(
    """
    45 ff810301010b676f73736970537461746501ff8200010401034e6f7701040001094e69636b6e616d657301ff
    840001055061786f7301ff9000010452696e6701ff92000000
    28 ff83040101186d61705b6d6573682e506565724e616d655d737472696e6701ff84000106010c0000
    1d ff8f0401010b476f73736970537461746501ff900001ff8601ff880000
    1d ff85030102ff8600010201044e616d6501060001035549440106000000
    38 ff87030102ff88000103010750726f6d69736501ff8a000108416363657074656401ff8a00010b4163636570
    74656456616c01ff8c000000
    30 ff890301010a50726f706f73616c494401ff8a0001020105526f756e64010600010850726f706f7365720
    1ff86000000
    32 ff8b0301010d416363657074656456616c756501ff8c000102010556616c756501ff8e0001064f726967696e
    01ff8a000000
    13 ff8d0201010556616c756501ff8e0001060000
    45 ff910301010452696e6701ff92000105010553746172740106000103456e6401060001045065657201060001
    07456e747269657301ff96000105536565647301ff98000000
    16 ff9502010107656e747269657301ff960001ff940000
    34 ff93030102ff940001040105546f6b656e010600010450656572010600010756657273696f6e010600010446
    7265650106000000
    1d ff970201010f5b5d6d6573682e506565724e616d6501ff980001060000
    """)

  private static let nodeA = GobValue.structure(
    GobStructure(["Name": .uint(0x0200_0000_000A), "UID": .uint(0x1122_3344_5566_7788)]))
  private static let nothing = GobValue.structure(
    GobStructure(["Round": .uint(0), "Proposer": .structure(GobStructure([:]))]))

  private func state(_ rest: GobStructure) -> [UInt8] {
    var state = GobStructure([
      "Now": .int(1_700_000_000),
      "Nicknames": .map([GobEntry(.uint(0x0200_0000_000A), .string("hostA"))]),
    ])
    state.fields += rest.fields
    var encoder = GobEncoder()
    encoder.encode(.structure(state), as: Self.addresses)
    return encoder.bytes
  }

  private func promise() -> GobStructure {
    let promise = GobStructure(["Round": .uint(1), "Proposer": Self.nodeA])
    let claims = GobStructure([
      "Promise": .structure(promise), "Accepted": Self.nothing,
      "AcceptedVal": .structure(GobStructure(["Origin": Self.nothing])),
    ])
    return GobStructure(["Paxos": .map([GobEntry(Self.nodeA, .structure(claims))])])
  }

  private func ring() -> GobStructure {
    func entry(_ token: UInt64, _ peer: UInt64) -> GobValue {
      .structure(
        GobStructure(["Token": .uint(token), "Peer": .uint(peer), "Free": .uint(0x8_0000)]))
    }
    let a: UInt64 = 0x0200_0000_000A
    return GobStructure([
      "Ring": .structure(
        GobStructure([
          "Start": .uint(0x0A20_0000), "End": .uint(0x0A30_0000), "Peer": .uint(a),
          "Entries": .sequence([entry(0x0A20_0000, a), entry(0x0A28_0000, a + 1)]),
          "Seeds": .sequence([.uint(a), .uint(a + 1)]),
        ]))
    ])
  }

  @Test func addressesBeforeTheRingAreAsGoWritesThem() {
    let start = "ff82 01 fccaa7e200 01 01 fa02000000000a 05 686f737441"
    #expect(
      state(GobStructure(["Paxos": .map([])]))
        == Self.addressesPrefix + hexadecimal("1a" + start + "01 00 00"))
    #expect(state(GobStructure([:])) == Self.addressesPrefix + hexadecimal("18" + start + "00"))
    let node = "01 fa02000000000a 01 f81122334455667788 00"
    let claims = "01 01 01 01 \(node) 00 01 02 00 00 01 02 02 00 00 00 00"
    #expect(
      state(promise())
        == Self.addressesPrefix + hexadecimal("50 \(start) 01 01 \(node) \(claims) 00"))
  }

  @Test func theRingIsAsGoWritesIt() {
    let value = hexadecimal(
      """
      68 ff82 01 fccaa7e200 01 01 fa02000000000a 05 686f737441 02
      01 fc0a200000 01 fc0a300000 01 fa02000000000a
      01 02 01 fc0a200000 01 fa02000000000a 02 fd080000 00
      01 fc0a280000 01 fa02000000000b 02 fd080000 00
      01 02 fa02000000000a fa02000000000b 00 00
      """)
    #expect(state(ring()) == Self.addressesPrefix + value)
  }

  @Test func anElectorWithoutClaimsDiffersFromAnObserver() throws {
    for (rest, expected) in [
      (GobStructure(["Paxos": .map([])]), [GobEntry]()), (GobStructure([:]), nil),
    ] {
      var decoder = GobDecoder(state(rest))
      let value = try #require(try decoder.next()).structure(at: 0)
      #expect(try value.map("Paxos") == expected)
      #expect(try value.structure("Ring") == nil)
    }
  }
}
