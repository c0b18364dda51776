// SPDX-License-Identifier: Apache-2.0

import Dataplane
package import Forwarding

extension MemorySwitch {
  /// Orders a trace; the worker has it when this returns.
  package func startTrace(_ filter: TraceFilter = TraceFilter(), count: UInt32) {
    ends.trace.order(filter, count: count)
    command(WorkerCommand(.startTrace))
  }

  /// Every record since the last call.
  package func takeTrace() -> [TraceRecord] {
    var records: [TraceRecord] = []
    ends.trace.take { records.append($0) }
    return records
  }
}
