// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Foundation
import HostNetwork
import Inet
import Routing
import XDP

/// Our way: the data plane of weftd with one worker, in this process.
///
/// The tables hold what the control plane would have put there: stations, endpoint, next hop.
struct WeftSwitch {
  let bench: Bench
  let engine: Engine
  let snapshot: SnapshotMemory

  private static let nearPort = PortIndex(0)
  private static let farPort = PortIndex(1)

  /// Builds it between the bench's two ports.
  init(bench: Bench, core: Int) throws {
    self.bench = bench
    let memory = try SnapshotMemory(pageCount: 1024, entryCountMax: 4096)
    var model = try ForwardingModel(memory: memory, seed: 1, options: .init())
    let isWire = bench.flows.way != .bridge
    model.addPort(WeftSwitch.nearPort, receivesFloods: true)
    model.addPort(WeftSwitch.farPort, receivesFloods: !isWire)
    let far = isWire ? Location(try WeftSwitch.addEndpoint(&model)) : Location(WeftSwitch.farPort)
    let near = Location(WeftSwitch.nearPort)
    let (source, destination) = bench.flows.way == .decap ? (far, near) : (near, far)
    model.learn(Hint(mac: Flows.source.bits, location: source), nowSeconds: 0)
    for station in Flows.destinations {
      model.learn(Hint(mac: station.bits, location: destination), nowSeconds: 0)
    }
    guard model.commit() else {
      throw ScenarioError(.unavailable, "the forwarding tables have no room for the stations")
    }
    let engine = try Engine(
      options: Engine.Options(cores: [core], idle: .adaptive, frameCount: 16_384), snapshot: memory)
    self.engine = engine
    snapshot = memory
    try bench.host.visit {
      try engine.openPort(
        WeftSwitch.specification(bench.nearPort, port: WeftSwitch.nearPort, kind: .station))
      try engine.openPort(
        WeftSwitch.specification(
          bench.farPort, port: WeftSwitch.farPort, kind: isWire ? .underlay : .station))
    }
  }

  private static func addEndpoint(_ model: inout ForwardingModel) throws -> EndpointIndex {
    guard
      let endpoint = model.addEndpoint(
        address: Bench.remoteAddress, network: Bench.network, underlayPort: farPort)
    else { throw ScenarioError(.unavailable, "the forwarding tables have no room for an endpoint") }
    model.setEndpoint(
      endpoint,
      reached: EndpointPath(
        sourceMAC: Bench.wireMAC, destinationMAC: Bench.remoteMAC, source: Bench.hostAddress,
        destination: Bench.remoteAddress, destinationPort: 4789, network: Bench.network,
        innerLengthMax: Bench.wireMTU - 36))
    return endpoint
  }

  static func specification(
    _ link: Link, port: PortIndex, kind: PortKind
  ) -> PortSpecification {
    PortSpecification(
      port: port, kind: kind, interface: link.name,
      interfaceIndex: UInt32(bitPattern: link.index.rawValue), queueCount: 1,
      frameLengthMax: link.mtu + 14, attach: .automatic,
      overlayAddresses: kind == .underlay
        ? [OverlayAddress(address: Bench.hostAddress, port: 4789)] : [])
  }

  /// Frames dropped by the kernel before our socket, and by the worker.
  func dropped() throws -> UInt64 {
    let account = FrameAccount(values: try counters())
    guard account.isBalanced else {
      throw ScenarioError(.failed, "the worker's frames do not add up: \(account)")
    }
    var sum = account.dropped.reduce(0, +)
    for port in [WeftSwitch.nearPort, WeftSwitch.farPort] {
      guard let state = engine.state(of: port) else { continue }
      // Frames without a chunk on the fill ring count as dropped, too.
      sum += state.statistics.receiveDropped + state.statistics.receiveRingFull + state.missed
    }
    return sum
  }

  /// The worker's turns so far.
  func work() throws -> WorkerTurns {
    let values = try counters()
    return WorkerTurns(
      all: values[WorkerCounter.breaths.rawValue],
      idle: values[WorkerCounter.idleBreaths.rawValue])
  }

  /// The worker's counters as of between two batches.
  ///
  /// A worker whose core is taken away within a batch is waited for.
  func counters() throws -> [UInt64] {
    for _ in 0..<500 {
      if let values = engine.counters(of: 0) { return values }
      Thread.sleep(forTimeInterval: 0.01)
    }
    throw ScenarioError(.unavailable, "the worker's counters cannot be read for 5 s")
  }

  func close() {
    engine.stop()
    bench.close()
  }
}

/// A worker's breaths, and those of them that found nothing.
struct WorkerTurns: Sendable {
  var all: UInt64
  var idle: UInt64

  /// The share of empty ones since an earlier look, from 0 to 1.
  func idleShare(since earlier: WorkerTurns) -> Double {
    let turns = all &- earlier.all
    return turns > 0 ? Double(idle &- earlier.idle) / Double(turns) : 0
  }
}
