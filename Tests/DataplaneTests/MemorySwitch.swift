// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Inet
import Routing
import Tables
import Telemetry
import TestSupport
import Testing

/// A worker with station ports 0, 1, … and one underlay port, all over memory, and the model that
/// it reads its snapshots from.
final class MemorySwitch {
  /// How a switch is made.
  struct Options {
    var stationPortCount = 3
    var endpointCount = 2
    var frameCount = 1024
    var ringCapacity: UInt32 = 256
    var fillTarget: UInt32 = 128
    var frameLengthMax = 1514
    var areEndpointsResolved = true
  }

  static let underlay = PortIndex(9)
  static let network: UInt32 = 7
  /// Ours: the source of what is sent to endpoints.
  static let ownMAC = MACAddress(bits: 0x02_00_00_00_AA_00)
  static let ownAddress = IPv4Address(bits: 0xC000_02FE)

  let options: Options
  let ends: WorkerEnds
  var worker: Worker
  var model: ForwardingModel
  /// Ports being served, by number.
  private(set) var ports: [PortIndex: MemoryPort] = [:]
  private let snapshots: SnapshotMemory
  private var commands: ProducerRing<WorkerCommand>
  private var hints: ConsumerRing<Hint>

  init(_ options: Options = Options()) throws {
    self.options = options
    snapshots = try SnapshotMemory(pageCount: 512, entryCountMax: 4096)
    model = try ForwardingModel(memory: snapshots, seed: 1, options: .init())
    ends = try WorkerEnds(frameCount: options.frameCount)
    worker = ends.makeWorker(snapshot: snapshots, index: 0, hintEvent: -1)
    commands = ends.commandEnd()
    hints = ends.hintEnd()
    for number in 0..<options.stationPortCount {
      model.addPort(PortIndex(UInt16(number)), receivesFloods: true)
      try start(PortIndex(UInt16(number)), kind: .station)
    }
    model.addPort(MemorySwitch.underlay, receivesFloods: false)
    try start(MemorySwitch.underlay, kind: .underlay)
    for number in 0..<options.endpointCount { try addEndpoint(number) }
    _ = model.commit()
    worker.breathe(times: 2)
  }

  // MARK: Ports

  /// Opens a port and has it served.
  func start(_ port: PortIndex, kind: PortKind) throws {
    let slot = port.number
    let memory = try MemoryPort(
      port: port, kind: kind, slot: slot, ringCapacity: options.ringCapacity, frames: ends.frames)
    let length = kind == .underlay ? options.frameLengthMax + 50 : options.frameLengthMax
    let queue = memory.queue(
      frameLengthMax: length, fillTarget: options.fillTarget, counters: ends)
    ends.ports.fill(slot, with: queue)
    ports[port] = memory
    command(WorkerCommand(.startQueue, slot: slot))
  }

  /// Stops a port, loses what its rings hold, and gives the worker the chunks back.
  func stop(_ port: PortIndex) throws {
    let removed = ports.removeValue(forKey: port)
    let memory = try #require(removed)
    command(WorkerCommand(.stopQueue, slot: memory.slot))
    ends.ports.empty(memory.slot)
    command(WorkerCommand(.reclaimQueue, slot: memory.slot))
  }

  /// Makes a port bad, or good again.
  func setFaults(_ settings: FaultSettings, _ port: PortIndex) {
    ends.ports.setFaults(settings, slot: port.number)
    command(WorkerCommand(.setFaults, slot: port.number))
  }

  /// The worker carries a command out.
  func command(_ command: WorkerCommand) {
    precondition(commands.append(command), "the command ring has room")
    commands.publish()
    worker.breathe(times: 1)
  }

  // MARK: Endpoints and stations

  private func addEndpoint(_ number: Int) throws {
    let added = model.addEndpoint(
      address: endpointAddress(number), network: VirtualNetwork(bits: MemorySwitch.network),
      underlayPort: MemorySwitch.underlay)
    let index = try #require(added)
    guard options.areEndpointsResolved else { return }
    let path = EndpointPath(
      sourceMAC: MemorySwitch.ownMAC, destinationMAC: hopMAC(number),
      source: MemorySwitch.ownAddress, destination: endpointAddress(number),
      destinationPort: 4789, network: VirtualNetwork(bits: MemorySwitch.network),
      innerLengthMax: options.frameLengthMax)
    model.setEndpoint(index, reached: path)
  }

