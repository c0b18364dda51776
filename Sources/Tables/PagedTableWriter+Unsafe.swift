// SPDX-License-Identifier: Apache-2.0

/// Changes a paged hash table, one page copy a level, for readers that keep reading the old one.
///
/// The writer owns `header`; the caller stores it in a page and publishes that page. Changes return
/// false, having changed nothing a reader or a later call could trip over, when the arena has no
/// pages left or a leaf has no slot: the caller counts that and goes on.
///
/// Proof of safety: pages are reached through `PageArena.pointer`, which checks their number, and
/// slots by numbers below 256; pages are written only after `writable` made them private.
@safe
public struct PagedTableWriter: Sendable {
  /// Leads to the table as it is now.
  public private(set) var header: PagedTableHeader

  /// Makes an empty table of one leaf.
  ///
  /// Nil if the arena has no two pages left.
  public init?(seed: UInt64, arena: inout PageArena) {
    header = PagedTableHeader(seed: seed)
    guard arena.freeCount >= 2, let made = PagedTableWriter.build(leaves: 1, arena: &arena) else {
      return nil
    }
    header.directories[0] = made[0]
  }

  /// The value of `key`, or nil.
  public func value(for key: UInt64, in arena: borrowing PageArena) -> UInt64? {
    let leaf = leafIndex(of: key)
    let page = leafPage(leaf, in: arena)
    guard let slot = find(key, in: page, arena: arena) else { return nil }
    return unsafe slots(page, arena)[slot].value
  }

  /// Stores `value` under `key`, which is not 0; replaces what was there.
  public mutating func store(_ value: UInt64, for key: UInt64, arena: inout PageArena) -> Bool {
    precondition(key != 0 && value != PagedTableReader.missing, "0 and all ones have a meaning")
    let isFull = Int(header.count) >= leafCount * PagedTableHeader.slotsPerLeaf / 2
    if isFull, self.value(for: key, in: arena) == nil {
      guard leafCount < PagedTableHeader.leafCountMax, grow(arena: &arena) else { return false }
    }
    guard let page = writableLeaf(leafIndex(of: key), arena: &arena) else { return false }
    if let slot = find(key, in: page, arena: arena) {
      unsafe slots(page, arena)[slot].value = value
      return true
    }
    guard insert(key, value, into: page, arena: arena) else { return false }
    header.count += 1
    return true
  }

  /// Takes `key` out.
  ///
  /// False if it was not there, or the arena has no page for the change.
  public mutating func remove(_ key: UInt64, arena: inout PageArena) -> Bool {
    let leaf = leafIndex(of: key)
    guard find(key, in: leafPage(leaf, in: arena), arena: arena) != nil,
      let page = writableLeaf(leaf, arena: &arena),
      let slot = find(key, in: page, arena: arena)
    else { return false }
    closeGap(at: slot, in: page, arena: arena)
    header.count -= 1
    return true
  }

  // MARK: Leaves

  private var leafCount: Int { Int(header.leafMask) + 1 }

  private func leafIndex(of key: UInt64) -> Int {
    Int(header.hash(key) >> 8) & Int(header.leafMask)
  }

  private func leafPage(_ leaf: Int, in arena: borrowing PageArena) -> PageIndex {
    let directory = PageIndex(header.directories[leaf / PagedTableHeader.leavesPerDirectory])
    let numbers = unsafe arena.pointer(directory).assumingMemoryBound(to: UInt32.self)
    return PageIndex(unsafe numbers[leaf % PagedTableHeader.leavesPerDirectory])
  }

  /// Makes a leaf and the directory that leads to it private to the pending generation.
  private mutating func writableLeaf(_ leaf: Int, arena: inout PageArena) -> PageIndex? {
    guard arena.freeCount >= 2 else { return nil }
    let old = leafPage(leaf, in: arena)
    guard let page = arena.writable(old) else { return nil }
    if page == old { return page }
    let slot = leaf / PagedTableHeader.leavesPerDirectory
    guard let directory = arena.writable(PageIndex(header.directories[slot])) else { return nil }
    header.directories[slot] = directory.number
    let numbers = unsafe arena.pointer(directory).assumingMemoryBound(to: UInt32.self)
    unsafe numbers[leaf % PagedTableHeader.leavesPerDirectory] = page.number
    return page
  }

  // MARK: Slots

  private func homeSlot(of key: UInt64) -> Int { Int(PagedTableHeader.homeSlot(header.hash(key))) }

  private func slots(
    _ page: PageIndex, _ arena: borrowing PageArena
  ) -> UnsafeMutablePointer<PagedTableSlot> {
    unsafe arena.pointer(page).assumingMemoryBound(to: PagedTableSlot.self)
  }

