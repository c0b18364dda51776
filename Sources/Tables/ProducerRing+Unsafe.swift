// SPDX-License-Identifier: Apache-2.0

public import CIntrinsics

/// The half of a ring that we fill and another side consumes: fill, TX, hints, commands.
///
/// The other side owns the consumer cursor and may advance it at any moment; we own the producer
/// cursor. Both live in memory shared with it, so every look at theirs is an acquire and every
/// publication of ours is a release. In between we work on private copies, because one atomic per
/// entry would cost more than forwarding a frame.
///
/// Cursors count entries ever produced or consumed. They wrap at 2³² and are never reduced modulo
/// the capacity; only an index into the entries is. Full is therefore "a whole ring apart" and
/// empty is "equal", and no slot is spent on telling the two from each other.
///
/// Proof of safety: whoever makes a ring keeps its memory mapped as long as the ring is used, and
/// is its only producer; indices are masked, so no access leaves the entries.
@safe
public struct ProducerRing<Entry: BitwiseCopyable>: ~Copyable {
  @usableFromInline let entries: UnsafeMutablePointer<Entry>
  /// Only we write this word.
  @usableFromInline let publishedProducer: UnsafeMutablePointer<UInt32>
  /// Only the other side writes this word.
  @usableFromInline let publishedConsumer: UnsafeMutablePointer<UInt32>
  @usableFromInline let mask: UInt32

  /// Entries appended so far; runs ahead of `publishedProducer` until `publish()`.
  @usableFromInline var producer: UInt32
  /// The other side's cursor as last seen, stale by design: the worst it does is make the ring
  /// look fuller than it is.
  ///
  /// It is never more than a ring before `producer`, nor after it.
  @usableFromInline var consumerSeen: UInt32

  /// Takes over the producer's half of a ring in shared memory, at the cursors found there.
  ///
  /// - `entries`: `capacity` entries; stays mapped as long as the ring is used.
  /// - `capacity`: a power of two.
  @unsafe
  public init(
    entries: UnsafeMutablePointer<Entry>, capacity: UInt32,
    producer: UnsafeMutablePointer<UInt32>, consumer: UnsafeMutablePointer<UInt32>
  ) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0, "capacity is a power of two")
    unsafe self.entries = entries
    unsafe publishedProducer = producer
    unsafe publishedConsumer = consumer
    mask = capacity - 1
    self.producer = unsafe cintrinsics_load_relaxed_32(producer)
    consumerSeen = self.producer
    _ = refreshedFreeCount()
  }

  /// How many entries fit.
  @inlinable
  public var capacity: UInt32 { mask &+ 1 }

  /// Free slots, at least; a fresh look may find more.
  @inlinable
  public var freeCountSeen: UInt32 { capacity &- (producer &- consumerSeen) }

  /// Entries the other side has not consumed yet, at most; a fresh look may find fewer.
  @inlinable
  public var outstandingCountSeen: UInt32 { producer &- consumerSeen }

  /// Looks at the other side's cursor and returns the free slots there are now.
  ///
  /// A cursor that claims to be ahead of ours, or more than a whole ring behind it, is a broken
  /// other side; the ring then counts as full.
  @inlinable
  public mutating func refreshedFreeCount() -> UInt32 {
    let outstanding = unsafe producer &- cintrinsics_load_acquire_32(publishedConsumer)
    consumerSeen = producer &- min(outstanding, capacity)
    return freeCountSeen
  }

  /// Entries the other side has not consumed yet, those not published included.
  @inlinable
  public mutating func outstandingCount() -> UInt32 { capacity &- refreshedFreeCount() }

  /// Writes `entry` into the next free slot, or returns `false` if the ring is full.
  ///
  /// The other side sees nothing until `publish()`, so that a batch costs one release store.
  @inlinable
  public mutating func append(_ entry: Entry) -> Bool {
    if freeCountSeen == 0 {
      guard refreshedFreeCount() > 0 else { return false }
    }
    unsafe entries[Int(producer & mask)] = entry
    producer &+= 1
    return true
  }

  /// Free slots for at most `wanted` entries; looks at the other side's cursor if it saw fewer.
  @inlinable
  @inline(__always)
  public mutating func room(for wanted: UInt32) -> UInt32 {
    if freeCountSeen < wanted { _ = refreshedFreeCount() }
    return min(freeCountSeen, wanted)
  }

  /// The slots that come next, of which as many are ours as `room(for:)` said.
  ///
  /// To be used while the ring is, and before the next `advance(by:)`.
  @unsafe
  @inlinable
  public var upcoming: RingEntries<Entry> {
    @inline(__always) get { unsafe RingEntries(entries: entries, mask: mask, first: producer) }
  }

  /// Counts the next `count` slots, which were written through `upcoming`, as appended.
  @inlinable
  @inline(__always)
  public mutating func advance(by count: UInt32) {
    precondition(count <= freeCountSeen, "no more entries than there is room for")
    producer &+= count
  }

  /// Hands every entry appended since the last call to the other side.
  @inlinable
  public mutating func publish() {
    unsafe cintrinsics_store_release_32(publishedProducer, producer)
  }
}
