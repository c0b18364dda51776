// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Forwarding
import Inet
import Sealing

/// A data plane that does nothing, for tests to replace a part of.
protocol IdleEngine: ForwardingEngine {}

extension IdleEngine {
  var hintEvent: Int32 { -1 }
  var workerCount: Int { 1 }
  var frameLengthMax: Int { 3840 }
  func clearHintEvent() {}
  func takeHints(_ body: (Hint) -> Void) {}
  func takeControlFrames(_ body: (ControlFrame) -> Void) {}
  func order(_ orders: [ControlOrder]) -> Bool { true }
  func setSecurityIdentifiers(
    _ identifiers: Set<SecurityIdentifier>, port: PortIndex
  ) throws(EngineFailure) {}
  func addKey(_ key: FrameKey) -> UInt16? { nil }
  func removeKey(_ place: UInt16) {}
  func counts(ofKey place: UInt16) -> KeyCounts { KeyCounts() }
  func openSockets(_ request: SocketPortRequest) throws(EngineFailure) {}
  func addUDPPort(_ udpPort: UInt16, port: PortIndex) throws(EngineFailure) {}
  func removeUDPPort(_ udpPort: UInt16, port: PortIndex) throws(EngineFailure) {}
  func openPort(_ request: PortRequest) throws(EngineFailure) {}
  func closePort(_ port: PortIndex, keepsProgram: Bool) -> [EngineFailure] { [] }
  func setOverlayAddresses(_: [SocketAddress], port: PortIndex) throws(EngineFailure) {}
  func setFaults(_ settings: FaultSettings?, port: PortIndex) throws(EngineFailure) {}
  func status(of port: PortIndex) -> PortStatus? { nil }
  func workers() -> [WorkerStatus] { [] }
  func budget() -> BudgetReport {
    BudgetReport(
      frames: .init(perWorker: 0, fillRings: 0, batch: 0, left: 0),
      kernel: .init(
        queues: 0, bytes: 0, bytesPerQueue: 0, bytesPerPort: 0, limit: 0, portsLeft: 0),
      process: .init(chunks: 0, rings: 0, counters: 0, tables: 0, handOver: 0, snapshots: 0))
  }
  var ticks: UInt64 { 0 }
  func startTrace(_ filter: TraceFilter, count: Int) throws(EngineFailure) {}
  func takeTrace(_ body: (TraceRecord) -> Void) {}
  var traceLostCount: UInt64 { 0 }
  func stopTrace() {}
  func stop(keepsPrograms: Bool) -> [EngineFailure] { [] }
}
