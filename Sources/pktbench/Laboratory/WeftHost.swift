// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Foundation
import HostNetwork
import Inet
import Routing
import Sealing
import Synchronization
import XDP

/// The data plane of weftd with one worker on one host of the laboratory, in this process.
///
/// The tables hold what the control plane would have put there: stations, endpoint, next hop.
final class WeftHost: Sendable {
  /// What it connects, and where it works.
  struct Options: Sendable {
    let room: Room
    /// The host's end of a container's veth.
    let near: Link
    /// The host's end of the wire, or of another container's veth.
    let far: Link
    /// The tunnel over the wire; nil if there is none.
    let tunnel: Tunnel?
    /// Stations behind each of the two.
    let nearStations: [MACAddress]
    let farStations: [MACAddress]
    /// The worker's core.
    let core: Int
    let idle: IdleMode
    /// How frames travel through the tunnel.
    var transport = WeftTransport()
  }

  static let nearPort = PortIndex(0)
  static let farPort = PortIndex(1)
  /// The kernel's UDP sockets.
  static let socketPort = PortIndex(2)

  let options: Options
  private let memory: SnapshotMemory
  private let running = Mutex<Engine?>(nil)

  /// Fills the tables; nothing runs before `start`.
  init(_ options: Options) throws {
    self.options = options
    memory = try SnapshotMemory(pageCount: 1024, entryCountMax: 4096)
    var model = try ForwardingModel(memory: memory, seed: 1, options: .init())
    // A sealed tunnel needs a key first, which a running engine keeps.
    if options.transport.link == nil { try fill(&model) { _ in nil } }
  }

  /// Enters ports, the tunnel and stations, and publishes them.
  ///
  /// `begin` gives keys to the data plane.
  private func fill(
    _ model: inout ForwardingModel, begin: (WeftTransport.PeerLink) throws -> WeftHost.KeyPlaces?
  ) throws {
    model.addPort(WeftHost.nearPort, receivesFloods: true)
    model.addPort(WeftHost.farPort, receivesFloods: options.tunnel == nil)
    model.addPort(WeftHost.socketPort, receivesFloods: false)
    let near = Location(WeftHost.nearPort)
    let far: Location
    if let tunnel = options.tunnel, let link = options.transport.link {
      far = Location(peer: try addPeer(over: link, tunnel, keys: begin(link), to: &model))
    } else if let tunnel = options.tunnel {
      far = Location(try addEndpoint(tunnel, to: &model))
    } else {
      far = Location(WeftHost.farPort)
    }
    for (stations, location) in [(options.nearStations, near), (options.farStations, far)] {
      for station in stations {
        model.learn(Hint(mac: station.bits, location: location), nowSeconds: 0)
      }
    }
    guard model.commit() else {
      throw ScenarioError(.unavailable, "the forwarding tables have no room for the stations")
    }
  }

  private func addEndpoint(
    _ tunnel: Tunnel, to model: inout ForwardingModel
  ) throws -> EndpointIndex {
    let port = options.transport.usesSockets ? WeftHost.socketPort : WeftHost.farPort
    guard
      let endpoint = model.addEndpoint(
        address: tunnel.remote, network: tunnel.network, underlayPort: port)
    else { throw ScenarioError(.unavailable, "the forwarding tables have no room for an endpoint") }
    model.setEndpoint(
      endpoint,
      reached: EndpointPath(
        sourceMAC: tunnel.localMAC, destinationMAC: tunnel.remoteMAC, source: tunnel.local,
        destination: tunnel.remote, destinationPort: Tunnel.port, network: tunnel.network,
        innerLengthMax: tunnel.wireMTU - Tunnel.overhead))
    return endpoint
  }

  /// Starts the worker and opens both ports.
  func start() throws {
    let engine = try Engine(
      options: Engine.Options(cores: [options.core], idle: options.idle, frameCount: 16_384),
      snapshot: memory)
    running.withLock { $0 = engine }
    if options.transport.link != nil {
      var model = try ForwardingModel(memory: memory, seed: 1, options: .init())
      try fill(&model) { link in
        link.keys.flatMap { keys in
          engine.keys.add(keys.sealing).flatMap { sealing in
            engine.keys.add(keys.opening).map { (sealing, $0) }
          }
        }
      }
    }
    let (near, far) = (
      specification(options.near, port: WeftHost.nearPort, kind: .station),
      specification(
        options.far, port: WeftHost.farPort, kind: options.tunnel == nil ? .station : .underlay)
    )
    let sockets = socketSpecification
    try options.room.visit {
      try engine.openPort(near)
      if let sockets { try engine.openSockets(sockets) } else { try engine.openPort(far) }
    }
  }

