// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Telemetry

extension Worker {
  /// Notes frames that a queue received in pieces that do not make a frame.
  @inline(never)
  mutating func noteBroken(_ count: Int) {
    counters.begin()
    counters.add(UInt64(count), to: WorkerCounter.received.rawValue)
    counters.add(UInt64(count), to: WorkerCounter.index(of: .piecesMissing))
    counters.end()
  }
}
