// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Tables

/// A frame on its way from one worker to another; its bytes are in the chunk of the same place.
///
/// A frame longer than a chunk takes several places in a row, whose entries are the same.
struct HandOverEntry: BitwiseCopyable {
  /// The port the frame goes to.
  let port: UInt16
  /// Bytes of the frame.
  let length: UInt32

  /// The places it takes.
  var chunkCount: UInt32 {
    max(1, (length &+ UInt32(HandOverMemory.chunkLength - 1)) / UInt32(HandOverMemory.chunkLength))
  }

  /// The bytes in one of its places.
  func length(ofChunk index: Int) -> Int {
    min(HandOverMemory.chunkLength, Int(length) &- index &* HandOverMemory.chunkLength)
  }
}

/// The rings by which workers hand frames to each other, one for each pair and direction.
///
/// A worker owns its frame memory alone, so that a frame changes hands by being copied into a chunk
/// of the ring's and out of it again. Memory that is never used is never there.
///
/// Proof of safety: a path is `pathLength` bytes of a mapping that this object holds, and every
/// desk holds this object; of each path one desk has the sender and one the receiver.
@safe
public final class HandOverMemory: Sendable {
  /// Frames that a path holds, if they fit a chunk.
  public static let capacity: UInt32 = 256
  static let chunkLength = 4096
  /// A page for the ring and its words, a chunk for each entry.
  private static let pathLength = 4096 + Int(capacity) * chunkLength
  // Words of the first page, a cache line apart, and the entries behind them.
  private static let consumerOffset = 64
  private static let sleepOffset = 128
  private static let entriesOffset = 1024

  /// Workers that have paths to each other.
  public let workerCount: Int
  private let memory: MappedMemory

  /// Maps the paths between `workerCount` workers.
  public init(workerCount: Int) throws(MemoryError) {
    self.workerCount = workerCount
    memory = try MappedMemory(
      length: HandOverMemory.length(workerCount: workerCount), name: "weft-hand-over")
  }

  /// Bytes of the mapping between so many workers.
  static func length(workerCount: Int) -> Int { workerCount * workerCount * pathLength }

  /// The end of the path that `from` writes; taken once.
  ///
  /// - `wakeEvent`: signalled when `to` sleeps.
  func sender(from: Int, to: Int, wakeEvent: CInt) -> HandOverSender {
    let base = unsafe path(from: from, to: to)
    let ring = unsafe ProducerRing<HandOverEntry>(
      entries: (base + HandOverMemory.entriesOffset).assumingMemoryBound(to: HandOverEntry.self),
      capacity: HandOverMemory.capacity, producer: base.assumingMemoryBound(to: UInt32.self),
      consumer: (base + HandOverMemory.consumerOffset).assumingMemoryBound(to: UInt32.self))
    return unsafe HandOverSender(
      ring: ring, chunks: base + 4096,
      sleepWord: (base + HandOverMemory.sleepOffset).assumingMemoryBound(to: UInt64.self),
      wakeEvent: wakeEvent)
  }

  /// The end of the path that `to` reads; taken once.
  func receiver(from: Int, to: Int) -> HandOverReceiver {
    let base = unsafe path(from: from, to: to)
    let ring = unsafe ConsumerRing<HandOverEntry>(
      entries: (base + HandOverMemory.entriesOffset).assumingMemoryBound(to: HandOverEntry.self),
      capacity: HandOverMemory.capacity, producer: base.assumingMemoryBound(to: UInt32.self),
      consumer: (base + HandOverMemory.consumerOffset).assumingMemoryBound(to: UInt32.self))
    return unsafe HandOverReceiver(
      ring: ring, chunks: base + 4096,
      sleepWord: (base + HandOverMemory.sleepOffset).assumingMemoryBound(to: UInt64.self))
  }

  private func path(from: Int, to: Int) -> UnsafeMutableRawPointer {
    precondition(from < workerCount && to < workerCount && from != to, "two of the workers")
    return unsafe memory.base + (from * workerCount + to) * HandOverMemory.pathLength
  }
}
