// SPDX-License-Identifier: Apache-2.0

/// A ring's entries from one place on, to get at several without moving a cursor for each.
///
/// A cursor that is stored and loaded again for each entry costs a trip to the store buffer, more
/// than all else that is done with the entry; this is a value that stays in registers
/// (`pipeline.stage.receive` and `pipeline.stage.send` of `pktbench`).
///
/// Proof of safety: as for `ProducerRing`, which whoever took it holds on to; places are masked.
@safe
public struct RingEntries<Entry: BitwiseCopyable>: BitwiseCopyable {
  @usableFromInline let entries: UnsafeMutablePointer<Entry>
  @usableFromInline let mask: UInt32
  @usableFromInline let first: UInt32

  @inlinable
  @inline(__always)
  @unsafe
  init(entries: UnsafeMutablePointer<Entry>, mask: UInt32, first: UInt32) {
    unsafe self.entries = entries
    self.mask = mask
    self.first = first
  }

  /// The entry `place` places on, which the side that uses it must own.
  @inlinable
  public subscript(place: Int) -> Entry {
    @inline(__always) get { unsafe entries[index(place)] }
    @inline(__always) nonmutating set { unsafe entries[index(place)] = newValue }
  }

  @inlinable
  @inline(__always)
  func index(_ place: Int) -> Int { Int((first &+ UInt32(truncatingIfNeeded: place)) & mask) }
}
