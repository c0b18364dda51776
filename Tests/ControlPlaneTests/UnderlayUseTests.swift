// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Foundation
import HostNetwork
import Inet
import Logging
import Routing
import Synchronization
import Testing

@testable import ControlPlane

/// What the control plane does with a real interface, and a data plane that opens ports or refuses.
@Suite(.enabled(if: geteuid() == 0, "making network namespaces needs root"))
struct UnderlayUseTests {
  private let failure = EngineFailure("another XDP program is there")

  @Test(arguments: [true, false])
  func plainInterfaceIsOpenedForAllPortsThatAreSentTo(hasEndpoint: Bool) async throws {
    try await withHost { host in
      let engine = PortEngine()
      let control = try host.control(engine, underlay: "eth0", mesh: 6783) {
        if hasEndpoint { $0.endpoints = [endpoint] }
      }
      try await control.begin()
      let ports = engine.opened?.overlayAddresses.map(\.port).sorted()
      #expect(ports == (hasEndpoint ? [4789, 6783, 6784] : [6783, 6784]))
      #expect(await control.underlayRefusalReason == nil)
      let report = await control.statusReport().underlay
      #expect(report.method == .xdp && report.mode == .generic && report.state == .up)
    }
  }

  @Test func meshReceivesAtTheAddressItListensAtAndVXLANAtAll() async throws {
    try await withHost { host in
      try host.ip("addr add 192.0.2.9/26 dev eth0")
      let engine = PortEngine()
      let control = try host.control(engine, underlay: "eth0", mesh: 6783) {
        $0.endpoints = [endpoint]
        $0.mesh?.listenAddress = IPv4Address(bits: 0xC000_0209)
      }
      try await control.begin()
      let found = engine.opened?.overlayAddresses.map { "\($0)" }.sorted()
      #expect(
        found == ["192.0.2.1:4789", "192.0.2.9:4789", "192.0.2.9:6783", "192.0.2.9:6784"])
    }
  }

  @Test func reloadClaimsThePortOfVXLANWithTheFirstEndpointAndGivesItBack() async throws {
    try await withHost { host in
      let engine = PortEngine()
      let control = try host.control(engine, underlay: "eth0")
      try await control.begin()
      #expect(engine.opened?.overlayAddresses == [] && engine.udpPorts == [])
      for _ in 0..<2 {
        await control.reload(host.options(underlay: "eth0") { $0.endpoints = [endpoint] })
        #expect(engine.told?.map(\.port) == [4789] && engine.udpPorts == [4789])
        await control.reload(host.options(underlay: "eth0"))
        #expect(engine.told == [] && engine.udpPorts == [])
      }
    }
  }

  @Test func portThatSomebodyElseHasIsTriedAgain() async throws {
    try await withHost { host in
      let engine = PortEngine()
      let control = try host.control(engine, underlay: "eth0", mesh: 6783)
      try await control.begin()
      engine.refuseUDP([4789])
      await control.reload(
        host.options(underlay: "eth0", mesh: 6783) { $0.endpoints = [endpoint] })
      #expect(engine.udpPorts == [6784, 6783])
      await control.followOuterPorts()
      #expect(await control.socketPorts == [6784, 6783])
      engine.refuseUDP([])
      await control.followOuterPorts()
      #expect(engine.udpPorts == [6784, 6783, 4789])
      #expect(await control.socketPorts == [6784, 6783, 4789])
    }
  }

  @Test func reloadLeavesTheMTUAloneUnlessItsKeyHasChanged() async throws {
    try await withHost { host in
      let control = try host.control(PortEngine(), underlay: "eth0")
      try await control.begin()
      try host.ip("link set eth0 mtu 1400")
      await control.followUnderlay()
      await control.reload(host.options(underlay: "eth0"))
      let report = await control.statusReport()
      #expect(report.overlayMTU == 1450)
      #expect(report.problems.contains { $0.contains("which have 1450") }, "\(report.problems)")
      await control.reload(host.options(underlay: "eth0") { $0.overlayMTU = 1350 })
      #expect(await control.statusReport().overlayMTU == 1350)
      #expect(await control.statusReport().problems == [])
      await control.reload(host.options(underlay: "eth0") { $0.overlayMTU = nil })
      #expect(await control.statusReport().overlayMTU == 1350)
    }
  }

  /// Another host with VXLAN.
  private var endpoint: ControlPlane.Options.Endpoint {
    ControlPlane.Options.Endpoint(
      address: IPv4Address(bits: 0xC000_0202), network: VirtualNetwork(bits: 1), port: 4789)
  }

  @Test(arguments: ["br0", "lo"])
  func whatIsNotPlainIsUsedThroughSockets(name: String) async throws {
    try await withHost { host in
      let engine = PortEngine()
      let control = try host.control(engine, underlay: name)
      try await control.begin()
      let reason = name == "lo" ? "lo is the loopback interface" : "br0 is a bridge"
      #expect(engine.tries == 0)
      #expect(await control.underlayRefusalReason == reason)
      let report = await control.statusReport().underlay
      #expect(report.method == .socket && report.methodReason == reason)
      #expect(report.mode == nil && report.state == .up && report.interface == name)
      #expect(await control.statusReport().problems.filter { $0.contains(name) } == [])
    }
  }

  @Test func socketsAreUsedWhereTheyAreWantedOrNoInterfaceIsNamed() async throws {
    try await withHost { host in
      for (name, mode) in [("eth0", UnderlayMode.socket), (nil, .automatic)] {
        let engine = PortEngine()
        let control = try host.control(engine, underlay: name, mode: mode)
        try await control.begin()
        #expect(engine.tries == 0)
        let report = await control.statusReport()
        #expect(report.underlay.method == .socket && report.underlay.state == .up)
        #expect(report.underlay.interface == name && report.overlayMTU == 1450)
      }
    }
  }

  @Test func refusedPortIsReplacedBySocketsUntilItOpens() async throws {
    try await withHost { host in
      let engine = PortEngine(refusal: failure)
      let control = try host.control(engine, underlay: "eth0")
      try await control.begin()
      let reason = "AF_XDP cannot be used on eth0: another XDP program is there"
      #expect(await control.underlayRefusalReason == reason)
      await control.followUnderlay()
      #expect(await control.underlayRefusalReason == reason)
      #expect(await control.statusReport().underlay.addresses.count == 1)
      #expect(engine.tries == 2)
      engine.refuse(nil)
      await control.followUnderlay()
      #expect(await control.underlayRefusalReason == nil)
      #expect(await control.statusReport().underlay.method == .xdp)
    }
  }

  @Test func interfaceThatGoesIsMissedAndTakenUpAgain() async throws {
    try await withHost { host in
      let engine = PortEngine()
      let control = try host.control(engine, underlay: "eth0")
      try await control.begin()
      try host.ip("link del eth0")
      await control.followUnderlay()
      #expect(await control.underlayRefusalReason == "interface eth0 is gone; waiting for it")
      #expect(await control.statusReport().underlay.state == .missing)
      try host.addInterface()
      await control.followUnderlay()
      #expect(await control.underlayRefusalReason == nil)
    }
  }

  @Test func withXDPWhatCannotCarryItIsAnError() async throws {
    try await withHost { host in
      let control = try host.control(PortEngine(), underlay: "lo", mode: .xdp)
      await #expect(throws: ControlPlaneError.underlayUnfit("lo is the loopback interface")) {
        try await control.begin()
      }
      let refused = try host.control(PortEngine(refusal: failure), underlay: "eth0", mode: .xdp)
      await #expect(throws: ControlPlaneError.engine(failure)) { try await refused.begin() }
      let nothing = try host.control(PortEngine(), underlay: "eth7", mode: .automatic)
      await #expect(throws: ControlPlaneError.underlayMissing("eth7")) {
        try await nothing.begin()
      }
    }
  }
}

