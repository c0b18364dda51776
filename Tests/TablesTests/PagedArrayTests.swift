// SPDX-License-Identifier: Apache-2.0

import Tables
import TestSupport
import Testing

/// 48 bytes: does not divide a page.
struct Record: BitwiseCopyable, Equatable {
  var number: UInt64
  var rest: (UInt64, UInt64, UInt64, UInt64, UInt64)

  init(_ number: UInt64) {
    self.number = number
    rest = (number, number, number, number, ~number)
  }

  static func == (left: Record, right: Record) -> Bool {
    left.number == right.number && left.rest == right.rest
  }
}

@Suite struct PagedArrayTests {
  @Test func emptyArrayNeedsNoPage() throws {
    let arena = try makeArena(pages: 2)
    let array = PagedArrayWriter<Record>()
    #expect(array.count == 0)
    #expect(arena.freeCount == 1)
    #expect(PagedArrayWriter<Record>.capacity == 85 * 128)
  }

  @Test(arguments: UInt64(0)..<12)
  func behavesAsAnArrayAndKeepsOldVersions(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var arena = try makeArena(pages: 200)
    var array = PagedArrayWriter<Record>()
    var model: [Record] = []
    var versions: [(generation: UInt64, header: PagedArrayHeader, model: [Record])] = []
    for step in UInt64(0)..<3000 {
      switch random.number(below: 10) {
      case 0..<5:
        #expect(array.store(Record(step), at: model.count, arena: &arena) == true, "seed \(seed)")
        model.append(Record(step))
      case 5..<7 where !model.isEmpty:
        let index = random.number(below: model.count)
        #expect(array.store(Record(step), at: index, arena: &arena) == true, "seed \(seed)")
        model[index] = Record(step)
        #expect(array.element(at: index, in: arena) == Record(step), "seed \(seed)")
      case 7..<9 where !model.isEmpty:
        for _ in 0...random.number(below: min(3, model.count)) where !model.isEmpty {
          array.removeLast(arena: &arena)
          model.removeLast()
        }
      default:
        versions.append((arena.pending, array.header, model))
        arena.advance()
        guard versions.count > 5 else { continue }
        versions.removeFirst()
        arena.reclaim(observed: versions[0].generation)
      }
      #expect(array.count == model.count)
    }
    versions.append((arena.pending, array.header, model))
    for version in versions {
      #expect(elements(version.header, in: arena.memory) == version.model, "seed \(seed)")
    }
    while array.count > 0 { array.removeLast(arena: &arena) }
    arena.advance()
    arena.reclaim(observed: arena.pending)
    #expect(arena.freeCount == 199, "no page is lost, seed \(seed)")
  }

  @Test func fullArrayRefusesAndKeepsItsElements() throws {
    var arena = try makeArena(pages: 200)
    var array = PagedArrayWriter<Record>()
    let capacity = PagedArrayWriter<Record>.capacity
    for index in 0..<capacity {
      try #require(array.store(Record(UInt64(index)), at: index, arena: &arena) == true)
    }
    #expect(array.store(Record(1), at: capacity, arena: &arena) == false)
    #expect(array.count == capacity)
    #expect(elements(array.header, in: arena.memory) == (0..<UInt64(capacity)).map(Record.init))
  }

  @Test func fullArenaLeavesTheArrayIntact() throws {
    var arena = try makeArena(pages: 3)
    var array = PagedArrayWriter<Record>()
    var index = 0
    while array.store(Record(UInt64(index)), at: index, arena: &arena) { index += 1 }
    #expect(index == 2 * 85)
    arena.advance()
    #expect(array.store(Record(9), at: 0, arena: &arena) == false)
    #expect(elements(array.header, in: arena.memory) == (0..<UInt64(index)).map(Record.init))
    array.removeLast(arena: &arena)
    #expect(array.count == index - 1)
  }

  @Test func oneChangeCopiesOnePage() throws {
    var arena = try makeArena(pages: 200)
    var array = PagedArrayWriter<Record>()
    for index in 0..<5000 { _ = array.store(Record(1), at: index, arena: &arena) }
    arena.advance()
    let before = arena.freeCount
    #expect(array.store(Record(2), at: 4000, arena: &arena) == true)
    #expect(array.store(Record(2), at: 4001, arena: &arena) == true)
    #expect(before - arena.freeCount == 1)
  }

  @Test func indexBehindTheEndTraps() async {
    await #expect(processExitsWith: .failure) {
      var arena = try makeArena(pages: 3)
      var array = PagedArrayWriter<Record>()
      _ = array.store(Record(1), at: 1, arena: &arena)
    }
  }
}

private func elements(_ header: PagedArrayHeader, in memory: MappedMemory) -> [Record] {
  unsafe withUnsafePointer(to: header) { pointer in
    let reader = unsafe PagedArrayReader<Record>(base: memory.base, header: pointer)
    return (0..<reader.count).map { reader[$0] }
  }
}
