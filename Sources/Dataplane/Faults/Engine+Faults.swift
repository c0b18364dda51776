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
    open.faults.withLock { $0 = asked.isNone ? nil : asked }
    for queue in open.queues {
      let host = hosts[queue.worker]
      host.ends.ports.setFaults(asked.derived(for: port, queue: queue.number), slot: queue.slot)
      try host.command(WorkerCommand(.setFaults, slot: queue.slot))
    }
  }
}
