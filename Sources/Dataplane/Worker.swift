// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics
public import Forwarding
public import Sealing
public import Tables
public import Telemetry

/// One core's loop over its queues.
///
/// Everything a breath needs is in here or behind a pointer that was made at start: it allocates
/// nothing, takes no lock, and counts every frame that comes in until it is sent or dropped.
public struct Worker: ~Copyable {
  // Hot: touched for every batch.
  var batch = Batch()
  var memory: FrameMemory
  var hints: HintSender
  let ports: PortTable
  let reader: SnapshotReader
  let counters: CounterBlock
  /// Signalled after new hints; -1 in tests that poll the ring.
  let hintEvent: CInt

  /// Frames that injectors keep (Faults/).
  var heldCount = 0
  /// Breaths so far, for what is not done in each of them.
  private var breathNumber: UInt32 = 0
  /// Ways to the other workers and back (HandOver/).
  var desk: HandOverDesk

  /// Reports to the control plane.
  var controlFrames: ProducerRing<ControlFrame>
  /// Reports appended since they were last published.
  var reportCount: UInt64 = 0
  /// What seals and opens.
  let keys: FrameKeys
  /// Datagrams of sleeve that are open while a batch is disposed of.
  var packer = SleevePacker()
  /// What came sealed while it is opened.
  var arrivals = SealedArrivals()
  /// Datagrams of sleeve whose frames follow the batch's others.
  var datagrams = OpenedDatagrams()

  // Cold: touched once a breath or less, or only while a trace is under way.
  var commands: ConsumerRing<WorkerCommand>
  /// Frames that the control plane wants sent.
  var orders: ConsumerRing<ControlOrder>
  /// Commands carried out, for whoever waits for one.
  let commandsDone: CounterBlock
  var isStopping = false
  var tracer: Tracer
  /// What may still be told to senders of frames that are too long.
  var answers = AnswerAllowance()
  /// Heartbeats that may still be reported although they came from addresses that are nobody's.
  var strangers = AnswerAllowance()

  /// What a worker is made of.
  public struct Parts: ~Copyable {
    var memory: FrameMemory
    var hints: ProducerRing<Hint>
    var commands: ConsumerRing<WorkerCommand>
    var reader: SnapshotReader
    let ports: PortTable
    let counters: CounterBlock
    let commandsDone: CounterBlock
    let hintEvent: CInt
    let trace: TraceDesk
    let index: Int
    var controlFrames: ProducerRing<ControlFrame>
    var orders: ConsumerRing<ControlOrder>
    let keys: FrameKeys
    var desk = HandOverDesk()

    /// Gathers the parts.
    ///
    /// - `counters`: `WorkerCounter.blockCount` counters.
    /// - `commandsDone`: one counter.
    /// - `hintEvent`: an event counter to signal after new hints, or -1.
    /// - `trace`: where traces are ordered; `index` is the worker's number in their records.
    /// - `keys`: shared by all workers.
    public init(
      memory: consuming FrameMemory, hints: consuming ProducerRing<Hint>,
      commands: consuming ConsumerRing<WorkerCommand>, reader: consuming SnapshotReader,
      ports: PortTable, counters: CounterBlock, commandsDone: CounterBlock, hintEvent: CInt,
      trace: TraceDesk, index: Int, controlFrames: consuming ProducerRing<ControlFrame>,
      orders: consuming ConsumerRing<ControlOrder>, keys: FrameKeys
    ) {
      self.memory = memory
      self.hints = hints
      self.commands = commands
      self.reader = reader
      self.ports = ports
      self.counters = counters
      self.commandsDone = commandsDone
      self.hintEvent = hintEvent
      self.trace = trace
      self.index = index
      self.controlFrames = controlFrames
      self.orders = orders
      self.keys = keys
    }
  }

  /// A worker without ports, reading snapshots from its first breath on.
  public init(_ parts: consuming Parts) {
    memory = parts.memory
    hints = HintSender(ring: parts.hints)
    ports = parts.ports
    reader = parts.reader
    counters = parts.counters
    hintEvent = parts.hintEvent
    commands = parts.commands
    commandsDone = parts.commandsDone
    tracer = Tracer(desk: parts.trace, worker: parts.index)
    controlFrames = parts.controlFrames
    orders = parts.orders
    keys = parts.keys
    desk = parts.desk
    reader.goOnline()
  }

  /// Free chunks, for tests and status.
  public var framesFree: Int { memory.freeCount }

  /// One breath: for every queue draw a batch, let the stages decide, dispose of every frame once;
  /// then hand everything to the kernel.
  ///
  /// Returns the number of frames drawn.
  public mutating func breathe() -> Int {
    takeCommands()
    let snapshot = reader.refresh()
    var drawn = 0
    breathNumber &+= 1
    // They count as drawn, so that the worker does not sleep while there are more of them.
    if orders.refreshedReadyCount() > 0 { drawn = takeOrders(snapshot: snapshot) }
    if breathNumber & Worker.pollReadyMask == 0 { ports.pollReady() }
    for place in 0..<ports.polledCount {
      drawn &+= serve(ports.polledSlot(place), snapshot: snapshot)
    }
    if desk.peerCount > 0 { drawn &+= takeOver() }
    let isOwing = exhale()
    if breathNumber & Worker.settleMask == 0 { settle() }
    reportHints()
    counters.add(1, to: WorkerCounter.breaths.rawValue)
    if drawn == 0 {
      counters.add(1, to: WorkerCounter.idleBreaths.rawValue)
    } else {
      counters.set(UInt64(memory.freeCount), at: WorkerCounter.framesFree.rawValue)
    }
    // A queue that owes a wakeup must not let the worker sleep, nor must a frame that is kept.
    return isOwing || heldCount > 0 ? max(drawn, 1) : drawn
  }

