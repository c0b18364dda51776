// SPDX-License-Identifier: Apache-2.0

import Tables
import Testing

/// How keys spread over leaves, and what happens when one is full all the same.
@Suite struct PagedTableLeafTests {
  /// Addresses as machines hand them out: one behind the other, in steps of some byte.
  @Test(arguments: [UInt64(0), 8, 16, 24, 32], [UInt64(1), 2, 3, 0x9E37_79B9_7F4A_7C15])
  func sequencesOfAddressesFillLeavesEvenly(shift: UInt64, seed: UInt64) {
    let header = PagedTableHeader(seed: seed)
    for leafCount in [512, 2048, 8192] {
      var counts = [Int](repeating: 0, count: leafCount)
      for number in 0..<UInt64(leafCount * PagedTableHeader.slotsPerLeaf / 2) {
        let address = (0x0242_AC11_0000 &+ (number << shift | number >> (48 - shift)))
        let key = 1 << 48 | address & 0xFFFF_FFFF_FFFF
        counts[Int(header.hash(key) >> 8) & (leafCount - 1)] += 1
      }
      // 128 on average; of random keys, the fullest of these leaves has about 175.
      #expect(counts.max() ?? 0 < 210, "\(leafCount) leaves")
    }
  }

  @Test func fullLeafRefusesAndKeepsOneSlotEmpty() throws {
    var arena = try makeArena(pages: 64)
    var table = try makeTable(seed: 1, in: &arena)
    // However often the table doubles, all of these stay in leaf 0.
    var keys: [UInt64] = []
    var key: UInt64 = 0
    while keys.count < 256 {
      key += 1
      if table.header.hash(key) >> 8 & 0xFF == 0 { keys.append(key) }
    }
    for key in keys.prefix(255) { try #require(table.store(key, for: key, arena: &arena) == true) }
    #expect(table.store(1, for: keys[255], arena: &arena) == false)
    #expect(table.header.count == 255)
    let published = PublishedTable(table.header, memory: arena.memory)
    let model = Dictionary(uniqueKeysWithValues: keys.prefix(255).map { ($0, $0) })
    #expect(
      published.matches(model, absent: keys), "and probing for the one that is not there ends")
    #expect(table.store(7, for: keys[0], arena: &arena) == true, "what is there can be replaced")
    #expect(table.remove(keys[0], arena: &arena) == true)
    #expect(table.store(1, for: keys[255], arena: &arena) == true)
  }
}
