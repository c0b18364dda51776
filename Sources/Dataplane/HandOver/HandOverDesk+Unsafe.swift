// SPDX-License-Identifier: Apache-2.0

/// A worker's ends of the paths to and from all other workers; none if it is alone.
///
/// Elements are changed through a pointer of their own: the compiler (Swift 6.3) breaks on changing
/// them through a subscript when it builds for the thread sanitizer.
///
/// Proof of safety: both arrays have `peerCount` initialised elements; `memory` is held for the
/// ends' pointers.
@safe
struct HandOverDesk: ~Copyable {
  /// Other workers.
  let peerCount: Int
  private let worker: Int
  private let memory: HandOverMemory?
  private let senders: UnsafeMutablePointer<HandOverSender>
  private let receivers: UnsafeMutablePointer<HandOverReceiver>
  private var hasUnpublished = false

  /// The desk of a worker that is alone.
  init() {
    peerCount = 0
    worker = 0
    memory = nil
    unsafe senders = .allocate(capacity: 0)
    unsafe receivers = .allocate(capacity: 0)
  }

  /// The desk of worker number `worker`; made once for each.
  ///
  /// - `wakeEvents`: by worker, signalled when that one sleeps and has got a frame.
  init(worker: Int, memory: HandOverMemory, wakeEvents: [CInt]) {
    peerCount = memory.workerCount - 1
    self.worker = worker
    self.memory = memory
    unsafe senders = .allocate(capacity: peerCount)
    unsafe receivers = .allocate(capacity: peerCount)
    for place in 0..<peerCount {
      let other = place < worker ? place : place + 1
      unsafe (senders + place).initialize(
        to: memory.sender(from: worker, to: other, wakeEvent: wakeEvents[other]))
      unsafe (receivers + place).initialize(to: memory.receiver(from: other, to: worker))
    }
  }

  deinit {
    unsafe senders.deinitialize(count: peerCount)
    unsafe receivers.deinitialize(count: peerCount)
    unsafe senders.deallocate()
    unsafe receivers.deallocate()
  }

  /// Copies a frame onto the path to another worker; false if there is none or it is full.
  mutating func send(
    _ frame: Frame, to other: Int, port: UInt16, from frames: borrowing FrameMemory
  ) -> Bool {
    let place = other < worker ? other : other - 1
    guard place >= 0 && place < peerCount else { return false }
    hasUnpublished = true
    let sender = unsafe senders + place
    return unsafe sender.pointee.append(frame, to: port, from: frames)
  }

  /// Makes what was sent visible to the others.
  mutating func publish() {
    guard hasUnpublished else { return }
    hasUnpublished = false
    for place in 0..<peerCount {
      let sender = unsafe senders + place
      unsafe sender.pointee.publish()
    }
  }

  /// The next frame from the worker at `place`.
  mutating func next(at place: Int, into frames: inout FrameMemory) -> HandedFrame? {
    let receiver = unsafe receivers + place
    return unsafe receiver.pointee.next(into: &frames)
  }

  /// Gives the places of all frames taken from the worker at `place` back.
  mutating func release(at place: Int) {
    let receiver = unsafe receivers + place
    unsafe receiver.pointee.release()
  }

  /// Says to all others that this worker is about to sleep; false if it must not.
  mutating func fallAsleep() -> Bool {
    var mayFall = true
    for place in 0..<peerCount {
      let receiver = unsafe receivers + place
      if unsafe !receiver.pointee.fallAsleep() { mayFall = false }
    }
    return mayFall
  }

  /// Says to all others that this worker is awake.
  func wakeUp() {
    for place in 0..<peerCount { unsafe receivers[place].wakeUp() }
  }
}
