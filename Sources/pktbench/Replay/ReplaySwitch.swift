// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Inet
import Routing
import Tables
import Telemetry
import Wire
import XDP

/// One worker between ports of capture files, and the control plane's part that it cannot do
/// without: it learns.
final class ReplaySwitch {
  /// A remote VXLAN endpoint.
  struct Endpoint {
    let address: IPv4Address
    let network: VirtualNetwork
  }

  /// How a switch is made.
  struct Options {
    var underlay: ReplayFiles?
    var stations: [ReplayFiles]
    var endpoints: [Endpoint] = []
    var address = IPv4Address(bits: 0xC000_0201)
    var faults: FaultSettings?
  }

  static let stationPortCountMax = 256
  static let underlayPort = PortIndex(UInt16(stationPortCountMax))
  /// Ours in the underlay.
  static let ownMAC = MACAddress(bits: 0x02_00_00_00_00_01)
  /// The next hop to every endpoint.
  static let hopMAC = MACAddress(bits: 0x02_00_00_00_00_02)

  let ports: [PcapPort]
  private let ends: WorkerEnds
  private var worker: Worker
  private var model: ForwardingModel
  private var hints: ConsumerRing<Hint>
  private let snapshots: SnapshotMemory

  init(_ options: Options) throws {
    let frameCount = 4096 + options.stations.count * 64
    snapshots = try SnapshotMemory(pageCount: 65_536, entryCountMax: 131_072)
    var limits = ForwardingModel.Options()
    limits.stationCountMax = 131_072
    var model = try ForwardingModel(memory: snapshots, seed: 1, options: limits)
    let ends = try WorkerEnds(frameCount: frameCount)
    self.ends = ends
    let worker = ends.makeWorker(snapshot: snapshots, index: 0, hintEvent: -1)
    hints = ends.hintEnd()
    ports = try ReplaySwitch.files(options).map { try PcapPort($0, frames: ends.frames) }
    for port in ports {
      model.addPort(port.options.port, receivesFloods: port.options.kind == .station)
    }
    for endpoint in options.endpoints {
      try ReplaySwitch.add(endpoint, from: options.address, to: &model)
    }
    guard model.commit() else { throw ReplayError.tablesFull }
    self.model = model
    self.worker = worker
    try start(options.faults)
  }

  private static func files(_ options: Options) -> [PcapPort.Options] {
    let stations = options.stations.enumerated().map { number, files in
      PcapPort.Options(
        port: PortIndex(UInt16(number)), kind: .station, input: files.input, output: files.output)
    }
    let underlay = options.underlay.map { files in
      PcapPort.Options(
        port: underlayPort, kind: .underlay, input: files.input, output: files.output)
    }
    return stations + (underlay.map { [$0] } ?? [])
  }

  private static func add(
    _ endpoint: Endpoint, from address: IPv4Address, to model: inout ForwardingModel
  ) throws {
    guard
      let index = model.addEndpoint(
        address: endpoint.address, network: endpoint.network, underlayPort: underlayPort)
    else { throw ReplayError.endpointTwice(endpoint) }
    model.setEndpoint(
      index,
      reached: EndpointPath(
        sourceMAC: ownMAC, destinationMAC: hopMAC, source: address,
        destination: endpoint.address, destinationPort: 4789, network: endpoint.network,
        innerLengthMax: UMEM.frameLengthMax - VXLANTemplate.length))
  }

  private func start(_ faults: FaultSettings?) throws {
    var commands = ends.commandEnd()
    for port in ports {
      let slot = port.options.port.number
      ends.ports.fill(slot, with: port.queue(counters: ends.portCounters(slot: slot)))
      var wanted = [WorkerCommand(.startQueue, slot: slot)]
      if let faults {
        ends.ports.setFaults(faults.derived(for: port.options.port, queue: 0), slot: slot)
        wanted.append(WorkerCommand(.setFaults, slot: slot))
      }
      for command in wanted {
        guard commands.append(command) else { throw ReplayError.stuck }
      }
      commands.publish()
      try breathe(at: 0)
    }
  }

  /// Runs all files to their ends; every frame has gone where it goes when this returns.
  func run() throws -> ReplayResult {
    var last: UInt64 = 0
    while let port = nextPort, let record = port.upcoming {
      last = record.nanoseconds
      var attempts = 0
      while try !port.deliver() {
        attempts += 1
        guard attempts < 1000 else { throw ReplayError.stuck }
        try breathe(at: last)
      }
      try breathe(at: last)
    }
    // What a fault keeps goes on after some hundred breaths without a frame.
    for _ in 0..<10_000 where try breathe(at: last) > 0 {}
    for port in ports { try port.finish() }
    guard let values = ends.counters.values() else { throw ReplayError.stuck }
    return ReplayResult(account: FrameAccount(values: values), ports: ports)
  }

  /// The port whose next frame is the oldest; the first of them if there are several.
  private var nextPort: PcapPort? {
    var oldest: PcapPort?
    for port in ports {
      guard let record = port.upcoming else { continue }
      if let best = oldest?.upcoming, best.nanoseconds <= record.nanoseconds { continue }
      oldest = port
    }
    return oldest
  }

  @discardableResult
  private func breathe(at nanoseconds: UInt64) throws -> Int {
    let drawn = worker.breathe()
    for port in ports { try port.collect(at: nanoseconds) }
    var hasLearned = false
    while let hint = hints.next() {
      model.learn(hint, nowSeconds: nanoseconds / 1_000_000_000)
      hasLearned = true
    }
    hints.release()
    if hasLearned, !model.commit() { throw ReplayError.tablesFull }
    return drawn
  }
}

/// A replay cannot go on.
enum ReplayError: Error, CustomStringConvertible {
  /// More addresses than the tables hold.
  case tablesFull
  /// Two endpoints with the same address and network.
  case endpointTwice(ReplaySwitch.Endpoint)
  /// The worker takes no more frames.
  case stuck

  var description: String {
    switch self {
    case .tablesFull: "the files hold more stations than the tables do; split them"
    case .endpointTwice(let endpoint):
      "--vtep \(endpoint.address):\(endpoint.network) is there twice, or there are too many"
    case .stuck: "the worker takes no more frames; this is a mistake in pktbench"
    }
  }
}
