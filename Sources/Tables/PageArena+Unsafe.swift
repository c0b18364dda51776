// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The number of a 4 KiB page in an arena.
///
/// Page 0 exists but is nobody's: 0 means "no page".
public struct PageIndex: Hashable, Sendable, BitwiseCopyable {
  /// Pages from the start of the memory.
  public let number: UInt32

  /// Wraps a page's number.
  @inlinable
  public init(_ number: UInt32) { self.number = number }

  /// The absence of a page.
  @inlinable
  public static var none: PageIndex { PageIndex(0) }
}

/// Hands out the pages of a mapped memory to one writer, and takes them back when readers are done.
///
/// Time is counted in generations: `pending` is the one being written. A page allocated in it is
/// seen by nobody yet and may be written in place; any other may have readers, so `writable` copies
/// it and retires the original. A retired page is handed out again only when every reader has
/// declared, through `reclaim(observed:)`, that it has left the generations in which it was
/// reachable.
///
/// Proof of safety: page numbers come from this arena and are below `pageCount`, whose bytes are
/// mapped as long as `memory` is held; only the one owner of this noncopyable value writes.
@safe
public struct PageArena: ~Copyable {
  /// The bytes all pages are in.
  public let memory: MappedMemory
  /// Pages in the arena, page 0 included.
  public let pageCount: Int
  /// The generation being written; starts at 1.
  public private(set) var pending: UInt64 = 1

  private let stamps: PageStamps
  private var free: [PageIndex] = []
  /// Pages at or above this number were never handed out.
  private var untouched: Int = 1
  private var births: [UInt64]
  private var retired: [(generation: UInt64, page: PageIndex)] = []

  /// Makes an arena of all whole pages of `memory`.
  public init(memory: MappedMemory) {
    self.memory = memory
    stamps = PageStamps(memory: memory)
    pageCount = min(memory.length / MappedMemory.pageLength, Int(UInt32.max))
    births = Array(repeating: 0, count: pageCount)
  }

  /// Pages that can be handed out now.
  public var freeCount: Int { free.count + pageCount - untouched }

  /// Pages waiting for readers to leave.
  public var retiredCount: Int { retired.count }

  /// Where a page's bytes are.
  ///
  /// Valid as long as `memory` is held.
  @unsafe
  public func pointer(_ page: PageIndex) -> UnsafeMutableRawPointer {
    precondition(Int(page.number) < pageCount, "a page of this arena")
    return unsafe memory.base + Int(page.number) * MappedMemory.pageLength
  }

  /// A zeroed page, or nil if every page is in use or waiting for readers.
  public mutating func allocate() -> PageIndex? {
    guard let page = take() else { return nil }
    unsafe memset(pointer(page), 0, MappedMemory.pageLength)
    return page
  }

  /// `page` itself if it was born in the pending generation, otherwise a copy, with `page` retired.
  ///
  /// Returns nil, having changed nothing, if there is no page for the copy.
  public mutating func writable(_ page: PageIndex) -> PageIndex? {
    if births[Int(page.number)] == pending { return page }
    guard let copy = take() else { return nil }
    unsafe memcpy(pointer(copy), pointer(page), MappedMemory.pageLength)
    retire(page)
    return copy
  }

  /// Gives up a page that nothing written from now on will lead to.
  public mutating func retire(_ page: PageIndex) {
    if births[Int(page.number)] == pending {
      stamps.markFree(page)
      free.append(page)
    } else {
      retired.append((pending, page))
    }
  }

  /// The pending generation was published: from now on its pages have readers.
  public mutating func advance() { pending += 1 }

  /// Takes back what was retired in generations up to `observed`, which every reader has reached.
  public mutating func reclaim(observed: UInt64) {
    // Retirements are in order of generation, so the reclaimable ones are a prefix.
    let count = retired.prefix { $0.generation <= observed }.count
    guard count > 0 else { return }
    for index in 0..<count {
      stamps.markFree(retired[index].page)
      free.append(retired[index].page)
    }
    retired.removeFirst(count)
  }

  private mutating func take() -> PageIndex? {
    let page: PageIndex
    if let last = free.popLast() {
      page = last
    } else {
      guard untouched < pageCount else { return nil }
      page = PageIndex(UInt32(untouched))
      untouched += 1
    }
    births[Int(page.number)] = pending
    stamps.markBorn(page, in: pending)
    return page
  }
}