  /// Draws one batch from a queue and carries it to its end.
  @inline(__always)
  private mutating func serve(_ slot: UInt16, snapshot: ForwardingSnapshot) -> Int {
    ports.receive(slot, into: &batch, memory: &memory)
    guard !ports.hasFaults(slot) else { return serveFaulty(slot, snapshot: snapshot) }
    guard batch.count > 0 else { return 0 }
    let drawn = batch.count
    counters.begin()
    counters.add(UInt64(drawn), to: WorkerCounter.received.rawValue)
    carry(slot, snapshot: snapshot)
    counters.end()
    return drawn
  }

  /// Carries the batch through the stages to its frames' ends, and then those that were in its
  /// datagrams of sleeve.
  @inline(__always)
  mutating func carry(_ slot: UInt16, snapshot: ForwardingSnapshot) {
    guard !tracer.isArmed else { return carryTraced(slot, snapshot: snapshot) }
    decide(slot, snapshot: snapshot)
    disposeAll(snapshot: snapshot)
    if datagrams.count > 0 { unpackAll(slot, snapshot: snapshot) }
  }

  /// Runs the stages over the batch; `carryTraced` runs the same ones.
  @inline(__always)
  private mutating func decide(_ slot: UInt16, snapshot: ForwardingSnapshot) {
    batch.begin(from: Location(ports.port(of: slot)))
    let isFromUnderlay = ports.kind(of: slot) == .underlay
    if isFromUnderlay {
      OpenStage.process(&batch, memory: memory, snapshot: snapshot)
      if batch.sealedCount > 0 { decryptAll(snapshot: snapshot) }
    }
    decideOpened(isFromUnderlay: isFromUnderlay, snapshot: snapshot)
  }

  /// Runs the stages from the point on where every frame is what stations see.
  @inline(__always)
  mutating func decideOpened(isFromUnderlay: Bool, snapshot: ForwardingSnapshot) {
    ParseStage.process(&batch, memory: memory, snapshot: snapshot)
    LearnStage.process(&batch, snapshot: snapshot, reader: reader, hints: &hints)
    LookUpStage.process(&batch, snapshot: snapshot)
    if isFromUnderlay { clampArrivals() }
    EncapsulateStage.process(&batch, memory: &memory, snapshot: snapshot)
    if batch.relayCount > 0 {
      RelayStage.process(&batch, memory: &memory, snapshot: snapshot)
    }
  }

  /// Breaths from one look at the ports that the kernel watches to the next, less one.
  private static var pollReadyMask: UInt32 { 7 }
  /// Breaths from one look at the time to the next, less one.
  private static var settleMask: UInt32 { 255 }

  /// Breaths after which fill targets are looked at, less one: many, because those of a worker that
  /// spins pass in nanoseconds, and bursts of one connection are milliseconds apart.
  private static var fillMask: UInt32 { (1 << 18) - 1 }

  @inline(never)
  private mutating func settle() {
    ports.settle(at: cintrinsics_ticks())
    if breathNumber & Worker.fillMask == 0 { ports.lowerFillTargets() }
  }

  /// Publishes TX and what goes to other workers, takes completed chunks back and tops the fill
  /// rings up.
  ///
  /// True if a queue owes a wakeup because the kernel stopped early.
  @inline(__always)
  private mutating func exhale() -> Bool {
    let exhalation = ports.exhale(memory: &memory)
    desk.publish()
    if exhalation.brokenCount > 0 { noteBroken(exhalation.brokenCount) }
    if exhalation.wakeups > 0 {
      counters.add(UInt64(exhalation.wakeups), to: WorkerCounter.wakeups.rawValue)
    }
    return exhalation.isOwing
  }

  @inline(__always)
  private mutating func reportHints() {
    let counts = hints.publish()
    guard counts.sent | counts.lost | reportCount != 0 else { return }
    if reportCount > 0 { controlFrames.publish() }
    reportCount = 0
    counters.add(counts.sent, to: WorkerCounter.hints.rawValue)
    counters.add(counts.lost, to: WorkerCounter.hintsLost.rawValue)
    if hintEvent >= 0 { signal(hintEvent) }
  }

  private mutating func takeCommands() {
    guard commands.refreshedReadyCount() > 0 else { return }
    while let command = commands.next() {
      switch command.kind {
      case .startQueue: ports.start(command.slot, memory: &memory)
      case .stopQueue:
        discardHeld(command.slot)
        ports.stop(command.slot)
      case .startHandingOver: ports.setCarrier(Int(command.slot), of: command.port)
      case .stopHandingOver: ports.setCarrier(nil, of: command.port)
      case .reclaimQueue: _ = memory.reclaim(from: command.slot)
      case .setFaults: ports.applyFaults(command.slot)
      case .startTrace: tracer.arm()
      case .stopTrace: tracer.disarm()
      case .stop: isStopping = true
      }
      commandsDone.add(1, to: 0)
    }
    commands.release()
  }
}
