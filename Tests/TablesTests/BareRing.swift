// SPDX-License-Identifier: Apache-2.0

import Tables

/// The memory of a ring with nothing in between: a test sets the cursors to what it likes.
final class BareRing: @unchecked Sendable {
  let capacity: UInt32
  private let memory: MappedMemory

  /// A ring whose two cursors start at `cursor`.
  init(capacity: UInt32, cursor: UInt32 = 0) throws {
    self.capacity = capacity
    memory = try MappedMemory(length: 128 + Int(capacity) * 8, name: "weft-test-ring")
    producer = cursor
    consumer = cursor
  }

  var producer: UInt32 {
    get { unsafe memory.base.load(as: UInt32.self) }
    set { unsafe memory.base.storeBytes(of: newValue, as: UInt32.self) }
  }

  var consumer: UInt32 {
    get { unsafe memory.base.load(fromByteOffset: 64, as: UInt32.self) }
    set { unsafe memory.base.storeBytes(of: newValue, toByteOffset: 64, as: UInt32.self) }
  }

  /// The entries as they lie in memory.
  var entries: [UInt64] {
    (0..<Int(capacity)).map {
      unsafe memory.base.load(fromByteOffset: 128 + $0 * 8, as: UInt64.self)
    }
  }

  func producerHalf() -> ProducerRing<UInt64> {
    unsafe ProducerRing(
      entries: (memory.base + 128).assumingMemoryBound(to: UInt64.self), capacity: capacity,
      producer: memory.base.assumingMemoryBound(to: UInt32.self),
      consumer: (memory.base + 64).assumingMemoryBound(to: UInt32.self))
  }

  func consumerHalf() -> ConsumerRing<UInt64> {
    unsafe ConsumerRing(
      entries: (memory.base + 128).assumingMemoryBound(to: UInt64.self), capacity: capacity,
      producer: memory.base.assumingMemoryBound(to: UInt32.self),
      consumer: (memory.base + 64).assumingMemoryBound(to: UInt32.self))
  }
}
