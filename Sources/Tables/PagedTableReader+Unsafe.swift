// SPDX-License-Identifier: Apache-2.0

public import CIntrinsics

/// Looks keys up in a published `PagedTable`.
///
/// A look-up is split in two, so that a batch can compute and prefetch every home first and probe
/// afterwards, when the cache lines have arrived: `home(of:)`, then `probe(from:for:)`.
///
/// Proof of safety: the header and every page it leads to belong to a published generation that the
/// holder has not left; all numbers in it were written by `PagedTableWriter`, so they lie in the
/// arena.
@safe
public struct PagedTableReader: BitwiseCopyable {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let header: UnsafePointer<PagedTableHeader>

  /// Reads the table behind `header`, whose pages are counted from `base`.
  @unsafe
  @inlinable
  public init(base: UnsafeRawPointer, header: UnsafePointer<PagedTableHeader>) {
    unsafe self.base = base
    unsafe self.header = header
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
    let hash = unsafe header.pointee.hash(key)
    let leaf = unsafe UInt32(truncatingIfNeeded: hash >> 8) & header.pointee.leafMask
    // The directories' numbers lie behind the seed and the two counts.
    let directories = unsafe UnsafeRawPointer(header) + 16
    let directory = unsafe directories.load(
      fromByteOffset: Int(leaf >> 10) &* 4, as: UInt32.self)
    let page = unsafe base.load(
      fromByteOffset: Int(directory) &* 4096 &+ Int(leaf & 1023) &* 4, as: UInt32.self)
    let home = UInt64(page) &* 4096 &+ (hash & 255) &* 16
    unsafe cintrinsics_prefetch(base + Int(home))
    return home
  }

  /// The value of `key`, which is not 0, probing from its home, or `missing`.
  @inlinable
  @inline(__always)
  public func probe(from home: UInt64, for key: UInt64) -> UInt64 {
    let leaf = home & ~4095
    var offset = home & 4095
    for _ in 0..<PagedTableHeader.slotsPerLeaf {
      let slot = unsafe (base + Int(leaf &+ offset)).assumingMemoryBound(to: PagedTableSlot.self)
      let found = unsafe slot.pointee.key
      if found == key { return unsafe slot.pointee.value }
      if found == 0 { break }
      offset = (offset &+ 16) & 4095
    }
    return PagedTableReader.missing
  }

  /// The value of `key`, which is not 0, or `missing`.
  @inlinable
  public func value(for key: UInt64) -> UInt64 { probe(from: home(of: key), for: key) }
}
