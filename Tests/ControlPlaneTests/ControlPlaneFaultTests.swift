// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Forwarding
import Inet
import Logging
import Routing
import Synchronization
import Testing

/// Which ports are made bad, when, and who hears of it.
@Suite struct ControlPlaneFaultTests {
  private let engine = RecordingEngine()
  private let log = RecordingLog()
  private let settings = FaultSettings(seed: 7, loss: 100_000)

  private func control(_ faults: [PortFault]) throws -> ControlPlane {
    let memory = try SnapshotMemory(pageCount: 512, entryCountMax: 4096)
    var limits = ForwardingModel.Options()
    limits.stationCountMax = 4096
    let log = log
    return try ControlPlane(
      options: ControlPlane.Options(
        hostName: "h", underlay: "wan", vxlanPort: 4789, overlayMTU: nil, endpoints: [],
        faults: faults, keepsAttachments: false),
      engine: engine, model: try ForwardingModel(memory: memory, seed: 1, options: limits),
      logger: Logger(label: "test") { _ in log }, random: SystemRandomNumberGenerator(),
      openTransport: noSockets
    ) { 1 }
  }

  @Test func onlyThePortThatIsNamedIsMadeBad() async throws {
    let control = try control([])
    await control.setFaults([PortFault(interface: "weft0", settings: settings)])
    #expect(engine.faults == [PortIndex(0): settings])
    await control.setFaults([PortFault(interface: "wan", settings: settings)])
    #expect(engine.faults == [PortIndex(1): settings])
    await control.setFaults([PortFault(interface: "containers", settings: settings)])
    #expect(engine.faults == [:])
  }

  @Test func whatIsOnIsWarnedOfAndWhatStaysIsNotSetAgain() async throws {
    let control = try control([])
    let faults = [PortFault(interface: "wan", settings: settings)]
    await control.setFaults(faults)
    await control.setFaults(faults)
    #expect(engine.callCount == 1)
    #expect(log.lines == ["warning faults on purpose loss 10 %, seed 7 wan"])
    await control.setFaults([])
    #expect(engine.callCount == 2)
    #expect(log.lines.last == "notice faults off wan")
  }

  @Test func ratesOfZeroAreNoFaults() async throws {
    let control = try control([])
    await control.setFaults([PortFault(interface: "wan", settings: FaultSettings(seed: 7))])
    #expect(engine.callCount == 0 && log.lines.isEmpty)
  }

  @Test func refusalIsLogged() async throws {
    engine.refuse()
    let control = try control([])
    await control.setFaults([PortFault(interface: "wan", settings: settings)])
    #expect(log.lines == ["error faults wan worker 0 does not answer"])
    #expect(engine.faults == [:])
  }
}

/// An engine with the host's port and the underlay, which remembers what was asked of it.
private final class RecordingEngine: IdleEngine {
  private struct State {
    var faults: [PortIndex: FaultSettings] = [:]
    var callCount = 0
    var refuses = false
  }

  private let state = Mutex(State())

  var faults: [PortIndex: FaultSettings] { state.withLock(\.faults) }
  var callCount: Int { state.withLock(\.callCount) }
  func refuse() { state.withLock { $0.refuses = true } }

  func setFaults(_ settings: FaultSettings?, port: PortIndex) throws(EngineFailure) {
    let refuses = state.withLock { state in
      state.callCount += 1
      if !state.refuses { state.faults[port] = settings }
      return state.refuses
    }
    if refuses { throw EngineFailure("worker 0 does not answer") }
  }

  func status(of port: PortIndex) -> PortStatus? {
    guard port.number < 2 else { return nil }
    return PortStatus(
      mode: .generic, reason: "", programIdentifier: 1, zeroCopy: false, queueCount: 1,
      counters: PortCounter.allCases.map { _ in 0 }, kernelDrops: KernelDropReport(),
      faults: faults[port])
  }
}

/// Lines of level, message and the values that came with it, in the order of their names.
private final class RecordingLog: LogHandler {
  private let written = Mutex<[String]>([])

  var lines: [String] { written.withLock { $0 } }

  func log(event: LogEvent) {
    let values = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.value)" }
    let line = (["\(event.level)", "\(event.message)"] + values.filter { !$0.isEmpty })
    written.withLock { $0.append(line.joined(separator: " ")) }
  }

  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }

  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }
}
