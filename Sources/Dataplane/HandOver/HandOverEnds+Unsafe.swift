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

  /// Copies a frame onto the path; false if that is full.
  mutating func append(
    _ frame: Frame, to port: UInt16, from memory: borrowing FrameMemory
  ) -> Bool {
    guard ring.freeCountSeen > 0 || ring.refreshedFreeCount() > 0,
      Int(frame.length) <= HandOverMemory.chunkLength
    else { return false }
    let place = Int(appended & (HandOverMemory.capacity &- 1))
    unsafe memcpy(
      chunks + place &* HandOverMemory.chunkLength, memory.base + Int(frame.address),
      Int(frame.length))
    appended &+= 1
    return ring.append(HandOverEntry(port: port, length: frame.length))
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
/// those of frames that fitted a chunk.
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

  /// Takes the next frame, copied to a chunk of `memory`; nil if there is none.
  ///
  /// The frame is nil if no chunk was free for it.
  mutating func next(into memory: inout FrameMemory) -> HandedFrame? {
    guard let entry = ring.next() else { return nil }
    let place = Int(taken & (HandOverMemory.capacity &- 1))
    taken &+= 1
    let frame = unsafe memory.copy(
      chunks + place &* HandOverMemory.chunkLength, length: entry.length)
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
