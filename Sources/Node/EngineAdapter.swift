// SPDX-License-Identifier: Apache-2.0

internal import ControlPlane
internal import Dataplane
internal import Forwarding
internal import Inet
internal import Sealing
internal import XDP

/// The data plane as the control plane knows it.
final class EngineAdapter: ForwardingEngine {
  private let engine: Engine
  private let snapshot: SnapshotMemory
  private let underlay: XDP.AttachRequest
  private let stations: XDP.AttachRequest

  init(engine: Engine, snapshot: SnapshotMemory, configuration: Configuration) {
    self.engine = engine
    self.snapshot = snapshot
    underlay = XDP.AttachRequest(configuration.underlay.xdp)
    stations = XDP.AttachRequest(configuration.attachments.xdp)
  }

  var hintEvent: Int32 { engine.hintEvent }
  var workerCount: Int { engine.workerCount }
  var frameLengthMax: Int { engine.frameLengthMax }

  func clearHintEvent() { engine.clearHintEvent() }

  func takeHints(_ body: (Hint) -> Void) { engine.takeHints(body) }

  func takeControlFrames(_ body: (ControlFrame) -> Void) { engine.takeControlFrames(body) }

  func order(_ orders: [ControlOrder]) -> Bool { engine.order(orders) }

  func addKey(_ key: FrameKey) -> UInt16? { engine.keys.add(key) }

  func counts(ofKey place: UInt16) -> KeyCounts {
    engine.keys.counts(of: place)
  }

  func removeKey(_ place: UInt16) { engine.keys.remove(place) }

  func openSockets(_ request: SocketPortRequest) throws(EngineFailure) {
    do {
      try engine.openSockets(
        SocketPortSpecification(
          port: request.port, address: request.address, udpPorts: request.udpPorts,
          frameLengthMax: engine.frameLengthMax))
    } catch {
      throw EngineFailure(error.description)
    }
  }

  func addUDPPort(_ udpPort: UInt16, port: PortIndex) throws(EngineFailure) {
    do {
      try engine.addUDPPort(udpPort, port: port)
    } catch {
      throw EngineFailure(error.description)
    }
  }

  func removeUDPPort(_ udpPort: UInt16, port: PortIndex) throws(EngineFailure) {
    do {
      try engine.removeUDPPort(udpPort, port: port)
    } catch {
      throw EngineFailure(error.description)
    }
  }

  func openPort(_ request: PortRequest) throws(EngineFailure) {
    do {
      try engine.openPort(specification(request))
    } catch {
      throw EngineFailure(error.description, mayFollowAttach: error.mayFollowAttach)
    }
  }

  private func specification(_ request: PortRequest) -> PortSpecification {
    var specification = PortSpecification(
      port: request.port, kind: request.isUnderlay ? .underlay : .station,
      interface: request.interface, interfaceIndex: request.interfaceIndex,
      queueCount: request.queueCount, frameLengthMax: request.frameLengthMax,
      attach: request.isUnderlay ? underlay : stations,
      overlayAddresses: overlay(request.overlayAddresses))
    specification.securityAssociations = associations(request.securityIdentifiers)
    specification.modeSource = modeSource(request.modeSource)
    if request.isRetry { specification.busyPatienceMilliseconds = 200 }
    return specification
  }

  func closePort(_ port: PortIndex, keepsProgram: Bool) -> [EngineFailure] {
    engine.closePort(port, keepsProgram: keepsProgram).map { EngineFailure($0.description) }
  }

  func setOverlayAddresses(_ addresses: [SocketAddress], port: PortIndex) throws(EngineFailure) {
    do {
      try engine.setOverlayAddresses(overlay(addresses), port: port)
    } catch {
      throw EngineFailure(error.description)
    }
  }

  func setSecurityIdentifiers(
    _ identifiers: Set<SecurityIdentifier>, port: PortIndex
  ) throws(EngineFailure) {
    do {
      try engine.setSecurityAssociations(associations(identifiers), port: port)
    } catch {
      throw EngineFailure(error.description)
    }
  }

