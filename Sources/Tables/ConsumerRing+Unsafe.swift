// SPDX-License-Identifier: Apache-2.0

public import CIntrinsics

/// The half of a ring that another side fills and we consume: RX, completion, hints, commands.
///
/// The mirror image of `ProducerRing`: the producer cursor is theirs, the consumer cursor ours, and
/// entries are ours from the look that saw them until `release()`.
///
/// Proof of safety: as for `ProducerRing`; we are the only consumer.
@safe
public struct ConsumerRing<Entry: BitwiseCopyable>: ~Copyable {
  @usableFromInline let entries: UnsafeMutablePointer<Entry>
  /// Only the other side writes this word.
  @usableFromInline let publishedProducer: UnsafeMutablePointer<UInt32>
  /// Only we write this word.
  @usableFromInline let publishedConsumer: UnsafeMutablePointer<UInt32>
  @usableFromInline let mask: UInt32

  /// Entries taken so far; runs ahead of `publishedConsumer` until `release()`.
  @usableFromInline var consumer: UInt32
  /// What `release()` last published; kept here because the other side can write the shared word.
  @usableFromInline var released: UInt32
  /// The other side's cursor as last seen; it can only be behind the truth, and it is never before
  /// `consumer` nor more than a ring after `released`.
  @usableFromInline var producerSeen: UInt32

  /// Takes over the consumer's half of a ring in shared memory, at the cursors found there.
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
    self.consumer = unsafe cintrinsics_load_relaxed_32(consumer)
    released = self.consumer
    producerSeen = self.consumer
    _ = refreshedReadyCount()
  }

  /// How many entries fit.
  @inlinable
  public var capacity: UInt32 { mask &+ 1 }

  /// Entries ready as last seen.
  @inlinable
  public var readyCountSeen: UInt32 { producerSeen &- consumer }

  /// Looks at the other side's cursor and returns how many entries are ready now.
  ///
  /// A cursor that claims more than a whole ring is a broken other side; it counts as a full ring,
  /// and one that went back as an empty one, so that no entry is read twice between two calls of
  /// `release()`.
  @inlinable
  public mutating func refreshedReadyCount() -> UInt32 {
    let claimed = unsafe cintrinsics_load_acquire_32(publishedProducer) &- released
    producerSeen = released &+ max(min(claimed, capacity), consumer &- released)
    return readyCountSeen
  }

  /// Takes the next entry, or returns nil if none is ready.
  ///
  /// The slot stays ours until `release()`.
  @inlinable
  public mutating func next() -> Entry? {
    if readyCountSeen == 0 {
      guard refreshedReadyCount() > 0 else { return nil }
    }
    let entry = unsafe entries[Int(consumer & mask)]
    consumer &+= 1
    return entry
  }

  /// Entries ready, at most `wanted`; looks at the other side's cursor if it saw fewer.
  @inlinable
  @inline(__always)
  public mutating func ready(upTo wanted: UInt32) -> UInt32 {
    if readyCountSeen < wanted { _ = refreshedReadyCount() }
    return min(readyCountSeen, wanted)
  }

  /// The entries that come next, of which as many are ours as `ready(upTo:)` said.
  ///
  /// To be used while the ring is, and before the next `advance(by:)`.
  @unsafe
  @inlinable
  public var upcoming: RingEntries<Entry> {
    @inline(__always) get { unsafe RingEntries(entries: entries, mask: mask, first: consumer) }
  }

  /// Counts the next `count` entries, which were read through `upcoming`, as taken.
  @inlinable
  @inline(__always)
  public mutating func advance(by count: UInt32) {
    precondition(count <= readyCountSeen, "no more entries than are ready")
    consumer &+= count
  }

  /// Gives the slots of every entry taken since the last call back to the other side.
  @inlinable
  public mutating func release() {
    released = consumer
    unsafe cintrinsics_store_release_32(publishedConsumer, consumer)
  }
}
