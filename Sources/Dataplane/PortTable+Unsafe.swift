// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Forwarding
internal import Glibc

/// The queues a worker serves, in slots that never move.
///
/// The engine fills a slot, then tells the worker by command; the worker empties its hands of it,
/// then tells the engine by the command's completion. So each slot has one owner at any time, and
/// the worker's loop allocates nothing when a port comes or goes.
///
/// The worker keeps two lists of the slots it serves. It looks at the RX rings of those that are
/// polled; the kernel tells it, through `poller`, when one of the others has something. What is
/// pending has something to hand to the kernel or to take back. So a breath costs nothing for the
/// ports that are silent, however many there are.
///
/// Proof of safety: all arrays have `capacity` elements and live as long as this value, which the
/// worker and the engine both hold on to until the thread has ended; slots are checked against
/// `capacity`, and a slot is on a list at most once, which its queue's marks say; the hand-over
/// above keeps the two sides off one slot.
@safe
public final class PortTable: @unchecked Sendable {
  /// Slots.
  public static let capacity = 2048

  /// No slot.
  static let none: UInt16 = .max
  /// Set in what stands for a port whose frames another worker carries; that worker's number is in
  /// the low bits.
  static let carrierBit: UInt16 = 0x8000

  let queues: UnsafeMutablePointer<PortQueue>
  // Only the worker touches the lists and what follows from them.
  private let polled: UnsafeMutablePointer<UInt16>
  /// Slots whose RX rings a breath looks at.
  private(set) var polledCount = 0
  private let pending: UnsafeMutablePointer<UInt16>
  private(set) var pendingCount = 0
  private let served: UnsafeMutablePointer<UInt16>
  private var servedCount = 0
  /// Slots that the kernel watches for us.
  private(set) var watchedCount = 0
  /// When slots were last left to the kernel's watch.
  private var settledTicks: UInt64 = 0
  /// Becomes readable when a watched slot has something; or negative, and everything is polled.
  let poller: CInt
  private let ready: UnsafeMutablePointer<UInt32>
  /// By port: the slot to send through, or who carries its frames.
  private let transmit: UnsafeMutablePointer<UInt16>
  // By slot, untouched in those without faults; see Faults/.
  let injectors: UnsafeMutablePointer<FaultInjector>
  let faultSettings: UnsafeMutablePointer<FaultSettings>

  /// A table without ports.
  public init() {
    unsafe queues = .allocate(capacity: PortTable.capacity)
    unsafe polled = .allocate(capacity: PortTable.capacity)
    unsafe pending = .allocate(capacity: PortTable.capacity)
    unsafe served = .allocate(capacity: PortTable.capacity)
    unsafe ready = .allocate(capacity: PortTable.readyCountMax)
    unsafe transmit = .allocate(capacity: Int(UInt16.max) + 1)
    unsafe injectors = PortTable.makeInjectors()
    unsafe faultSettings = .allocate(capacity: PortTable.capacity)
    unsafe transmit.initialize(repeating: PortTable.none, count: Int(UInt16.max) + 1)
    poller = clinux_poller()
  }

  deinit {
    unsafe queues.deallocate()
    unsafe polled.deallocate()
    unsafe pending.deallocate()
    unsafe served.deallocate()
    unsafe ready.deallocate()
    unsafe transmit.deallocate()
    unsafe free(injectors)
    unsafe faultSettings.deallocate()
    if poller >= 0 { close(poller) }
  }

  /// Puts a queue into a slot nobody serves.
  ///
  /// The engine's side.
  public func fill(_ slot: UInt16, with queue: consuming PortQueue) {
    precondition(slot < PortTable.capacity, "a slot of the table")
    unsafe (queues + Int(slot)).initialize(to: queue)
  }

  /// Takes the queue out of a slot nobody serves any more.
  ///
  /// The engine's side.
  public func empty(_ slot: UInt16) {
    precondition(slot < PortTable.capacity, "a slot of the table")
    unsafe (queues + Int(slot)).deinitialize(count: 1)
  }

  /// A polled slot, to receive from it.
  @inline(__always)
  func polledSlot(_ place: Int) -> UInt16 { unsafe polled[place] }

  /// The slot to send through to a port, `none`, or a carrier.
  @inline(__always)
  func slot(for port: PortIndex) -> UInt16 { unsafe transmit[Int(port.number)] }

