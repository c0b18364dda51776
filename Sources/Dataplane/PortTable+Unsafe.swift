// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Glibc

/// The queues a worker serves, in slots that never move.
///
/// The engine fills a slot, then tells the worker by command; the worker empties its hands of it,
/// then tells the engine by the command's completion. So each slot has one owner at any time, and
/// the worker's loop allocates nothing when a port comes or goes.
///
/// Proof of safety: all arrays have `capacity` elements and live as long as this value, which the
/// worker and the engine both hold on to until the thread has ended; slots are checked against
/// `capacity`; the hand-over above keeps the two sides off one slot.
@safe
public final class PortTable: @unchecked Sendable {
  /// Slots.
  public static let capacity = 2048

  /// No slot.
  static let none: UInt16 = .max

  let queues: UnsafeMutablePointer<PortQueue>
  /// Slots being served, the first `activeCount` elements.
  ///
  /// Only the worker touches these.
  private let active: UnsafeMutablePointer<UInt16>
  private(set) var activeCount = 0
  /// By port: the slot to send through.
  ///
  /// Only the worker touches these.
  private let transmit: UnsafeMutablePointer<UInt16>
  // By slot, untouched in those without faults; see Faults/.
  let injectors: UnsafeMutablePointer<FaultInjector>
  let faultSettings: UnsafeMutablePointer<FaultSettings>

  /// A table without ports.
  public init() {
    unsafe queues = .allocate(capacity: PortTable.capacity)
    unsafe active = .allocate(capacity: PortTable.capacity)
    unsafe transmit = .allocate(capacity: Int(UInt16.max) + 1)
    unsafe injectors = PortTable.makeInjectors()
    unsafe faultSettings = .allocate(capacity: PortTable.capacity)
    unsafe transmit.initialize(repeating: PortTable.none, count: Int(UInt16.max) + 1)
  }

  deinit {
    unsafe queues.deallocate()
    unsafe active.deallocate()
    unsafe transmit.deallocate()
    unsafe free(injectors)
    unsafe faultSettings.deallocate()
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

  /// The slot at a place of the active list, to serve it.
  @inline(__always)
  func activeSlot(_ place: Int) -> UInt16 { unsafe active[place] }

  /// The slot to send through to a port, or `none`.
  @inline(__always)
  func slot(for port: PortIndex) -> UInt16 { unsafe transmit[Int(port.number)] }

  /// Starts serving a filled slot.
  ///
  /// The worker's side.
  public func start(_ slot: UInt16) {
    let port = unsafe queues[Int(slot)].port
    unsafe active[activeCount] = slot
    activeCount += 1
    if unsafe transmit[Int(port.number)] == PortTable.none {
      unsafe transmit[Int(port.number)] = slot
    }
  }

  /// Stops serving a slot.
  ///
  /// The worker's side.
  func stop(_ slot: UInt16) {
    guard let place = (0..<activeCount).first(where: { unsafe active[$0] == slot }) else { return }
    activeCount -= 1
    unsafe active[place] = active[activeCount]
    let port = unsafe queues[Int(slot)].port
    guard unsafe transmit[Int(port.number)] == slot else { return }
    let other = (0..<activeCount).first { unsafe queues[Int(active[$0])].port == port }
    unsafe transmit[Int(port.number)] = other.map { unsafe active[$0] } ?? PortTable.none
  }
}

/// What a breath does with a slot, by number: the queue behind it never moves and is never copied.
extension PortTable {
  @inline(__always)
  func port(of slot: UInt16) -> PortIndex { unsafe queues[Int(slot)].port }

  @inline(__always)
  func kind(of slot: UInt16) -> PortKind { unsafe queues[Int(slot)].kind }

  @inline(__always)
  func frameLengthMax(of slot: UInt16) -> UInt32 { unsafe queues[Int(slot)].frameLengthMax }

  @inline(__always)
  func owesWakeup(_ slot: UInt16) -> Bool { unsafe queues[Int(slot)].owesWakeup }

  /// Draws a batch from a slot that is served.
  ///
  /// The worker's side.
  @inline(__always)
  public func receive(_ slot: UInt16, into batch: inout Batch, memory: borrowing FrameMemory) {
    unsafe queues[Int(slot)].receive(into: &batch, memory: memory)
  }

  /// Puts a frame on the TX ring of a slot that is served; false if it is full.
  ///
  /// The worker's side.
  @inline(__always)
  public func send(_ frame: Frame, _ slot: UInt16, memory: inout FrameMemory) -> Bool {
    unsafe queues[Int(slot)].send(frame, slot: slot, memory: &memory)
  }

  /// Puts the frames from row `first` on that go the same way on the TX ring of a slot that is
  /// served; returns how many it took.
  ///
  /// The worker's side.
  @inline(__always)
  public func send(
    _ batch: inout Batch, from first: Int, _ slot: UInt16, memory: inout FrameMemory
  ) -> Int {
    unsafe queues[Int(slot)].send(&batch, from: first, slot: slot, memory: &memory)
  }

  /// Flushes TX, takes completions back, tops the fill ring up; returns the wakeups it took.
  ///
  /// The worker's side.
  @inline(__always)
  public func exhale(_ slot: UInt16, memory: inout FrameMemory) -> Int {
    let wakeups = unsafe queues[Int(slot)].flush(memory: &memory)
    unsafe queues[Int(slot)].complete(memory: &memory)
    unsafe queues[Int(slot)].replenish(slot: slot, memory: &memory)
    return wakeups
  }

  /// Writes what a sleeping worker waits for, `first` and every served socket; returns how many.
  func fill(_ waiting: UnsafeMutableBufferPointer<pollfd>, first: CInt) -> Int {
    unsafe waiting[0] = pollfd(fd: first, events: Int16(POLLIN), revents: 0)
    var count = 1
    for place in 0..<activeCount {
      let slot = Int(activeSlot(place))
      guard case .socket(let descriptor) = unsafe queues[slot].backing else { continue }
      unsafe waiting[count] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      count += 1
    }
    return count
  }
}
