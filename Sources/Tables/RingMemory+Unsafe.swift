// SPDX-License-Identifier: Apache-2.0

/// A ring in memory of our own, between two threads of this process.
///
/// The two cursors stand in cache lines of their own, so that the sides do not slow each other.
/// `producerHalf` and `consumerHalf` may each be taken once at a time; the object must outlive
/// them.
///
/// Proof of safety: the memory is mapped as long as this object lives, and the doc comment makes
/// its holder keep it so and take each half once.
@safe
public final class RingMemory<Entry: BitwiseCopyable>: Sendable {
  private let memory: MappedMemory
  /// How many entries fit; a power of two.
  public let capacity: UInt32

  /// Maps a ring of `capacity` entries, a power of two.
  public init(capacity: UInt32, name: String) throws(MemoryError) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0, "capacity is a power of two")
    let length = RingMemory.headerLength + Int(capacity) * MemoryLayout<Entry>.stride
    memory = try MappedMemory(length: length, name: name)
    self.capacity = capacity
  }

  /// The side that appends.
  public func producerHalf() -> ProducerRing<Entry> {
    unsafe ProducerRing(
      entries: entries, capacity: capacity, producer: producer, consumer: consumer)
  }

  /// The side that takes.
  public func consumerHalf() -> ConsumerRing<Entry> {
    unsafe ConsumerRing(
      entries: entries, capacity: capacity, producer: producer, consumer: consumer)
  }

  private static var headerLength: Int { 128 }
  private var producer: UnsafeMutablePointer<UInt32> {
    unsafe memory.base.assumingMemoryBound(to: UInt32.self)
  }
  private var consumer: UnsafeMutablePointer<UInt32> {
    unsafe (memory.base + 64).assumingMemoryBound(to: UInt32.self)
  }
  private var entries: UnsafeMutablePointer<Entry> {
    unsafe (memory.base + RingMemory.headerLength).assumingMemoryBound(to: Entry.self)
  }
}
