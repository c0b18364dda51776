// SPDX-License-Identifier: Apache-2.0

import Tables
import TestSupport
import Testing

@Suite struct PageArenaTests {
  @Test func pageZeroIsNeverHandedOut() throws {
    var arena = try makeArena(pages: 4)
    #expect(arena.pageCount == 4)
    #expect(arena.freeCount == 3)
    let pages = (0..<5).map { _ in arena.allocate() }
    #expect(pages.map { $0?.number } == [1, 2, 3, nil, nil])
    #expect(arena.freeCount == 0)
  }

  @Test func arenaOfOnePageHasNone() throws {
    var arena = try makeArena(pages: 1)
    #expect(arena.freeCount == 0)
    #expect(arena.allocate() == nil)
  }

  @Test func allocatedPagesAreZeroedAlsoWhenUsedBefore() throws {
    var arena = try makeArena(pages: 2)
    let first = try arena.newPage()
    write(7, to: first, in: arena)
    arena.retire(first)
    let second = try arena.newPage()
    #expect(second == first)
    #expect(read(second, in: arena) == 0)
  }

  @Test func pageOfThePendingGenerationIsWrittenInPlace() throws {
    var arena = try makeArena(pages: 4)
    let page = try arena.newPage()
    #expect(arena.writable(page) == page)
    #expect(arena.retiredCount == 0)
  }

  @Test func publishedPageIsCopiedOnceAndTheOriginalKept() throws {
    var arena = try makeArena(pages: 4)
    let page = try arena.newPage()
    write(7, to: page, in: arena)
    arena.advance()
    let copy = arena.writable(page) ?? .none
    #expect(copy != page && copy != .none)
    #expect(read(copy, in: arena) == 7)
    write(8, to: copy, in: arena)
    #expect(read(page, in: arena) == 7)
    #expect(arena.retiredCount == 1)
    #expect(arena.writable(copy) == copy)
    #expect(arena.retiredCount == 1)
  }

  @Test func unpublishedPageIsFreeAtOnceAndAPublishedOneIsNot() throws {
    var arena = try makeArena(pages: 2)
    let page = try arena.newPage()
    arena.retire(page)
    #expect(arena.freeCount == 1)
    #expect(arena.retiredCount == 0)
    _ = arena.allocate()
    arena.advance()
    arena.retire(page)
    #expect(arena.freeCount == 0)
    #expect(arena.retiredCount == 1)
  }

  @Test func reclaimTakesBackOnlyWhatEveryReaderHasLeft() throws {
    var arena = try makeArena(pages: 8)
    let pages = try (0..<3).map { _ in try arena.newPage() }
    for page in pages {
      arena.advance()
      arena.retire(page)
    }
    // Retired in generations 2, 3 and 4.
    #expect(arena.pending == 4)
    #expect(arena.retiredCount == 3)
    for (observed, left) in [(UInt64(0), 3), (1, 3), (2, 2), (2, 2), (3, 1), (9, 0)] {
      arena.reclaim(observed: observed)
      #expect(arena.retiredCount == left, "observed \(observed)")
      #expect(arena.freeCount == 7 - left, "observed \(observed)")
    }
  }

  @Test func failedCopyChangesNothing() throws {
    var arena = try makeArena(pages: 2)
    let page = try arena.newPage()
    write(7, to: page, in: arena)
    arena.advance()
    #expect(arena.writable(page) == nil)
    #expect(arena.retiredCount == 0)
    #expect(arena.freeCount == 0)
    #expect(read(page, in: arena) == 7)
  }

  /// Readers stand in generations of their own choice; no page that one can see is handed out.
  @Test(arguments: UInt64(0)..<20)
  func noPageIsHandedOutWhileAReaderCanSeeIt(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var arena = try makeArena(pages: 40)
    var current: [PageIndex] = []
    var published: [(generation: UInt64, pages: [PageIndex], values: [UInt64])] = []
    for step in UInt64(1)...2000 {
      switch random.number(below: 4) {
      case 0:
        if current.count < 12, let page = arena.allocate() {
          write(step, to: page, in: arena)
          current.append(page)
        }
      case 1 where !current.isEmpty:
        let index = random.number(below: current.count)
        if let page = arena.writable(current[index]) {
          write(step, to: page, in: arena)
          current[index] = page
        }
      case 2 where !current.isEmpty:
        arena.retire(current.remove(at: random.number(below: current.count)))
      default:
        published.append((arena.pending, current, current.map { read($0, in: arena) }))
        arena.advance()
        if random.number(below: 2) == 0 {
          published.removeFirst(random.number(below: published.count))
          arena.reclaim(observed: published[0].generation)
        }
      }
      for version in published {
        #expect(
          version.pages.map { read($0, in: arena) } == version.values,
          "seed \(seed), step \(step)")
      }
      #expect(arena.freeCount + arena.retiredCount + current.count <= 39, "seed \(seed)")
    }
    for page in current { arena.retire(page) }
    arena.advance()
    arena.reclaim(observed: arena.pending)
    #expect(arena.freeCount == 39, "no page is lost, seed \(seed)")
  }
}

func makeArena(pages: Int) throws -> PageArena {
  PageArena(memory: try MappedMemory(length: pages * MappedMemory.pageLength, name: "weft-test"))
}

/// `#expect` and `#require` take calls apart and then cannot pass an arena on, as it is not
/// copyable; comparisons they leave whole, hence the many `== true`.
extension PageArena {
  mutating func newPage() throws -> PageIndex {
    guard let page = allocate() else { throw ArenaIsFull() }
    return page
  }
}

struct ArenaIsFull: Error {}

/// Writes the first and the last word of a page.
private func write(_ value: UInt64, to page: PageIndex, in arena: borrowing PageArena) {
  let pointer = unsafe arena.pointer(page)
  unsafe pointer.storeBytes(of: value, as: UInt64.self)
  unsafe pointer.storeBytes(of: value, toByteOffset: 4088, as: UInt64.self)
}

/// What `write` wrote, or all ones where the two words differ.
private func read(_ page: PageIndex, in arena: borrowing PageArena) -> UInt64 {
  let pointer = unsafe arena.pointer(page)
  let first = unsafe pointer.load(as: UInt64.self)
  let last = unsafe pointer.load(fromByteOffset: 4088, as: UInt64.self)
  return first == last ? first : .max
}
