// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
internal import CLinux
internal import Forwarding
internal import Glibc
internal import Telemetry

/// A worker on a thread of its own, pinned to its core.
///
/// Proof of safety: the box is retained for the thread and released by it; between start and join
/// only the thread touches the worker; `join` happens once.
@safe
final class WorkerThread: @unchecked Sendable {
  private let box: Box
  /// The thread, as POSIX knows it.
  private(set) var thread: UInt64 = 0

  @safe
  private final class Box {
    var worker: Worker
    var policy: IdlePolicy
    let commandEvent: CInt
    /// Descriptors to sleep on; the first is `commandEvent`.
    var waiting: UnsafeMutableBufferPointer<pollfd>

    init(worker: consuming Worker, mode: IdleMode, commandEvent: CInt) {
      self.worker = worker
      policy = IdlePolicy(mode: mode)
      self.commandEvent = commandEvent
      unsafe waiting = .allocate(capacity: PortTable.capacity + 2)
    }

    deinit { unsafe waiting.deallocate() }
  }

  /// Starts the thread; throws the errno if the kernel refuses it, or its core.
  init(
    worker: consuming Worker, core: UInt32, mode: IdleMode, commandEvent: CInt
  ) throws(DataplaneError) {
    box = Box(worker: worker, mode: mode, commandEvent: commandEvent)
    let context = unsafe Unmanaged.passRetained(box).toOpaque()
    let result = unsafe clinux_start_pinned_thread(
      core, "weft-worker-\(core)", &thread,
      { context in
        guard let context = unsafe context else { return }
        let box = unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue()
        WorkerThread.run(box)
      }, context)
    guard result == 0 else {
      unsafe Unmanaged<Box>.fromOpaque(context).release()
      throw .thread(core: Int(core), number: -result)
    }
  }

  func join() { clinux_join_thread(thread) }

  /// The loop: breathe, and between breaths spin, pause or sleep as the policy says.
  private static func run(_ box: Box) {
    var started = cintrinsics_ticks()
    while !box.worker.isStopping {
      let drawn = box.worker.breathe()
      let ended = cintrinsics_ticks()
      if drawn > 0 {
        box.worker.counters.add(ended &- started, to: WorkerCounter.busyTicks.rawValue)
      }
      started = ended
      switch box.policy.step(after: drawn) {
      case .again: break
      case .pause(let count): for _ in 0..<count { cintrinsics_pause() }
      case .sleep:
        sleep(box)
        started = cintrinsics_ticks()
      }
    }
    box.worker.reader.goOffline()
  }

  /// Sleeps until a queue or another worker has frames, or a command arrives.
  ///
  /// Offline meanwhile, so that the snapshot's pages are not held back.
  private static func sleep(_ box: Box) {
    let count = unsafe box.worker.ports.fill(box.waiting, first: box.commandEvent)
    box.worker.counters.add(1, to: WorkerCounter.sleeps.rawValue)
    box.worker.reader.goOffline()
    let mayFall = box.worker.desk.fallAsleep()
    let ready = mayFall ? unsafe poll(box.waiting.baseAddress, nfds_t(count), 1000) : 0
    box.worker.desk.wakeUp()
    box.worker.reader.goOnline()
    if ready > 0, unsafe box.waiting[1].revents != 0 { box.worker.ports.pollReady() }
    if ready > 0, unsafe box.waiting[0].revents != 0 { clinux_event_clear(box.commandEvent) }
  }
}

/// Wakes whoever waits for an event counter.
func signal(_ event: CInt) { clinux_event_signal(event) }
