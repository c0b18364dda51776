// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
internal import Glibc

// A test build (`WEFT_STAMPS=1`) keeps a word for every page of a `MappedMemory`, in front of page
// 0: the generation that the page was born in, or all ones while nobody may read it. `PageStamps`
// writes the words for `PageArena`, and `PageWitness` looks at them for whoever reads a snapshot.
// In every other build both are empty, and nothing is left of them in the machine code.

/// The stamps of an arena's pages, as their one writer sees them; nothing in an ordinary build.
///
/// Proof of safety: in a test build `MappedMemory` maps a word for each of its pages in front of
/// `base`; pages are those of an arena over that memory, which is held.
@safe
public struct PageStamps: Sendable {
  /// Whether this build keeps stamps.
  @inlinable
  public static var areKept: Bool {
    #if WEFT_STAMPS
    true
    #else
    false
    #endif
  }

  /// How often a reader came upon a page that it may not read; always 0 without stamps.
  public static func violationCount(in memory: MappedMemory) -> Int {
    guard areKept else { return 0 }
    return Int(unsafe cintrinsics_load_relaxed_64(word(of: 0, base: memory.base)))
  }

  /// Bytes to be mapped in front of `length` bytes of pages.
  static func leadLength(for length: Int) -> Int {
    guard areKept else { return 0 }
    let bytes = length / MappedMemory.pageLength * 8
    return (bytes + MappedMemory.pageLength - 1) & ~(MappedMemory.pageLength - 1)
  }

  /// The word of a page; that of page 0, which is nobody's, counts violations.
  @unsafe
  static func word(of page: UInt32, base: UnsafeRawPointer) -> UnsafeMutablePointer<UInt64> {
    unsafe UnsafeMutableRawPointer(mutating: base - 8 * (Int(page) + 1))
      .assumingMemoryBound(to: UInt64.self)
  }

  private let memory: MappedMemory

  init(memory: MappedMemory) { self.memory = memory }

  /// The page was handed out; whoever reads generations before this one may not see it.
  func markBorn(_ page: PageIndex, in generation: UInt64) {
    guard PageStamps.areKept else { return }
    unsafe cintrinsics_store_release_64(
      PageStamps.word(of: page.number, base: memory.base), generation)
    cintrinsics_fence_release()
  }

  /// Nobody may read the page; what is in it is overwritten with what cannot be mistaken.
  ///
  /// The stamp comes first, so that whoever read the new content also finds the new stamp.
  func markFree(_ page: PageIndex) {
    guard PageStamps.areKept else { return }
    unsafe cintrinsics_store_release_64(
      PageStamps.word(of: page.number, base: memory.base), .max)
    cintrinsics_fence_release()
    unsafe memset(
      memory.base + Int(page.number) * MappedMemory.pageLength, 0xA5, MappedMemory.pageLength)
  }
}

/// What a reader of one snapshot may read, held against the stamps of the pages it comes upon;
/// nothing in an ordinary build.
///
/// A page is asked about after it was read and before anything in it is followed: if it was given
/// to somebody else meanwhile, its stamp says so by then. What is wrong is counted in the memory
/// and does not trap, so that a test can see it.
///
/// Proof of safety: `base` is that of a `MappedMemory` that the reader's owner holds, and pages are
/// numbers out of pages that this witness was asked about before, so that they are the arena's.
@safe
public struct PageWitness: BitwiseCopyable {
  #if WEFT_STAMPS
  @usableFromInline let base: UnsafeRawPointer?
  @usableFromInline let root: UInt32
  @usableFromInline let generation: UInt64
  #endif

  /// Looks at nothing: for readers of tables that no root page leads to.
  @inlinable
  public init() {
    #if WEFT_STAMPS
    unsafe base = nil
    root = 0
    generation = 0
    #endif
  }

  /// Watches the reader of the snapshot whose root page is `root`, published as `generation`.
  @unsafe
  @inlinable
  public init(base: UnsafeRawPointer, root: UInt32, generation: UInt64) {
    #if WEFT_STAMPS
    unsafe self.base = base
    self.root = root
    self.generation = generation
    _ = check(root, isBornIn: generation...generation)
    #endif
  }

  /// Whether the root page was still what it should be when something in it had been read.
  @inlinable
  @inline(__always)
  public func sawRoot() -> Bool {
    #if WEFT_STAMPS
    saw(root)
    #else
    true
    #endif
  }

  /// Whether a page was still what it should be when something in it had been read.
  @inlinable
  @inline(__always)
  public func saw(_ page: UInt32) -> Bool {
    #if WEFT_STAMPS
    check(page, isBornIn: 1...max(1, generation))
    #else
    true
    #endif
  }

  #if WEFT_STAMPS
  @usableFromInline
  func check(_ page: UInt32, isBornIn generations: ClosedRange<UInt64>) -> Bool {
    guard let base = unsafe base else { return true }
    cintrinsics_fence_acquire()
    let stamp = unsafe cintrinsics_load_acquire_64(PageStamps.word(of: page, base: base))
    if page != 0, generations.contains(stamp) { return true }
    unsafe cintrinsics_add_relaxed_64(PageStamps.word(of: 0, base: base), 1)
    return false
  }
  #endif
}