extension ControlPlane {
  /// The part of a start that is about the underlay.
  fileprivate func begin() throws(ControlPlaneError) {
    try openUnderlay(try findUnderlay())
    try openSockets()
  }
}

/// Lends a network namespace with a veth `eth0`, a bridge `br0` and a loopback interface.
private func withHost(_ body: (Host) async throws -> Void) async throws {
  let host = Host(name: "cp-\(String(UInt32.random(in: 0 ... .max), radix: 16))")
  try shell("ip netns add \(host.name)")
  defer { _ = try? shell("ip netns del \(host.name)") }
  try host.ip("link set lo up")
  try host.addInterface()
  try host.ip("link add br0 type bridge")
  try host.ip("link set br0 up")
  try host.ip("addr add 192.0.2.65/26 dev br0")
  try await body(host)
}

private struct Host {
  let name: String

  func ip(_ arguments: String) throws { try shell("ip -n \(name) \(arguments)") }

  func addInterface() throws {
    try ip("link add eth0 type veth peer name other")
    try ip("link set other up")
    try ip("link set eth0 up")
    try ip("addr add 192.0.2.1/26 dev eth0")
  }

  /// What a configuration says.
  func options(
    underlay: String?, mode: UnderlayMode = .automatic, mesh: UInt16? = nil,
    _ change: (inout ControlPlane.Options) -> Void = { _ in }
  ) -> ControlPlane.Options {
    var options = ControlPlane.Options(
      hostName: "h", underlay: underlay, underlayMode: mode, vxlanPort: 4789, overlayMTU: nil,
      endpoints: [], keepsAttachments: false)
    options.mesh = mesh.map { port in
      var mesh = ControlPlane.MeshOptions(nickname: "h")
      mesh.port = port
      return mesh
    }
    change(&options)
    return options
  }