  /// Closes the ports and ends the worker; its counters begin anew at the next start.
  func stop() {
    running.withLock { engine in
      defer { engine = nil }
      return engine
    }?.stop()
  }

  func specification(
    _ link: Link, port: PortIndex, kind: PortKind
  ) -> PortSpecification {
    let address = options.tunnel?.local
    return PortSpecification(
      port: port, kind: kind, interface: link.name,
      interfaceIndex: UInt32(bitPattern: link.index.rawValue), queueCount: 1,
      frameLengthMax: link.mtu + 14, attach: .automatic,
      overlayAddresses: kind == .underlay
        ? address.map { [OverlayAddress(address: $0, port: options.transport.udpPort)] } ?? []
        : [],
      securityAssociations: kind == .underlay ? securityAssociations : [])
  }

  /// Frames dropped by the kernel before our sockets, and by the worker.
  func dropped() throws -> UInt64 {
    let account = FrameAccount(values: try counters())
    guard account.isBalanced else {
      throw ScenarioError(.failed, "the worker's frames do not add up: \(account)")
    }
    return account.dropped.reduce(0, +) + (try portStates().reduce(0) { $0 + $1.missing })
  }

  /// What the engine holds and may hold.
  func budget() throws -> Budget { try engine().budget(snapshot: memory) }

  /// The worker's turns so far.
  func work() throws -> WorkerTurns {
    let values = try counters()
    return WorkerTurns(
      all: values[WorkerCounter.breaths.rawValue],
      idle: values[WorkerCounter.idleBreaths.rawValue],
      busyTicks: values[WorkerCounter.busyTicks.rawValue], ticks: try engine().ticks,
      nanoseconds: Stopwatch.now)
  }

  /// What the kernel and the worker counted at both ports, the container's first.
  func portStates() throws -> [PortState] {
    let engine = try engine()
    let far = options.transport.usesSockets ? WeftHost.socketPort : WeftHost.farPort
    return [WeftHost.nearPort, far].compactMap { engine.state(of: $0) }
  }

  /// The worker's counters as of between two batches.
  ///
  /// A worker whose core is taken away within a batch is waited for.
  func counters() throws -> [UInt64] {
    let engine = try engine()
    for _ in 0..<500 {
      if let values = engine.counters(of: 0) { return values }
      Thread.sleep(forTimeInterval: 0.01)
    }
    throw ScenarioError(.unavailable, "the worker's counters cannot be read for 5 s")
  }

  /// The engine, which runs.
  func engine() throws(ScenarioError) -> Engine {
    guard let engine = running.withLock({ $0 }) else {
      throw ScenarioError(.failed, "the data plane on \(options.room.name) is not running")
    }
    return engine
  }
}

extension PortState {
  /// Frames that arrived and were never seen by the worker; those without a chunk on the fill ring
  /// count as dropped, too.
  fileprivate var missing: UInt64 {
    statistics.receiveDropped + statistics.receiveRingFull + missed
  }
}

/// A worker's breaths, those of them that found nothing, and how long the others took.
struct WorkerTurns: Equatable, Sendable {
  var all: UInt64
  var idle: UInt64
  /// Spent in breaths that found something, by the worker's clock.
  var busyTicks: UInt64
  /// The worker's clock, and the time.
  var ticks: UInt64
  var nanoseconds: UInt64

  /// The share of empty ones since an earlier look, from 0 to 1.
  func idleShare(since earlier: WorkerTurns) -> Double {
    let turns = all &- earlier.all
    return turns > 0 ? Double(idle &- earlier.idle) / Double(turns) : 0
  }

  /// Time at work since an earlier look.
  func busySeconds(since earlier: WorkerTurns) -> Double {
    let passed = ticks &- earlier.ticks
    guard passed > 0 else { return 0 }
    let share = Double(busyTicks &- earlier.busyTicks) / Double(passed)
    return share * Double(nanoseconds &- earlier.nanoseconds) / 1e9
  }
}