  private func find(_ key: UInt64, in page: PageIndex, arena: borrowing PageArena) -> Int? {
    let slots = unsafe slots(page, arena)
    var slot = homeSlot(of: key)
    for _ in 0..<PagedTableHeader.slotsPerLeaf {
      if unsafe slots[slot].key == 0 { return nil }
      if unsafe slots[slot].key == key { return slot }
      slot = (slot + 1) & 255
    }
    return nil
  }

  /// Puts a key that is not there into the first free slot from its home.
  ///
  /// One slot always stays empty, so that every probe ends: false unless there is another free one.
  /// Leaves are half full at most but for bad luck, so both are found after a few slots.
  private func insert(
    _ key: UInt64, _ value: UInt64, into page: PageIndex, arena: borrowing PageArena
  ) -> Bool {
    let slots = unsafe slots(page, arena)
    let home = homeSlot(of: key)
    guard let free = unsafe firstFree(slots, from: home),
      let other = unsafe firstFree(slots, from: (free + 1) & 255), other != free
    else { return false }
    unsafe slots[free] = PagedTableSlot(key: key, value: value)
    return true
  }

  private func firstFree(_ slots: UnsafeMutablePointer<PagedTableSlot>, from start: Int) -> Int? {
    var slot = start
    for _ in 0..<PagedTableHeader.slotsPerLeaf {
      if unsafe slots[slot].key == 0 { return slot }
      slot = (slot + 1) & 255
    }
    return nil
  }

  /// Empties a slot and moves later keys of its run back, so that no probe stops short of them
  /// (Knuth 6.4, algorithm R).
  private func closeGap(at slot: Int, in page: PageIndex, arena: borrowing PageArena) {
    let slots = unsafe slots(page, arena)
    var gap = slot
    var next = slot
    while true {
      next = (next + 1) & 255
      let key = unsafe slots[next].key
      if key == 0 { break }
      let home = homeSlot(of: key)
      // The key may move into the gap unless its home lies behind the gap, cyclically.
      if (next - home) & 255 >= (next - gap) & 255 {
        unsafe slots[gap] = slots[next]
        gap = next
      }
    }
    unsafe slots[gap] = PagedTableSlot(key: 0, value: 0)
  }

  // MARK: Growth

  /// Moves every key into twice the leaves.
  private mutating func grow(arena: inout PageArena) -> Bool {
    let old = header
    let oldLeafCount = leafCount
    let leaves = oldLeafCount * 2
    let needed = leaves + leaves / PagedTableHeader.leavesPerDirectory + 2
    guard arena.freeCount >= needed,
      let directories = PagedTableWriter.build(leaves: leaves, arena: &arena)
    else { return false }
    let reader = self
    for (index, directory) in directories.enumerated() { header.directories[index] = directory }
    header.leafMask = UInt32(leaves - 1)
    for leaf in 0..<oldLeafCount {
      let page = reader.leafPage(leaf, in: arena)
      guard moveKeys(from: page, arena: arena) else {
        retireAll(arena: &arena)
        header = old
        return false
      }
    }
    reader.retireAll(arena: &arena)
    return true
  }

  private func moveKeys(from page: PageIndex, arena: borrowing PageArena) -> Bool {
    let slots = unsafe slots(page, arena)
    for slot in 0..<PagedTableHeader.slotsPerLeaf where unsafe slots[slot].key != 0 {
      let entry = unsafe slots[slot]
      let target = leafPage(leafIndex(of: entry.key), in: arena)
      guard insert(entry.key, entry.value, into: target, arena: arena) else { return false }
    }
    return true
  }

  private func retireAll(arena: inout PageArena) {
    for leaf in 0..<leafCount { arena.retire(leafPage(leaf, in: arena)) }
    let directoryCount = (leafCount - 1) / PagedTableHeader.leavesPerDirectory + 1
    for index in 0..<directoryCount { arena.retire(PageIndex(header.directories[index])) }
  }

  /// Empty leaves and the directories that lead to them; returns the directories' page numbers.
  private static func build(leaves: Int, arena: inout PageArena) -> [UInt32]? {
    var directories: [UInt32] = []
    for leaf in 0..<leaves {
      if leaf % PagedTableHeader.leavesPerDirectory == 0 {
        guard let directory = arena.allocate() else { return nil }
        directories.append(directory.number)
      }
      guard let page = arena.allocate(), let directory = directories.last else { return nil }
      let numbers = unsafe arena.pointer(PageIndex(directory)).assumingMemoryBound(to: UInt32.self)
      unsafe numbers[leaf % PagedTableHeader.leavesPerDirectory] = page.number
    }
    return directories
  }
}
