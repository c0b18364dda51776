// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
internal import Glibc
internal import Tables

/// One worker's end of the path to another.
///
/// Proof of safety: the pointers are into a `HandOverMemory`, which whoever has an end holds. The
/// ring is used in order, so that the entry appended as number n lies at n modulo the capacity, and
/// so does its chunk; a chunk is the sender's as long as its entry's place is free.
@safe
struct HandOverSender: ~Copyable {
  private var ring: ProducerRing<HandOverEntry>
  private let chunks: UnsafeMutableRawPointer
  private let sleepWord: UnsafeMutablePointer<UInt64>
  private let wakeEvent: CInt
  private var appended: UInt32 = 0
  private var published: UInt32 = 0

  @unsafe
  init(
    ring: consuming ProducerRing<HandOverEntry>, chunks: UnsafeMutableRawPointer,
    sleepWord: UnsafeMutablePointer<UInt64>, wakeEvent: CInt
  ) {
    self.ring = ring
    unsafe self.chunks = chunks
    unsafe self.sleepWord = sleepWord
    self.wakeEvent = wakeEvent
  }

  /// Copies a frame onto the path; false if that has no room for all of it.
  mutating func append(
    _ frame: Frame, to port: UInt16, from memory: borrowing FrameMemory
  ) -> Bool {
    let entry = HandOverEntry(port: port, length: frame.length)
    let count = entry.chunkCount
    guard ring.room(for: count) == count else { return false }
    for index in 0..<Int(count) {
      let place = Int(appended & (HandOverMemory.capacity &- 1))
      unsafe memory.gather(
        frame, from: index &* HandOverMemory.chunkLength, count: entry.length(ofChunk: index),
        into: chunks + place &* HandOverMemory.chunkLength)
      appended &+= 1
      _ = ring.append(entry)
    }
    return true
  }

  /// Makes what was appended visible, and wakes a worker that sleeps.
  ///
  /// The fence is one half of a handshake, `HandOverReceiver.fallAsleep` the other: either the
  /// sleeper sees the frames, or we see that it sleeps.
  mutating func publish() {
    guard appended != published else { return }
    published = appended
    ring.publish()
    cintrinsics_fence_full()
    if unsafe cintrinsics_load_relaxed_64(sleepWord) != 0 { signal(wakeEvent) }
  }
}

/// One worker's end of the path from another.
///
/// Proof of safety: as for `HandOverSender`; lengths come from a worker of this process and are
/// those of frames that fitted as many chunks as they have entries.
@safe
struct HandOverReceiver: ~Copyable {
  private var ring: ConsumerRing<HandOverEntry>
  private let chunks: UnsafeMutableRawPointer
  private let sleepWord: UnsafeMutablePointer<UInt64>
  private var taken: UInt32 = 0

  @unsafe
  init(
    ring: consuming ConsumerRing<HandOverEntry>, chunks: UnsafeMutableRawPointer,
    sleepWord: UnsafeMutablePointer<UInt64>
  ) {
    self.ring = ring
    unsafe self.chunks = chunks
    unsafe self.sleepWord = sleepWord
  }

  /// Takes the next frame, copied to chunks of `memory`; nil if there is none.
  ///
  /// The frame is nil if too few chunks were free for it. All its entries were published together.
  mutating func next(into memory: inout FrameMemory) -> HandedFrame? {
    guard let entry = ring.next() else { return nil }
    let frame = memory.takeChain(length: Int(entry.length))
    for index in 0..<Int(entry.chunkCount) {
      if index > 0 { _ = ring.next() }
      let place = Int(taken & (HandOverMemory.capacity &- 1))
      taken &+= 1
      guard let frame else { continue }
      unsafe memory.scatter(
        chunks + place &* HandOverMemory.chunkLength, count: entry.length(ofChunk: index),
        into: frame, at: index &* HandOverMemory.chunkLength)
    }
    return HandedFrame(port: entry.port, frame: frame)
  }

  /// Gives the places of all frames taken back.
  mutating func release() { ring.release() }

  /// Says that this worker is about to sleep; false if there are frames, and it must not.
  mutating func fallAsleep() -> Bool {
    unsafe cintrinsics_store_relaxed_64(sleepWord, 1)
    cintrinsics_fence_full()
    return ring.refreshedReadyCount() == 0
  }

  /// Says that this worker is awake.
  func wakeUp() { unsafe cintrinsics_store_relaxed_64(sleepWord, 0) }
}

/// A frame that came from another worker.
struct HandedFrame: BitwiseCopyable {
  /// The port it goes to.
  let port: UInt16
  /// The copy; nil if there was no chunk for it.
  let frame: Frame?
}
