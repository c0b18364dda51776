// SPDX-License-Identifier: Apache-2.0

/// What leads to a paged hash table; lies inside a published page.
///
/// A key's hash picks a leaf page with its bits from 8 up, and with its low 8 a home among the
/// leaf's 256 slots: the first of four that share a cache line. A key is in the first slot that was
/// free from there, wrapping inside the leaf. So one line answers nearly every look-up, and its
/// four keys are compared without a branch that anybody has to guess. Leaves are found through
/// directory pages of 1,024 numbers each.
public struct PagedTableHeader: BitwiseCopyable, Sendable {
  /// Mixed into every hash, so that nobody outside can choose keys that meet in one leaf.
  public var seed: UInt64
  /// Leaves less one; the number of leaves is a power of two.
  public var leafMask: UInt32
  /// Keys in the table.
  public var count: UInt32
  /// Page numbers of the directories, the first ones in use.
  public var directories: [16 of UInt32]

  /// Slots in a leaf.
  @inlinable
  public static var slotsPerLeaf: Int { 256 }
  /// Leaves a directory leads to.
  @inlinable
  public static var leavesPerDirectory: Int { 1024 }
  /// Leaves at most.
  @inlinable
  public static var leafCountMax: Int { 16 * 1024 }
  /// Keys at most: every leaf half full.
  @inlinable
  public static var keyCountMax: Int { leafCountMax * slotsPerLeaf / 2 }

  /// A header that leads nowhere.
  @inlinable
  public init(seed: UInt64) {
    self.seed = seed
    leafMask = 0
    count = 0
    directories = .init(repeating: 0)
  }

  /// Multiplies and folds the high half in, twice.
  ///
  /// Once is not enough: addresses are handed out one behind the other, and the products of such
  /// keys follow each other so evenly that some leaves overflow while others stay empty.
  @inlinable
  @inline(__always)
  public static func hash(_ key: UInt64, seed: UInt64) -> UInt64 {
    let once = (key ^ seed) &* 0x9E37_79B9_7F4A_7C15
    let twice = (once ^ (once >> 32)) &* 0xD6E8_FEB8_6659_FD93
    return twice ^ (twice >> 32)
  }

  /// The hash of a key of this table.
  @inlinable
  @inline(__always)
  public func hash(_ key: UInt64) -> UInt64 { PagedTableHeader.hash(key, seed: seed) }

  /// The slot where probing starts, by the key's hash.
  @inlinable
  @inline(__always)
  public static func homeSlot(_ hash: UInt64) -> UInt64 { hash & 0xFC }
}

/// One slot of a leaf: 16 bytes, key 0 is an empty slot.
public struct PagedTableSlot: BitwiseCopyable, Sendable {
  /// Never 0 in use.
  public var key: UInt64
  /// Whatever the user of the table stores.
  public var value: UInt64

  /// Pairs a key with its value.
  @inlinable
  public init(key: UInt64, value: UInt64) {
    self.key = key
    self.value = value
  }
}
