// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Synchronization

extension Engine {
  /// Makes a port bad, or good again with nil; in force on all its queues when this returns.
  ///
  /// A port that is not open is left alone. Frames that a queue keeps at that moment go on.
  public func setFaults(
    _ settings: FaultSettings?, port: PortIndex
  ) throws(DataplaneError) {
    guard let open = ports.withLock({ $0[port] }) else { return }
    let asked = settings ?? FaultSettings(seed: 0)
    let former = open.faults.withLock { $0 }
    guard !asked.isNone || former != nil else { return }
    // Noted first where it adds faults and last where it takes them away, so that a port with any
    // is never taken for a good one, and a failure can be tried again.
    if !asked.isNone { open.faults.withLock { $0 = asked } }
    for queue in open.queues {
      let host = hosts[queue.worker]
      // A worker that has a command before it may be reading what is about to be written.
      guard host.hasAnswered else { throw .workerSilent(queue.worker) }
      host.ends.ports.setFaults(asked.derived(for: port, queue: queue.number), slot: queue.slot)
      try host.command(WorkerCommand(.setFaults, slot: queue.slot))
    }
    if asked.isNone { open.faults.withLock { $0 = nil } }
  }
}
