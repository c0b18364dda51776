// SPDX-License-Identifier: Apache-2.0

import Tables
import Testing

/// What a test build notices of pages that somebody reads too early or too late.
@Suite struct PageStampsTests {
  @Test func readersOfTheirOwnGenerationViolateNothing() throws {
    var scene = try StampedScene()
    let first = scene.publish()
    let second = scene.publish()
    for reader in [first, second] {
      #expect((1...StampedScene.keyCount).allSatisfy { reader.value(for: $0) == $0 })
    }
    #expect(scene.violationCount == 0)
  }

  #if WEFT_STAMPS
  @Test func pageTakenBackTooEarlyIsCountedAndNotFollowed() throws {
    var scene = try StampedScene()
    let reader = scene.publish()
    scene.rewrite()
    // Nobody has left the generation of `reader`.
    scene.arena.reclaim(observed: scene.arena.pending)
    #expect(reader.value(for: 1) == PagedTableReader.missing)
    #expect(scene.violationCount > 0)
  }

  @Test func pageHandedOutAgainIsTooNewForWhoeverStillReadsIt() throws {
    var scene = try StampedScene()
    let reader = scene.publish()
    scene.rewrite()
    scene.arena.reclaim(observed: scene.arena.pending)
    while scene.arena.allocate() != nil {}
    #expect(reader.value(for: 1) == PagedTableReader.missing)
    #expect(scene.violationCount > 0)
  }

  @Test func snapshotReadUnderAnotherGenerationsNumberIsTorn() throws {
    var scene = try StampedScene()
    _ = scene.publish()
    #expect(scene.violationCount == 0)
    _ = unsafe PageWitness(
      base: scene.arena.memory.base, root: scene.root.number, generation: scene.arena.pending)
    #expect(scene.violationCount == 1)
  }

  @Test func pageThatWasNeverHandedOutIsAViolation() throws {
    var scene = try StampedScene()
    _ = scene.publish()
    let witness = unsafe PageWitness(
      base: scene.arena.memory.base, root: scene.root.number,
      generation: scene.arena.pending - 1)
    #expect(witness.saw(scene.root.number))
    #expect(!witness.saw(UInt32(scene.arena.pageCount - 1)))
    #expect(!witness.saw(0), "and so is the page that is nobody's")
    #expect(scene.violationCount == 2)
  }
  #endif
}

/// A table behind a root page of its own, as in a snapshot.
private struct StampedScene: ~Copyable {
  var arena: PageArena
  private var table: PagedTableWriter
  private(set) var root = PageIndex.none

  static let keyCount: UInt64 = 1000

  init() throws {
    var arena = try makeArena(pages: 200)
    table = try makeTable(seed: 1, in: &arena)
    for key in 1...StampedScene.keyCount { _ = table.store(key, for: key, arena: &arena) }
    self.arena = arena
  }

  var violationCount: Int { PageStamps.violationCount(in: arena.memory) }

  /// Publishes the table as it is; the reader is valid as long as the scene.
  mutating func publish() -> PagedTableReader {
    root = arena.allocate() ?? .none
    let header = unsafe arena.pointer(root).assumingMemoryBound(to: PagedTableHeader.self)
    unsafe header.initialize(to: table.header)
    let base = unsafe arena.memory.base
    let witness = unsafe PageWitness(base: base, root: root.number, generation: arena.pending)
    arena.advance()
    return unsafe PagedTableReader(base: base, header: header, witness: witness)
  }

  /// Replaces everything, so that the published leaves are given up.
  mutating func rewrite() {
    for key in 1...StampedScene.keyCount { _ = table.store(key + 1, for: key, arena: &arena) }
  }
}