  /// Has another worker carry what goes to a port that has no queue here, or nobody (`nil`).
  ///
  /// The worker's side.
  func setCarrier(_ worker: Int?, of port: PortIndex) {
    unsafe transmit[Int(port.number)] =
      worker.map { PortTable.carrierBit | UInt16($0) } ?? PortTable.none
  }

  /// Starts serving a filled slot.
  ///
  /// The worker's side.
  public func start(_ slot: UInt16) {
    let queue = unsafe queues + Int(slot)
    unsafe served[servedCount] = slot
    servedCount += 1
    poll(slot)
    markPending(slot)
    let port = Int(unsafe queue.pointee.port.number)
    if unsafe transmit[port] >= PortTable.capacity { unsafe transmit[port] = slot }
  }

  /// Starts serving a filled slot, with few chunks if few of the worker's are left.
  ///
  /// They are on the fill ring when this returns: whoever gave the command may be told before the
  /// breath ends, and frames that come from then on need them.
  func start(_ slot: UInt16, memory: inout FrameMemory) {
    unsafe queues[Int(slot)].startModestly(free: memory.freeCount, of: memory.chunkCount)
    unsafe queues[Int(slot)].replenish(slot: slot, memory: &memory)
    start(slot)
  }

  /// Stops serving a slot.
  ///
  /// The worker's side.
  func stop(_ slot: UInt16) {
    guard let place = (0..<servedCount).first(where: { unsafe served[$0] == slot }) else { return }
    servedCount -= 1
    unsafe served[place] = served[servedCount]
    let queue = unsafe queues + Int(slot)
    if unsafe queue.pointee.isPolled {
      leavePolled((0..<polledCount).first { unsafe polled[$0] == slot } ?? 0)
    } else {
      unwatch(slot)
    }
    if unsafe queue.pointee.isPending {
      leavePending((0..<pendingCount).first { unsafe pending[$0] == slot } ?? 0)
    }
    let port = unsafe queue.pointee.port
    guard unsafe transmit[Int(port.number)] == slot else { return }
    let other = (0..<servedCount).first { unsafe queues[Int(served[$0])].port == port }
    unsafe transmit[Int(port.number)] = other.map { unsafe served[$0] } ?? PortTable.none
  }

  /// Has a breath look at the slot's RX ring.
  private func poll(_ slot: UInt16) {
    unsafe queues[Int(slot)].isPolled = true
    unsafe polled[polledCount] = slot
    polledCount += 1
  }

  private func leavePolled(_ place: Int) {
    unsafe queues[Int(polled[place])].isPolled = false
    polledCount -= 1
    unsafe polled[place] = polled[polledCount]
  }

  private func unwatch(_ slot: UInt16) {
    guard let descriptor = unsafe queues[Int(slot)].backing.descriptor else { return }
    _ = clinux_poller_remove(poller, descriptor)
    watchedCount -= 1
  }

  /// Polls the slots again of which the kernel says that something has come.
  func pollReady() {
    guard watchedCount > 0 else { return }
    let count = unsafe clinux_poller_ready(poller, ready, CInt(PortTable.readyCountMax))
    for index in 0..<max(Int(count), 0) {
      let slot = UInt16(truncatingIfNeeded: unsafe ready[index])
      unwatch(slot)
      poll(slot)
    }
  }

  /// Leaves slots to the kernel's watch that received nothing for `settleTicks`, but for a few;
  /// `ticks` is the time.
  func settle(at ticks: UInt64) {
    guard ticks &- settledTicks >= PortTable.settleTicks else { return }
    settledTicks = ticks
    var place = polledCount - 1
    while place >= 0 {
      let wasQuiet = unsafe queues[Int(polled[place])].settle()
      if wasQuiet && polledCount > PortTable.polledCountMin { watch(place) }
      place -= 1
    }
  }

  /// Lowers the fill targets of slots that were granted more than bursts have used since the last
  /// call.
  func lowerFillTargets() {
    for place in 0..<servedCount { unsafe queues[Int(served[place])].lowerFillTarget() }
  }

  /// Leaves a polled slot to the kernel's watch, if it can be.
  private func watch(_ place: Int) {
    let slot = unsafe polled[place]
    guard let descriptor = unsafe queues[Int(slot)].backing.descriptor, !hasFaults(slot),
      clinux_poller_add(poller, descriptor, UInt32(slot)) == 0
    else { return }
    leavePolled(place)
    watchedCount += 1
  }

