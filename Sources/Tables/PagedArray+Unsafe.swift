// SPDX-License-Identifier: Apache-2.0

/// What leads to a paged array; lies inside a published page.
public struct PagedArrayHeader: BitwiseCopyable, Sendable {
  /// Elements in the array.
  public var count: UInt32
  /// Page numbers of its pieces, the first ones in use.
  public var pages: [128 of UInt32]

  /// The empty array.
  @inlinable
  public init() {
    count = 0
    pages = .init(repeating: 0)
  }
}

/// Reads a published array of records.
///
/// Proof of safety: as for `PagedTableReader`; indices are checked against the count.
@safe
public struct PagedArrayReader<Element: BitwiseCopyable>: BitwiseCopyable {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let header: UnsafePointer<PagedArrayHeader>
  @usableFromInline let witness: PageWitness

  /// Reads the array behind `header`, whose pages are counted from `base`.
  @unsafe
  @inlinable
  public init(
    base: UnsafeRawPointer, header: UnsafePointer<PagedArrayHeader>,
    witness: PageWitness = PageWitness()
  ) {
    unsafe self.base = base
    unsafe self.header = header
    self.witness = witness
  }

  /// Elements in the array.
  @inlinable
  public var count: Int {
    let count = Int(unsafe header.pointee.count)
    return witness.sawRoot() ? count : 0
  }

  /// The element at `index`, which is below `count`.
  @inlinable
  public subscript(index: Int) -> Element {
    let count = Int(unsafe header.pointee.count)
    let perPage = 4096 / MemoryLayout<Element>.stride
    let pages = unsafe UnsafeRawPointer(header) + 4
    precondition(index >= 0 && (index < count || !witness.sawRoot()), "an index of the array")
    let named = unsafe pages.load(fromByteOffset: index / perPage &* 4, as: UInt32.self)
    // Page 0 is there whatever became of the root.
    let page = witness.sawRoot() ? named : 0
    let offset = Int(page) &* 4096 &+ index % perPage &* MemoryLayout<Element>.stride
    let element = unsafe (base + offset).assumingMemoryBound(to: Element.self).pointee
    _ = witness.saw(page)
    return element
  }
}

/// Changes a paged array for readers that keep reading the old one.
///
/// Proof of safety: as for `PagedTableWriter`.
@safe
public struct PagedArrayWriter<Element: BitwiseCopyable>: Sendable {
  /// Leads to the array as it is now.
  public private(set) var header = PagedArrayHeader()

  /// An empty array; needs no page.
  public init() {}

  private static var perPage: Int { MappedMemory.pageLength / MemoryLayout<Element>.stride }

  /// Elements at most.
  public static var capacity: Int { perPage * 128 }

  /// Elements in the array.
  public var count: Int { Int(header.count) }

  /// Stores `element` at `index`, which is at most `count` (then the array grows by one).
  ///
  /// False, having changed nothing, if the array or the arena is full.
  public mutating func store(_ element: Element, at index: Int, arena: inout PageArena) -> Bool {
    precondition(index >= 0 && index <= count, "an index of the array, or the one behind it")
    guard index < PagedArrayWriter.capacity else { return false }
    let piece = index / PagedArrayWriter.perPage
    let old = PageIndex(header.pages[piece])
    guard let page = old == .none ? arena.allocate() : arena.writable(old) else { return false }
    header.pages[piece] = page.number
    let elements = unsafe arena.pointer(page).assumingMemoryBound(to: Element.self)
    unsafe elements[index % PagedArrayWriter.perPage] = element
    header.count = max(header.count, UInt32(index + 1))
    return true
  }

  /// The element at `index`, which is below `count`.
  public func element(at index: Int, in arena: borrowing PageArena) -> Element {
    precondition(index >= 0 && index < count, "an index of the array")
    let page = PageIndex(header.pages[index / PagedArrayWriter.perPage])
    let elements = unsafe arena.pointer(page).assumingMemoryBound(to: Element.self)
    return unsafe elements[index % PagedArrayWriter.perPage]
  }

  /// Takes the last element off; its page is given up when it was the only one on it.
  public mutating func removeLast(arena: inout PageArena) {
    precondition(count > 0, "an element to remove")
    header.count -= 1
    if count % PagedArrayWriter.perPage == 0 {
      let piece = count / PagedArrayWriter.perPage
      arena.retire(PageIndex(header.pages[piece]))
      header.pages[piece] = 0
    }
  }
}
