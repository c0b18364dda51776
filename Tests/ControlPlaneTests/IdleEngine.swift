// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Forwarding
import Inet

/// A data plane that does nothing, for tests to replace a part of.
protocol IdleEngine: ForwardingEngine {}

extension IdleEngine {
  var hintEvent: Int32 { -1 }
  var workerCount: Int { 1 }
  var frameLengthMax: Int { 3840 }
  func clearHintEvent() {}
  func takeHints(_ body: (Hint) -> Void) {}
  func openPort(_ request: PortRequest) throws(EngineFailure) {}
  func closePort(_ port: PortIndex, keepsProgram: Bool) -> [EngineFailure] { [] }
  func setOverlayAddresses(_: [IPv4Address], port: PortIndex) throws(EngineFailure) {}
  func setFaults(_ settings: FaultSettings?, port: PortIndex) throws(EngineFailure) {}
  func status(of port: PortIndex) -> PortStatus? { nil }
  func workers() -> [WorkerStatus] { [] }
  var ticks: UInt64 { 0 }
  func startTrace(_ filter: TraceFilter, count: Int) throws(EngineFailure) {}
  func takeTrace(_ body: (TraceRecord) -> Void) {}
  var traceLostCount: UInt64 { 0 }
  func stopTrace() {}
  func stop(keepsPrograms: Bool) -> [EngineFailure] { [] }
}
