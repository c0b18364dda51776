// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Glibc
internal import Telemetry

/// The faults of the queues in a port table.
///
/// Proof of safety: `injectors` and `faultSettings` have an element for every slot. The settings of
/// a slot are written by the engine, which then tells the worker by command and waits, and read by
/// the worker in that command. Injectors are zeroed memory, which is what an injector without
/// settings and frames consists of, and are touched by the worker only.
extension PortTable {
  /// An injector for every slot, in memory that is not there before it is touched.
  static func makeInjectors() -> UnsafeMutablePointer<FaultInjector> {
    let memory = unsafe calloc(PortTable.capacity, MemoryLayout<FaultInjector>.stride)
    guard let memory = unsafe memory else { preconditionFailure("no memory for a port table") }
    return unsafe memory.bindMemory(to: FaultInjector.self, capacity: PortTable.capacity)
  }

  /// Writes down what is to happen to a slot's frames; the command `setFaults` puts it into force.
  ///
  /// The engine's side.
  public func setFaults(_ settings: FaultSettings, slot: UInt16) {
    precondition(slot < PortTable.capacity, "a slot of the table")
    unsafe (faultSettings + Int(slot)).initialize(to: settings)
  }

  /// Puts the settings into force that were written down.
  ///
  /// The worker's side.
  func applyFaults(_ slot: UInt16) {
    unsafe injectors[Int(slot)].change(to: faultSettings[Int(slot)])
    unsafe queues[Int(slot)].hasFaults = true
  }

  /// Whether frames from this slot go through its injector.
  @inline(__always)
  func hasFaults(_ slot: UInt16) -> Bool { unsafe queues[Int(slot)].hasFaults }

  /// Frames that the slot's injector keeps; it has one.
  func heldCount(of slot: UInt16) -> Int { unsafe injectors[Int(slot)].heldCount }

  /// Hands a batch to the slot's injector.
  func takeForFaults(_ slot: UInt16, _ batch: inout Batch) {
    unsafe injectors[Int(slot)].take(&batch)
  }

  /// Fills a batch from the slot's injector; false if nothing is left for this breath.
  func fillFromFaults(
    _ slot: UInt16, _ batch: inout Batch, memory: inout FrameMemory, counters: CounterBlock
  ) -> Bool {
    unsafe injectors[Int(slot)].fill(&batch, memory: &memory, counters: counters)
  }

  /// Takes an injector that has nothing to do any more out of the frames' way.
  func retireFaults(_ slot: UInt16) {
    if unsafe injectors[Int(slot)].isDone { unsafe queues[Int(slot)].hasFaults = false }
  }

  /// Gives up what the slot's injector keeps; returns how many frames that were.
  func discardHeld(_ slot: UInt16, memory: inout FrameMemory, counters: CounterBlock) -> Int {
    guard unsafe queues[Int(slot)].hasFaults else { return 0 }
    let count = unsafe injectors[Int(slot)].heldCount
    unsafe injectors[Int(slot)].discardHeld(memory: &memory, counters: counters)
    return count
  }
}
