// SPDX-License-Identifier: Apache-2.0

internal import CLinux
public import Forwarding
public import Sealing
public import Tables
public import Telemetry

/// Everything one worker needs, and the other ends of it.
///
/// Proof of safety: counter blocks are cut from `counterMemory`, which is held here, and whoever
/// holds the worker holds this.
@safe
public final class WorkerEnds: @unchecked Sendable {
  /// The worker's frames.
  public let frames: MappedMemory
  /// The worker's slots.
  public let ports = PortTable()
  /// `WorkerCounter`s and drops.
  public let counters: CounterBlock
  /// Where a trace is ordered from the worker.
  public let trace: TraceDesk
  let commandsDone: CounterBlock
  private let counterMemory: MappedMemory
  private let hints: RingMemory<Hint>
  private let commands: RingMemory<WorkerCommand>
  private let controlFrames: RingMemory<ControlFrame>
  private let orders: RingMemory<ControlOrder>
  private let portBlocks: UnsafeMutablePointer<UInt64>

  /// Hints a worker can report before the control plane has to look.
  static var hintCapacity: UInt32 { 4096 }
  static var commandCapacity: UInt32 { 256 }
  /// Heartbeats and tests of a thousand neighbours, twice over.
  static var controlCapacity: UInt32 { 4096 }

  /// Maps what a worker with `frameCount` chunks needs; untouched memory costs nothing.
  public init(frameCount: Int) throws(MemoryError) {
    frames = try MappedMemory(length: frameCount * 4096, name: "weft-frames")
    hints = try RingMemory(capacity: WorkerEnds.hintCapacity, name: "weft-hints")
    commands = try RingMemory(capacity: WorkerEnds.commandCapacity, name: "weft-commands")
    controlFrames = try RingMemory(capacity: WorkerEnds.controlCapacity, name: "weft-reports")
    orders = try RingMemory(capacity: WorkerEnds.controlCapacity, name: "weft-orders")
    trace = try TraceDesk()
    let worker = CounterBlock.wordCount(for: WorkerCounter.blockCount)
    let done = CounterBlock.wordCount(for: 1)
    let words = worker + done + PortTable.capacity * WorkerEnds.portWords
    counterMemory = try MappedMemory(length: words * 8, name: "weft-counters")
    let base = unsafe counterMemory.base.assumingMemoryBound(to: UInt64.self)
    counters = unsafe CounterBlock(words: base, count: WorkerCounter.blockCount)
    commandsDone = unsafe CounterBlock(words: base + worker, count: 1)
    unsafe portBlocks = base + worker + done
  }

  private static var portWords: Int { CounterBlock.wordCount(for: PortCounter.allCases.count) }

  /// The counters of the queue in a slot (`PortCounter`).
  public func portCounters(slot: UInt16) -> CounterBlock {
    precondition(slot < PortTable.capacity, "a slot of the table")
    return unsafe CounterBlock(
      words: portBlocks + Int(slot) * WorkerEnds.portWords, count: PortCounter.allCases.count)
  }

  /// The worker itself; made once.
  ///
  /// - `index`: the worker's number, which is its line in the snapshot memory.
  /// - `hintEvent`: signalled after new hints and reports, or -1.
  /// - `keys`: shared by all workers.
  /// - `handOver`: the ways to other workers; nil if this one is alone.
  /// - `wakeEvents`: by worker, signalled when that one sleeps and was handed a frame.
  public func makeWorker(
    snapshot: SnapshotMemory, index: Int, hintEvent: CInt,
    keys: FrameKeys = FrameKeys(),
    handOver: HandOverMemory? = nil, wakeEvents: [CInt] = []
  ) -> Worker {
    var parts = Worker.Parts(
      memory: FrameMemory(memory: frames), hints: hints.producerHalf(),
      commands: commands.consumerHalf(), reader: SnapshotReader(memory: snapshot, worker: index),
      ports: ports, counters: counters, commandsDone: commandsDone, hintEvent: hintEvent,
      trace: trace, index: index, controlFrames: controlFrames.producerHalf(),
      orders: orders.consumerHalf(), keys: keys)
    if let handOver {
      parts.desk = HandOverDesk(worker: index, memory: handOver, wakeEvents: wakeEvents)
    }
    return Worker(parts)
  }

  /// The end that hints are taken from; taken once.
  public func hintEnd() -> ConsumerRing<Hint> { hints.consumerHalf() }

  /// The end that reports are taken from; taken once.
  public func controlFrameEnd() -> ConsumerRing<ControlFrame> { controlFrames.consumerHalf() }

  /// The end that orders are given at; taken once.
  public func orderEnd() -> ProducerRing<ControlOrder> { orders.producerHalf() }

  /// The end that commands are given at; taken once.
  public func commandEnd() -> ProducerRing<WorkerCommand> { commands.producerHalf() }
}
