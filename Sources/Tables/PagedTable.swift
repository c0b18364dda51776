// SPDX-License-Identifier: Apache-2.0

/// What leads to a paged hash table; lies inside a published page.
///
/// A key's hash picks a leaf page with its bits from 8 up, and a slot among the leaf's 256 with its
/// low 8. Collisions go to the next slot, wrapping inside the leaf. Leaves are found through
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

  /// Multiplicative hashing (Knuth 6.4) with the high half folded in: the low bits of a product
  /// depend on the low bits of the key alone.
  @inlinable
  @inline(__always)
  public func hash(_ key: UInt64) -> UInt64 {
    let product = (key ^ seed) &* 0x9E37_79B9_7F4A_7C15
    return product ^ (product >> 32)
  }
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
