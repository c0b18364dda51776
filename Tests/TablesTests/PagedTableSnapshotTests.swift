// SPDX-License-Identifier: Apache-2.0

import Tables
import TestSupport
import Testing

/// What readers of earlier headers see, and what a change costs.
@Suite struct PagedTableSnapshotTests {
  @Test(arguments: UInt64(0)..<8)
  func oldHeadersReadTheOldContent(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var arena = try makeArena(pages: 2000)
    var table = try makeTable(seed: random.next(), in: &arena)
    var model: [UInt64: UInt64] = [:]
    var versions: [(generation: UInt64, table: PublishedTable, model: [UInt64: UInt64])] = []
    for _ in 0..<40 {
      for _ in 0..<40 {
        let key = UInt64(1 + random.number(below: 900))
        if random.number(below: 3) == 0 {
          _ = table.remove(key, arena: &arena)
          model[key] = nil
        } else {
          let value = random.next() >> 1
          #expect(table.store(value, for: key, arena: &arena) == true, "seed \(seed)")
          model[key] = value
        }
      }
      let published = PublishedTable(table.header, memory: arena.memory)
      versions.append((arena.pending, published, model))
      arena.advance()
      if versions.count > 6 {
        versions.removeFirst(1 + random.number(below: 3))
        arena.reclaim(observed: versions[0].generation)
      }
      for version in versions {
        #expect(version.table.matches(version.model, absent: 1...900), "seed \(seed)")
      }
    }
  }

  @Test func oneChangeCopiesAtMostThreePages() throws {
    var arena = try makeArena(pages: 2048)
    var table = try makeTable(seed: 3, in: &arena)
    for key in UInt64(1)...20_000 { try #require(table.store(1, for: key, arena: &arena) == true) }
    #expect(table.header.leafMask == 255, "the next insertion does not double the table")
    for key: UInt64 in [5, 17_777, 20_001] {
      arena.advance()
      arena.reclaim(observed: arena.pending)
      let before = arena.freeCount
      #expect(table.store(2, for: key, arena: &arena) == true)
      #expect(before - arena.freeCount <= 3)
      #expect(arena.retiredCount <= 3)
      arena.advance()
      arena.reclaim(observed: arena.pending)
      #expect(arena.freeCount == before, "the copies' originals come back")
      #expect(table.remove(key, arena: &arena) == true)
      #expect(before - arena.freeCount <= 3)
    }
  }

  @Test func changeThatChangesNothingCopiesNothing() throws {
    var arena = try makeArena(pages: 16)
    var table = try makeTable(seed: 3, in: &arena)
    #expect(table.store(1, for: 1, arena: &arena) == true)
    arena.advance()
    let before = arena.freeCount
    #expect(table.remove(2, arena: &arena) == false)
    #expect(table.value(for: 1, in: arena) == 1)
    #expect(arena.freeCount == before)
  }

  /// For every size of arena: what was refused left everything as it was.
  @Test(arguments: 3...24)
  func fullArenaLeavesEverythingIntact(pages: Int) throws {
    var arena = try makeArena(pages: pages)
    var table = try makeTable(seed: 9, in: &arena)
    var model: [UInt64: UInt64] = [:]
    var refused = 0
    for key in UInt64(1)...3000 {
      if key % 50 == 0 { arena.advance() }
      if table.store(key, for: key, arena: &arena) { model[key] = key } else { refused += 1 }
    }
    #expect(refused > 0)
    let published = PublishedTable(table.header, memory: arena.memory)
    #expect(published.matches(model, absent: 1...3000))
    // Readers leave, pages come back, and the table goes on.
    arena.advance()
    arena.reclaim(observed: arena.pending)
    for key in model.keys.sorted() where table.remove(key, arena: &arena) {
      model[key] = nil
      arena.advance()
      arena.reclaim(observed: arena.pending)
    }
    #expect(PublishedTable(table.header, memory: arena.memory).matches(model, absent: 1...3000))
    if pages > 5 { #expect(model.isEmpty, "pages came back") }
  }

  @Test func tableNeedsTwoPages() throws {
    for pages in 1...2 {
      var arena = try makeArena(pages: pages)
      let free = arena.freeCount
      let table = PagedTableWriter(seed: 1, arena: &arena)
      #expect(table == nil)
      #expect(arena.freeCount == free)
    }
  }

  @Test func growthGivesItsOldPagesBack() throws {
    var arena = try makeArena(pages: 300)
    var table = try makeTable(seed: 1, in: &arena)
    for key in UInt64(1)...2049 {
      #expect(table.store(key, for: key, arena: &arena) == true)
      arena.advance()
      arena.reclaim(observed: arena.pending)
    }
    // 32 leaves and one directory.
    #expect(table.header.leafMask == 31)
    #expect(arena.freeCount == 299 - 33)
  }
}
