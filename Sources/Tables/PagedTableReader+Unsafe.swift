// SPDX-License-Identifier: Apache-2.0

public import CIntrinsics

/// Looks keys up in a published `PagedTable`.
///
/// A look-up is split in two, so that a batch can compute and prefetch every home first and probe
/// afterwards, when the cache lines have arrived: `home(of:)`, then `probe(from:for:)`.
///
/// Proof of safety: the header and every page it leads to belong to a published generation that the
/// holder has not left; all numbers in it were written by `PagedTableWriter`, so they lie in the
/// arena. In a test build the witness holds that against the pages' stamps.
@safe
public struct PagedTableReader: BitwiseCopyable {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let header: UnsafePointer<PagedTableHeader>
  /// Copies of the header's, which need not be loaded again for each key.
  @usableFromInline let seed: UInt64
  @usableFromInline let leafMask: UInt32
  @usableFromInline let witness: PageWitness

  /// Reads the table behind `header`, whose pages are counted from `base`.
  @unsafe
  @inlinable
  public init(
    base: UnsafeRawPointer, header: UnsafePointer<PagedTableHeader>,
    witness: PageWitness = PageWitness()
  ) {
    unsafe self.base = base
    unsafe self.header = header
    unsafe seed = header.pointee.seed
    let mask = unsafe header.pointee.leafMask
    leafMask = witness.sawRoot() ? mask : 0
    self.witness = witness
  }

  /// The value of a key that is not there.
  @inlinable
  public static var missing: UInt64 { .max }

  /// Keys in the table.
  @inlinable
  public var count: Int { Int(unsafe header.pointee.count) }

  /// Where probing for `key` starts, as an offset from `base`; its cache line is asked for.
  @inlinable
  @inline(__always)
  public func home(of key: UInt64) -> UInt64 {
    let hash = PagedTableHeader.hash(key, seed: seed)
    let leaf = UInt32(truncatingIfNeeded: hash >> 8) & leafMask
    // The directories' numbers lie behind the seed and the two counts.
    let directories = unsafe UnsafeRawPointer(header) + 16
    let directory = unsafe directories.load(
      fromByteOffset: Int(leaf >> 10) &* 4, as: UInt32.self)
    guard witness.sawRoot() else { return 0 }
    let page = unsafe base.load(
      fromByteOffset: Int(directory) &* 4096 &+ Int(leaf & 1023) &* 4, as: UInt32.self)
    guard witness.saw(directory) else { return 0 }
    let home = UInt64(page) &* 4096 &+ PagedTableHeader.homeSlot(hash) &* 16
    unsafe cintrinsics_prefetch(base + Int(truncatingIfNeeded: home))
    return home
  }

  /// The value of `key`, which is not 0, probing from its home, or `missing`.
  @inlinable
  @inline(__always)
  public func probe(from home: UInt64, for key: UInt64) -> UInt64 {
    let value = search(from: home, for: key)
    return witness.saw(UInt32(truncatingIfNeeded: home >> 12)) ? value : PagedTableReader.missing
  }

  /// The value of `key`, which is not 0, or `missing`.
  @inlinable
  public func value(for key: UInt64) -> UInt64 { probe(from: home(of: key), for: key) }

  /// Four slots at a time, which are one cache line; one is nearly always enough.
  ///
  /// Where the key would be among them is computed rather than branched on, so that the branches
  /// left nearly always go the same way (`pktbench table` shows the gain).
  @inlinable
  @inline(__always)
  func search(from home: UInt64, for key: UInt64) -> UInt64 {
    let slots = unsafe slots(at: home)
    let (first, second) = unsafe (slots[0].key, slots[1].key)
    let (third, fourth) = unsafe (slots[2].key, slots[3].key)
    let place = (second == key ? 1 : 0) | (third == key ? 2 : 0) | (fourth == key ? 3 : 0)
    if unsafe slots[place].key == key { return unsafe slots[place].value }
    if first == 0 || second == 0 || third == 0 || fourth == 0 { return PagedTableReader.missing }
    return searchOn(from: home, for: key)
  }

  /// Looks at one slot after the other, where the first four are taken by others.
  ///
  /// A function of its own, so that the one above needs few registers where it is inlined.
  @inlinable
  @inline(never)
  func searchOn(from home: UInt64, for key: UInt64) -> UInt64 {
    let leaf = home & ~4095
    var offset = home & 4095
    for _ in 0..<PagedTableHeader.slotsPerLeaf {
      let slot = unsafe slots(at: leaf | offset)
      if unsafe slot.pointee.key == key { return unsafe slot.pointee.value }
      if unsafe slot.pointee.key == 0 { break }
      offset = (offset &+ 16) & 4095
    }
    return PagedTableReader.missing
  }

  @unsafe
  @inlinable
  @inline(__always)
  func slots(at offset: UInt64) -> UnsafePointer<PagedTableSlot> {
    unsafe (base + Int(truncatingIfNeeded: offset)).assumingMemoryBound(to: PagedTableSlot.self)
  }
}