  private func associations(
    _ identifiers: Set<SecurityIdentifier>
  ) -> Set<SecurityAssociation> {
    Set(identifiers.map { SecurityAssociation(address: $0.address, identifier: $0.number) })
  }

  func setFaults(_ settings: FaultSettings?, port: PortIndex) throws(EngineFailure) {
    do {
      try engine.setFaults(settings, port: port)
    } catch {
      throw EngineFailure(error.description)
    }
  }

  func status(of port: PortIndex) -> PortStatus? {
    guard let state = engine.state(of: port) else { return nil }
    let drops = KernelDropReport(
      rxDropped: state.statistics.receiveDropped, rxRingFull: state.statistics.receiveRingFull,
      fillRingEmpty: state.statistics.fillRingEmpty, rxInvalid: state.statistics.receiveInvalid,
      txInvalid: state.statistics.transmitInvalid + state.statistics.transmitRefused,
      missed: state.missed)
    return PortStatus(
      mode: ProgramMode(state.mode), reason: state.reason,
      programIdentifier: state.programIdentifier, zeroCopy: state.zeroCopy,
      queueCount: state.queueCount, counters: state.counters, kernelDrops: drops,
      faults: state.faults)
  }

  func workers() -> [WorkerStatus] {
    (0..<engine.workerCount).compactMap { worker in
      guard let counters = engine.counters(of: worker) else { return nil }
      return WorkerStatus(
        core: engine.options.cores[worker], counters: counters,
        frameCount: engine.options.frameCount, isSpinning: engine.options.idle == .spin,
        isSleeping: snapshot.isOffline(worker: worker), ticks: engine.ticks)
    }
  }

  func budget() -> BudgetReport { BudgetReport(engine.budget(snapshot: snapshot)) }

  var ticks: UInt64 { engine.ticks }
  var traceLostCount: UInt64 { engine.traceLostCount }

  func startTrace(_ filter: TraceFilter, count: Int) throws(EngineFailure) {
    do {
      try engine.startTrace(filter, count: count)
    } catch {
      throw EngineFailure(error.description)
    }
  }

  func takeTrace(_ body: (TraceRecord) -> Void) { engine.takeTrace(body) }

  func stopTrace() { engine.stopTrace() }

  func stop(keepsPrograms: Bool) -> [EngineFailure] {
    engine.stop(keepsPrograms: keepsPrograms).map { EngineFailure($0.description) }
  }

  private func overlay(_ addresses: [SocketAddress]) -> [OverlayAddress] {
    addresses.map { OverlayAddress(address: $0.address, port: $0.port) }
  }
}

extension BudgetReport {
  fileprivate init(_ budget: Budget) {
    let (frames, kernel, process) = (budget.frames, budget.kernel, budget.process)
    self.init(
      frames: Frames(
        perWorker: UInt64(frames.chunkCount), fillRings: UInt64(frames.onFillRings),
        batch: UInt64(frames.inBatch), left: UInt64(frames.left)),
      kernel: Kernel(
        queues: UInt64(kernel.queueCount), bytes: UInt64(kernel.bytes),
        bytesPerQueue: UInt64(kernel.bytesPerQueue), bytesPerPort: UInt64(kernel.bytesOfNextPort),
        limit: UInt64(KernelMemoryBudget.limit), portsLeft: UInt64(budget.portsLeft())),
      process: Process(
        chunks: UInt64(process.chunkBytes), rings: UInt64(process.ringBytes),
        counters: UInt64(process.counterBytes), tables: UInt64(process.tableBytes),
        handOver: UInt64(process.handOverBytes), snapshots: UInt64(process.snapshotBytes)))
  }
}

extension ProgramMode {
  /// The report's word for it.
  fileprivate init(_ mode: PortMode) {
    self =
      switch mode {
      case .native: .native
      case .generic: .generic
      case .sockets: .sockets
      }
  }
}

extension XDP.AttachRequest {
  /// The configuration's word for it.
  fileprivate init(_ mode: Configuration.XDPMode) {
    self =
      switch mode {
      case .automatic: .automatic
      case .native: .native
      case .generic: .generic
      }
  }
}