  /// The station is there, and the worker knows it with its next breath.
  func learn(_ station: Int, at location: Location) {
    model.learn(Hint(mac: stationMAC(station).bits, location: location), nowSeconds: 0)
    _ = model.commit()
  }

  /// Every hint since the last call.
  func takeHints() -> [Hint] {
    var taken: [Hint] = []
    while let hint = hints.next() { taken.append(hint) }
    hints.release()
    return taken
  }

  // MARK: Frames

  /// A frame arrives at a port and a breath deals with it.
  ///
  /// Returns what left, by port; ports that sent nothing are not in it.
  @discardableResult
  func pass(_ bytes: [UInt8], into port: PortIndex) throws -> [PortIndex: [[UInt8]]] {
    let memory = try #require(ports[port])
    try #require(memory.arrive(bytes), "the port has room for a frame")
    _ = worker.breathe()
    return drain()
  }

  /// Everything on TX rings leaves; returns it by port.
  func drain() -> [PortIndex: [[UInt8]]] {
    ports.mapValues { $0.takeSent() }.filter { !$0.value.isEmpty }
  }

  /// The worker's account, between two breaths.
  var account: FrameAccount {
    get throws { FrameAccount(values: try #require(ends.counters.values())) }
  }

  /// Chunks that are free, on a ring or kept; all of them unless one leaked.
  var knownChunkCount: Int {
    let held = Int(ends.counters.value(at: WorkerCounter.held.rawValue))
    return worker.framesFree + held + ports.values.reduce(0) { $0 + $1.chunkCount }
  }
}

extension Worker {
  mutating func breathe(times: Int) {
    for _ in 0..<times { _ = breathe() }
  }
}

/// The underlay address of a test's endpoint.
func endpointAddress(_ number: Int) -> IPv4Address {
  IPv4Address(bits: 0xC000_0200 + UInt32(number))
}

/// The next hop to a test's endpoint.
func hopMAC(_ number: Int) -> MACAddress { MACAddress(bits: 0x02_00_00_00_BB_00 + UInt64(number)) }

/// The address of a test's station.
func stationMAC(_ number: Int) -> MACAddress {
  MACAddress(bits: 0x02_00_00_00_00_00 + UInt64(number))
}

/// The port with this number.
func port(_ number: Int) -> PortIndex { PortIndex(UInt16(number)) }

/// The location behind a port.
func behind(port number: Int) -> Location { Location(port(number)) }

/// The location behind an endpoint.
func behind(endpoint number: Int) -> Location { Location(EndpointIndex(UInt16(number))) }

/// A UDP frame from one test station to another.
func frame(from source: Int, to destination: Int, payloadLength: Int = 20) -> [UInt8] {
  FrameBuilder(sourceMAC: stationMAC(source), destinationMAC: stationMAC(destination))
    .udp(
      sourcePort: 1000, destinationPort: 2000,
      payload: (0..<payloadLength).map { UInt8(truncatingIfNeeded: $0) })
}

/// The outer frame that carries `inner` from a test's endpoint to us.
func outer(
  from endpoint: Int, _ inner: [UInt8], network: UInt32 = MemorySwitch.network
) -> [UInt8] {
  FrameBuilder(
    sourceMAC: hopMAC(endpoint), destinationMAC: MemorySwitch.ownMAC,
    source: endpointAddress(endpoint), destination: MemorySwitch.ownAddress
  ).vxlan(network: network, inner: inner)
}

/// The outer frame that we shall send to a test's endpoint, from this UDP port.
func outer(to endpoint: Int, _ inner: [UInt8], sourcePort: UInt16) -> [UInt8] {
  FrameBuilder(
    sourceMAC: MemorySwitch.ownMAC, destinationMAC: hopMAC(endpoint),
    source: MemorySwitch.ownAddress, destination: endpointAddress(endpoint)
  ).vxlan(network: MemorySwitch.network, inner: inner, sourcePort: sourcePort)
}