  /// Slots that stay polled even when they are silent: looking at so few costs less than a call.
  static var polledCountMin: Int { 8 }
  /// Between two looks at which slots are silent: more than 50 ms on all processors there are.
  ///
  /// Not breaths, which may be so short that a port with some frames each millisecond would be left
  /// to the kernel, and taken back, for each of them.
  static var settleTicks: UInt64 { 1 << 28 }
  /// Slots that come back from the kernel's watch at a time.
  private static var readyCountMax: Int { 64 }
}

/// What a breath does with a slot, by number: the queue behind it never moves and is never copied.
extension PortTable {
  @inline(__always)
  func port(of slot: UInt16) -> PortIndex { unsafe queues[Int(slot)].port }

  @inline(__always)
  func kind(of slot: UInt16) -> PortKind { unsafe queues[Int(slot)].kind }

  @inline(__always)
  func frameLengthMax(of slot: UInt16) -> UInt32 { unsafe queues[Int(slot)].frameLengthMax }

  /// Draws a batch from a slot that is served.
  ///
  /// The worker's side.
  @inline(__always)
  public func receive(_ slot: UInt16, into batch: inout Batch, memory: inout FrameMemory) {
    guard unsafe queues[Int(slot)].receive(into: &batch, memory: &memory) else { return }
    unsafe queues[Int(slot)].wasBusy = true
    markPending(slot)
  }

  /// Puts a frame on the TX ring of a slot that is served; false if it is full.
  ///
  /// The worker's side.
  @inline(__always)
  public func send(_ frame: Frame, _ slot: UInt16, memory: inout FrameMemory) -> Bool {
    let isSent = unsafe queues[Int(slot)].send(frame, slot: slot, memory: &memory)
    if isSent { markPending(slot) }
    return isSent
  }

  /// Puts the frames from row `first` on that go the same way on the TX ring of a slot that is
  /// served; returns how many it took.
  ///
  /// The worker's side.
  @inline(__always)
  public func send(
    _ batch: inout Batch, from first: Int, _ slot: UInt16, memory: inout FrameMemory
  ) -> Int {
    let count = unsafe queues[Int(slot)].send(&batch, from: first, slot: slot, memory: &memory)
    if count > 0 { markPending(slot) }
    return count
  }

  @inline(__always)
  private func markPending(_ slot: UInt16) {
    guard unsafe !queues[Int(slot)].isPending else { return }
    unsafe queues[Int(slot)].isPending = true
    unsafe pending[pendingCount] = slot
    pendingCount &+= 1
  }

  private func leavePending(_ place: Int) {
    unsafe queues[Int(pending[place])].isPending = false
    pendingCount &-= 1
    unsafe pending[place] = pending[pendingCount]
  }

  /// Flushes TX, takes completions back and tops the fill ring up, for every pending slot.
  ///
  /// Those that are finished are pending no more. The worker's side.
  @inline(__always)
  public func exhale(memory: inout FrameMemory) -> Exhalation {
    var result = Exhalation()
    var place = pendingCount &- 1
    while place >= 0 {
      let slot = unsafe pending[place]
      let queue = unsafe queues + Int(slot)
      result.wakeups &+= unsafe queue.pointee.flush(memory: &memory)
      unsafe queue.pointee.complete(memory: &memory)
      unsafe queue.pointee.replenish(slot: slot, memory: &memory)
      result.isOwing = unsafe result.isOwing || queue.pointee.owesWakeup
      result.brokenCount &+= unsafe queue.pointee.takeBroken()
      if unsafe !queue.pointee.isUnfinished { leavePending(place) }
      place &-= 1
    }
    return result
  }

  /// Writes what a sleeping worker waits for: `first`, the poller and every polled socket.
  ///
  /// Returns how many.
  func fill(_ waiting: UnsafeMutableBufferPointer<pollfd>, first: CInt) -> Int {
    unsafe waiting[0] = pollfd(fd: first, events: Int16(POLLIN), revents: 0)
    unsafe waiting[1] = pollfd(fd: poller, events: Int16(POLLIN), revents: 0)
    var count = 2
    for place in 0..<polledCount {
      let slot = Int(polledSlot(place))
      guard let descriptor = unsafe queues[slot].backing.descriptor else { continue }
      unsafe waiting[count] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      count += 1
    }
    return count
  }
}

/// What came of handing everything to the kernel.
public struct Exhalation {
  /// System calls that made the kernel send.
  public var wakeups = 0
  /// The kernel stopped before some TX ring was empty, and is to be called again.
  public var isOwing = false
  /// Frames received whose pieces do not make a frame.
  public var brokenCount = 0
}
