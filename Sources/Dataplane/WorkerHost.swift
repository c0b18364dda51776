// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Forwarding
internal import Glibc
internal import Sealing
internal import Synchronization
internal import Tables
internal import Telemetry
internal import XDP

/// The engine's side of one worker: its thread, its memory, the rings that lead to it.
final class WorkerHost: Sendable {
  let index: Int
  let core: Int
  let ends: WorkerEnds
  let thread: WorkerThread
  /// Wakes the worker; whoever ends the engine closes it.
  let event: CInt
  private let isMultiPiece: Bool
  private let state: Mutex<State>

  struct State: ~Copyable {
    var commands: ProducerRing<WorkerCommand>
    var hints: ConsumerRing<Hint>
    var controlFrames: ConsumerRing<ControlFrame>
    var orders: ProducerRing<ControlOrder>
    var issued: UInt64 = 0
    var freeSlots: [UInt16] = (0..<UInt16(PortTable.capacity)).reversed()
    /// Registered with the first socket, whose registration all later ones share.
    var umem: UMEM?
  }

  /// What an engine's workers have in common.
  struct Common {
    let options: Engine.Options
    let snapshot: SnapshotMemory
    let hintEvent: CInt
    let keys: FrameKeys
    /// By worker: signalled after new commands, and when it sleeps and is handed a frame.
    let events: [CInt]
    /// The ways between workers; nil if there is one only.
    let handOver: HandOverMemory?
  }

  /// Starts worker number `index`; takes its event over.
  init(index: Int, core: Int, common: Common) throws(DataplaneError) {
    self.index = index
    self.core = core
    let options = common.options
    isMultiPiece = options.isMultiPiece
    do {
      ends = try WorkerEnds(frameCount: options.frameCount)
    } catch {
      throw .memory(error)
    }
    event = common.events[index]
    state = Mutex(
      State(
        commands: ends.commandEnd(), hints: ends.hintEnd(),
        controlFrames: ends.controlFrameEnd(), orders: ends.orderEnd()))
    thread = try WorkerThread(
      worker: ends.makeWorker(
        snapshot: common.snapshot, index: index, hintEvent: common.hintEvent,
        keys: common.keys, handOver: common.handOver, wakeEvents: common.events),
      core: UInt32(core), mode: options.idle, commandEvent: event)
  }

  /// The worker's frame memory, registered with the kernel on first use.
  func umem() throws(DataplaneError) -> UMEM { try umem(isRenewed: false) }

  /// The same memory, registered once more for the sockets to come; those that are open keep the
  /// registration they have.
  func renewedUMEM() throws(DataplaneError) -> UMEM { try umem(isRenewed: true) }

  private func umem(isRenewed: Bool) throws(DataplaneError) -> UMEM {
    let result: Result<UMEM, XDPError> = state.withLock { state in
      if let umem = state.umem, !isRenewed { return .success(umem) }
      do throws(XDPError) {
        let umem = try UMEM(memory: ends.frames, isMultiPiece: isMultiPiece)
        state.umem = umem
        return .success(umem)
      } catch {
        return .failure(error)
      }
    }
    switch result {
    case .success(let umem): return umem
    case .failure(let error): throw .socket(error)
    }
  }

  /// Reserves a slot, or nil if all are in use.
  func takeSlot() -> UInt16? { state.withLock { $0.freeSlots.popLast() } }

  func giveSlot(_ slot: UInt16) { state.withLock { $0.freeSlots.append(slot) } }

  /// Gives the worker a command and waits until it is carried out.
  func command(_ command: WorkerCommand) throws(DataplaneError) {
    let wanted: UInt64? = state.withLock { state in
      guard state.commands.append(command) else { return nil }
      state.commands.publish()
      state.issued += 1
      return state.issued
    }
    guard let wanted else { throw .workerSilent(index) }
    clinux_event_signal(event)
    // Awake workers answer within a breath; a second of 50 µs naps is for a starved core.
    for _ in 0..<60_000 {
      if ends.commandsDone.value(at: 0) >= wanted { return }
      usleep(50)
    }
    throw .workerSilent(index)
  }

  /// Whether the worker has carried out every command.
  var hasAnswered: Bool {
    state.withLock { ends.commandsDone.value(at: 0) >= $0.issued }
  }

  func takeHints(_ body: (Hint) -> Void) {
    state.withLock { state in
      while let hint = state.hints.next() { body(hint) }
      state.hints.release()
    }
  }

  func takeControlFrames(_ body: (ControlFrame) -> Void) {
    state.withLock { state in
      while let frame = state.controlFrames.next() { body(frame) }
      state.controlFrames.release()
    }
  }

  /// Has the worker send frames, in order; false if it has too many to send already.
  func order(_ orders: [ControlOrder]) -> Bool {
    let isTaken = state.withLock { state in
      defer { state.orders.publish() }
      return orders.allSatisfy { state.orders.append($0) }
    }
    clinux_event_signal(event)
    return isTaken
  }

  func stop() {
    try? command(WorkerCommand(.stop))
    thread.join()
  }
}
