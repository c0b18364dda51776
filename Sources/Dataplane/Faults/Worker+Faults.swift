// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Telemetry

extension Worker {
  /// Serves a queue with faults: the batch just drawn, which may be empty, goes on as its injector
  /// gives it out.
  ///
  /// Out of line, so that a port without faults pays for one branch a batch. Returns the frames
  /// drawn.
  @inline(never)
  mutating func serveFaulty(_ slot: UInt16, snapshot: ForwardingSnapshot) -> Int {
    let drawn = batch.count
    let heldBefore = ports.heldCount(of: slot)
    guard drawn > 0 || heldBefore > 0 else {
      ports.retireFaults(slot)
      return 0
    }
    counters.begin()
    counters.add(UInt64(drawn), to: WorkerCounter.received.rawValue)
    ports.takeForFaults(slot, &batch)
    while ports.fillFromFaults(slot, &batch, memory: &memory, counters: counters) {
      carry(slot, snapshot: snapshot)
    }
    addHeld(ports.heldCount(of: slot) &- heldBefore)
    counters.end()
    ports.retireFaults(slot)
    return drawn
  }

  /// A queue is about to be left: what its injector keeps is lost.
  mutating func discardHeld(_ slot: UInt16) {
    counters.begin()
    addHeld(-ports.discardHeld(slot, memory: &memory, counters: counters))
    counters.end()
  }

  private mutating func addHeld(_ difference: Int) {
    heldCount &+= difference
    counters.set(UInt64(heldCount), at: WorkerCounter.held.rawValue)
  }
}