  /// A control plane whose host this is.
  func control(
    _ engine: PortEngine, underlay: String?, mode: UnderlayMode = .automatic, mesh: UInt16? = nil,
    _ change: (inout ControlPlane.Options) -> Void = { _ in }
  ) throws -> ControlPlane {
    let wanted = options(underlay: underlay, mode: mode, mesh: mesh, change)
    let make: @Sendable () throws(HostNetworkError) -> Result<ControlPlane, any Error> = {
      Result {
        try ControlPlane(
          options: wanted, engine: engine,
          model: try ForwardingModel(
            memory: try SnapshotMemory(pageCount: 64, entryCountMax: 64), seed: 1,
            options: ForwardingModel.Options()),
          logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
          random: SystemRandomNumberGenerator(), openTransport: noSockets
        ) { 1 }
      }
    }
    return try NetworkNamespace(path: "/run/netns/\(name)").run(make).get()
  }
}

/// Opens the underlay's port, or refuses to.
private final class PortEngine: IdleEngine {
  private struct State {
    var refusal: EngineFailure?
    var opened: PortRequest?
    var tries = 0
    var told: [SocketAddress]?
    var refusedUDP: Set<UInt16> = []
    var udpPorts: [UInt16] = []
  }

  private let state: Mutex<State>

  init(refusal: EngineFailure? = nil) { state = Mutex(State(refusal: refusal)) }

  var opened: PortRequest? { state.withLock { $0.opened } }
  var tries: Int { state.withLock { $0.tries } }

  /// Where packets are taken from the underlay, if that was said since it was opened.
  var told: [SocketAddress]? { state.withLock { $0.told } }
  /// The UDP ports that have sockets.
  var udpPorts: [UInt16] { state.withLock { $0.udpPorts } }

  func refuse(_ refusal: EngineFailure?) { state.withLock { $0.refusal = refusal } }
  func refuseUDP(_ ports: Set<UInt16>) { state.withLock { $0.refusedUDP = ports } }

  func setOverlayAddresses(
    _ addresses: [SocketAddress], port: PortIndex
  ) throws(EngineFailure) {
    state.withLock { $0.told = addresses }
  }

  func openSockets(_ request: SocketPortRequest) throws(EngineFailure) {
    for port in request.udpPorts { try addUDPPort(port, port: request.port) }
  }

  func addUDPPort(_ udpPort: UInt16, port: PortIndex) throws(EngineFailure) {
    let isTaken = state.withLock { state in
      let isTaken = state.refusedUDP.contains(udpPort) || state.udpPorts.contains(udpPort)
      if !isTaken { state.udpPorts.append(udpPort) }
      return isTaken
    }
    if isTaken { throw EngineFailure("UDP port \(udpPort) is in use") }
  }

  func removeUDPPort(_ udpPort: UInt16, port: PortIndex) throws(EngineFailure) {
    state.withLock { $0.udpPorts.removeAll { $0 == udpPort } }
  }

  func openPort(_ request: PortRequest) throws(EngineFailure) {
    let refusal = state.withLock { state in
      state.tries += 1
      if state.refusal == nil { state.opened = request }
      return state.refusal
    }
    if let refusal { throw refusal }
  }

  func closePort(_ port: PortIndex, keepsProgram: Bool) -> [EngineFailure] {
    state.withLock { state in
      if port == ControlPlane.socketPort { state.udpPorts = [] } else { state.opened = nil }
    }
    return []
  }

  func status(of port: PortIndex) -> PortStatus? {
    guard let opened, opened.port == port else { return nil }
    return PortStatus(
      mode: .generic, reason: "", programIdentifier: 0, zeroCopy: false,
      queueCount: opened.queueCount,
      counters: Array(repeating: 0, count: PortCounter.allCases.count),
      kernelDrops: KernelDropReport())
  }
}

private func shell(_ command: String) throws {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/sh")
  process.arguments = ["-c", command]
  process.standardInput = FileHandle.nullDevice
  try process.run()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0, "\(command)")
}
