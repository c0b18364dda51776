// SPDX-License-Identifier: Apache-2.0

public import Forwarding

extension Engine {
  /// Has every worker record the next `count` frames that pass `filter`, 1 to 1000.
  ///
  /// One trace at a time: ends an earlier one and throws its records away. Nothing is left armed if
  /// a worker does not answer.
  public func startTrace(_ filter: TraceFilter, count: Int) throws(DataplaneError) {
    do throws(DataplaneError) {
      for host in hosts { try host.command(WorkerCommand(.stopTrace)) }
      takeTrace { _ in }
      for host in hosts {
        host.ends.trace.order(filter, count: UInt32(clamping: count))
        try host.command(WorkerCommand(.startTrace))
      }
    } catch {
      stopTrace()
      throw error
    }
  }

  /// Takes every record there is; those of one worker are in the order it drew the frames.
  public func takeTrace(_ body: (TraceRecord) -> Void) {
    for host in hosts { host.ends.trace.take(body) }
  }

  /// Records that were lost because nobody took those before, since the engine was made.
  public var traceLostCount: UInt64 {
    hosts.reduce(0) { $0 + $1.ends.trace.lostCount }
  }

  /// Ends the trace; its last records can still be taken.
  public func stopTrace() {
    for host in hosts { try? host.command(WorkerCommand(.stopTrace)) }
  }
}
