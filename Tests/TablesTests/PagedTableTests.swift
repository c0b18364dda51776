// SPDX-License-Identifier: Apache-2.0

import Tables
import TestSupport
import Testing

@Suite struct PagedTableTests {
  @Test func emptyTableHasNothing() throws {
    var arena = try makeArena(pages: 8)
    let table = try makeTable(seed: 1, in: &arena)
    let published = PublishedTable(table.header, memory: arena.memory)
    #expect(published.matches([:], absent: [1, 2, .max]))
    #expect(table.value(for: 1, in: arena) == nil)
  }

  /// A frame can carry any key, and a caller can mistake 0 for one.
  @Test func keyZeroIsNeverThereAndCannotBeRemoved() throws {
    var arena = try makeArena(pages: 8)
    var table = try makeTable(seed: 1, in: &arena)
    for key in UInt64(1)...100 { #expect(table.store(key, for: key, arena: &arena) == true) }
    #expect(table.value(for: 0, in: arena) == nil)
    #expect(table.remove(0, arena: &arena) == false)
    #expect(table.header.count == 100)
    for key in UInt64(1)...100 { #expect(table.value(for: key, in: arena) == key) }
  }

  @Test func storeReplacesAndRemoveTakesOut() throws {
    var arena = try makeArena(pages: 8)
    var table = try makeTable(seed: 1, in: &arena)
    #expect(table.store(10, for: 1, arena: &arena) == true)
    #expect(table.store(11, for: 1, arena: &arena) == true)
    #expect(table.header.count == 1)
    #expect(table.value(for: 1, in: arena) == 11)
    #expect(table.remove(1, arena: &arena) == true)
    #expect(table.remove(1, arena: &arena) == false)
    #expect(table.header.count == 0)
    #expect(table.value(for: 1, in: arena) == nil)
  }

  /// Few keys, so that inserts, replacements and removals of the same key meet.
  @Test(arguments: UInt64(0)..<12)
  func behavesAsADictionary(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var arena = try makeArena(pages: 400)
    var table = try makeTable(seed: random.next(), in: &arena)
    var model: [UInt64: UInt64] = [:]
    let keyCount = 200 + random.number(below: 2000)
    for step in 0..<6000 {
      let key = UInt64(1 + random.number(below: keyCount)) << UInt64(seed % 4 * 12)
      switch random.number(below: 8) {
      case 0, 1, 2, 3:
        let value = random.next() >> 1
        #expect(table.store(value, for: key, arena: &arena) == true, "seed \(seed), step \(step)")
        model[key] = value
      case 4, 5, 6:
        let isRemoved = table.remove(key, arena: &arena)
        #expect(isRemoved == (model.removeValue(forKey: key) != nil), "seed \(seed)")
      default:
        arena.advance()
        arena.reclaim(observed: arena.pending)
      }
      #expect(Int(table.header.count) == model.count, "seed \(seed), step \(step)")
    }
    let published = PublishedTable(table.header, memory: arena.memory)
    let keys = (1...keyCount).map { UInt64($0) << UInt64(seed % 4 * 12) }
    #expect(published.matches(model, absent: keys), "seed \(seed)")
    for key in keys { #expect(table.value(for: key, in: arena) == model[key], "seed \(seed)") }
  }

  @Test func growsToAHundredThousandKeysAndBackToNone() throws {
    var arena = try makeArena(pages: 8192)
    var table = try makeTable(seed: 5, in: &arena)
    let count: UInt64 = 100_000
    // Addresses as one machine hands them out: one behind the other.
    let first: UInt64 = 1 << 48 | 0x0242_AC11_0000
    for key in first..<first + count {
      try #require(table.store(key - first, for: key, arena: &arena) == true)
    }
    let published = PublishedTable(table.header, memory: arena.memory)
    let reader = published.reader
    #expect(reader.count == Int(count))
    var wrongCount = 0
    for key in first..<first + count where reader.value(for: key) != key - first {
      wrongCount += 1
    }
    for key in first + count..<first + 2 * count
    where reader.value(for: key) != PagedTableReader.missing {
      wrongCount += 1
    }
    #expect(wrongCount == 0)
    for key in first..<first + count { try #require(table.remove(key, arena: &arena) == true) }
    #expect(table.header.count == 0)
  }

  /// All keys start in a few neighbouring slots, so that they make one run over the leaf's end.
  @Test(arguments: UInt64(0)..<20)
  func removalFromLongRunsLosesNoOther(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var arena = try makeArena(pages: 8)
    var table = try makeTable(seed: seed, in: &arena)
    var model: [UInt64: UInt64] = [:]
    var key: UInt64 = 0
    for _ in 0..<120 {
      key = table.key(startingAt: (248 + 4 * random.number(below: 3)) & 255, after: key)
      #expect(table.store(key, for: key, arena: &arena) == true)
      model[key] = key
    }
    for removed in model.keys.sorted().shuffled(using: &random) {
      #expect(table.remove(removed, arena: &arena) == true, "seed \(seed)")
      model[removed] = nil
      let published = PublishedTable(table.header, memory: arena.memory)
      #expect(published.matches(model, absent: [removed]), "seed \(seed)")
    }
  }

  @Test func storeAndRemoveRefuseWhereTheDocumentationSaysSo() async {
    await #expect(processExitsWith: .failure) {
      var arena = try makeArena(pages: 8)
      var table = PagedTableWriter(seed: 1, arena: &arena)
      _ = table?.store(1, for: 0, arena: &arena)
    }
    await #expect(processExitsWith: .failure) {
      var arena = try makeArena(pages: 8)
      var table = PagedTableWriter(seed: 1, arena: &arena)
      _ = table?.store(PagedTableReader.missing, for: 1, arena: &arena)
    }
  }
}
