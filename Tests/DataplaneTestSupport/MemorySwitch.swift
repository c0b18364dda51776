// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import Forwarding
package import Inet
package import Routing
package import Sealing
package import Tables
import Telemetry
import TestSupport

/// A worker with station ports 0, 1, … and one underlay port, all over memory, and the model that
/// it reads its snapshots from.
package final class MemorySwitch {
  /// How a switch is made.
  package struct Options {
    /// Ports of containers, numbered from 0.
    package var stationPortCount = 3
    /// Endpoints that the switch knows, numbered from 0.
    package var endpointCount = 2
    /// Chunks of the worker.
    package var frameCount = 1024
    /// Entries of each ring.
    package var ringCapacity: UInt32 = 256
    /// Chunks wanted on each fill ring.
    package var fillTarget: UInt32 = 128
    /// The longest frame that station ports carry; the underlay's is longer by the outer headers.
    package var frameLengthMax = 1514
    /// Whether the next hops to the endpoints are known.
    package var areEndpointsResolved = true
    /// The ways to a second worker, which nobody plays; the switch's worker is number 0.
    package var handOver: HandOverMemory?

    /// What most tests want.
    package init() {}
  }

  /// The port of the outer network.
  package static let underlay = PortIndex(9)
  /// What outer frames name as their network.
  package static let network: UInt32 = 7
  /// The source of what is sent to endpoints.
  package static let ownMAC = MACAddress(bits: 0x02_00_00_00_AA_00)
  /// The source of what is sent to endpoints.
  package static let ownAddress = IPv4Address(bits: 0xC000_02FE)

  /// What the switch was made of.
  package let options: Options
  /// What the worker was made of.
  package let ends: WorkerEnds
  /// Does nothing until a test lets it breathe.
  package var worker: Worker
  /// Where the worker's snapshots come from.
  package var model: ForwardingModel
  /// Ports being served, by number.
  package private(set) var ports: [PortIndex: MemoryPort] = [:]
  /// Keys of neighbours' sleeves.
  package let keys = FrameKeys()
  /// The worker's reports of neighbours' frames.
  package var controlFrames: ConsumerRing<ControlFrame>
  /// Frames that the worker is to send to neighbours.
  package var orders: ProducerRing<ControlOrder>
  private let snapshots: SnapshotMemory
  private var commands: ProducerRing<WorkerCommand>
  private var hints: ConsumerRing<Hint>

  /// Starts every port, but lets nothing arrive.
  package init(_ options: Options = Options()) throws {
    self.options = options
    snapshots = try SnapshotMemory(pageCount: 512, entryCountMax: 4096)
    model = try ForwardingModel(memory: snapshots, seed: 1, options: .init())
    ends = try WorkerEnds(frameCount: options.frameCount)
    worker = ends.makeWorker(
      snapshot: snapshots, index: 0, hintEvent: -1, keys: keys, handOver: options.handOver,
      wakeEvents: [-1, -1])
    commands = ends.commandEnd()
    hints = ends.hintEnd()
    controlFrames = ends.controlFrameEnd()
    orders = ends.orderEnd()
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
  package func start(_ port: PortIndex, kind: PortKind, frameLengthMax: Int? = nil) throws {
    let slot = port.number
    let memory = try MemoryPort(
      port: port, kind: kind, slot: slot, ringCapacity: options.ringCapacity, frames: ends.frames)
    let length = kind == .underlay ? options.frameLengthMax + 50 : options.frameLengthMax
    let queue = memory.queue(
      frameLengthMax: frameLengthMax ?? length, fillTarget: options.fillTarget, counters: ends)
    ends.ports.fill(slot, with: queue)
    ports[port] = memory
    command(WorkerCommand(.startQueue, slot: slot))
  }

  /// Stops a port, loses what its rings hold, and gives the worker the chunks back.
  package func stop(_ port: PortIndex) throws {
    let removed = ports.removeValue(forKey: port)
    let memory = try present(removed)
    command(WorkerCommand(.stopQueue, slot: memory.slot))
    ends.ports.empty(memory.slot)
    command(WorkerCommand(.reclaimQueue, slot: memory.slot))
  }

  /// Makes a port bad, or good again.
  package func setFaults(_ settings: FaultSettings, _ port: PortIndex) {
    ends.ports.setFaults(settings, slot: port.number)
    command(WorkerCommand(.setFaults, slot: port.number))
  }

  /// The worker carries a command out.
  package func command(_ command: WorkerCommand) {
    precondition(commands.append(command), "the command ring has room")
    commands.publish()
    worker.breathe(times: 1)
  }

  // MARK: Endpoints and stations

  private func addEndpoint(_ number: Int) throws {
    let added = model.addEndpoint(
      address: endpointAddress(number), network: VirtualNetwork(bits: MemorySwitch.network),
      underlayPort: MemorySwitch.underlay)
    let index = try present(added)
    guard options.areEndpointsResolved else { return }
    let path = EndpointPath(
      sourceMAC: MemorySwitch.ownMAC, destinationMAC: hopMAC(number),
      source: MemorySwitch.ownAddress, destination: endpointAddress(number),
      destinationPort: 4789, network: VirtualNetwork(bits: MemorySwitch.network),
      innerLengthMax: options.frameLengthMax)
    model.setEndpoint(index, reached: path)
  }

  /// The station is there, and the worker knows it with its next breath.
  package func learn(_ station: Int, at location: Location) {
    model.learn(Hint(mac: stationMAC(station).bits, location: location), nowSeconds: 0)
    _ = model.commit()
  }

  /// Every hint since the last call.
  package func takeHints() -> [Hint] {
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
  package func pass(_ bytes: [UInt8], into port: PortIndex) throws -> [PortIndex: [[UInt8]]] {
    guard try present(ports[port]).arrive(bytes) else { throw MemorySwitchError.portIsFull }
    _ = worker.breathe()
    return drain()
  }

  /// Everything on TX rings leaves; returns it by port.
  package func drain() -> [PortIndex: [[UInt8]]] {
    ports.mapValues { $0.takeSent() }.filter { !$0.value.isEmpty }
  }

  /// Everything on TX rings leaves and is forgotten; returns how many frames that were.
  package func discard() -> Int {
    ports.values.reduce(0) { $0 + $1.transmit() }
  }

  /// The worker's account, between two breaths.
  package var account: FrameAccount {
    get throws { FrameAccount(values: try present(ends.counters.values())) }
  }

  /// Chunks that are free, on a ring or kept; all of them unless one leaked.
  package var knownChunkCount: Int {
    let held = Int(ends.counters.value(at: WorkerCounter.held.rawValue))
    return worker.framesFree + held + ports.values.reduce(0) { $0 + $1.chunkCount }
  }
}

extension Worker {
  /// That many breaths.
  package mutating func breathe(times: Int) {
    for _ in 0..<times { _ = breathe() }
  }
}

/// The underlay address of a test's endpoint.
package func endpointAddress(_ number: Int) -> IPv4Address {
  IPv4Address(bits: 0xC000_0200 + UInt32(number))
}

/// The next hop to a test's endpoint.
package func hopMAC(_ number: Int) -> MACAddress {
  MACAddress(bits: 0x02_00_00_00_BB_00 + UInt64(number))
}

/// The address of a test's station.
package func stationMAC(_ number: Int) -> MACAddress {
  MACAddress(bits: 0x02_00_00_00_00_00 + UInt64(number))
}

/// The port with this number.
package func port(_ number: Int) -> PortIndex { PortIndex(UInt16(number)) }

/// The location behind a port.
package func behind(port number: Int) -> Location { Location(port(number)) }

/// The location behind an endpoint.
package func behind(endpoint number: Int) -> Location { Location(EndpointIndex(UInt16(number))) }

/// A UDP frame from one test station to another.
package func frame(from source: Int, to destination: Int, payloadLength: Int = 20) -> [UInt8] {
  FrameBuilder(sourceMAC: stationMAC(source), destinationMAC: stationMAC(destination))
    .udp(
      sourcePort: 1000, destinationPort: 2000,
      payload: (0..<payloadLength).map { UInt8(truncatingIfNeeded: $0) })
}

/// A frame that nobody can cut or answer, from one test station to another.
package func opaqueFrame(from source: Int, to destination: Int, length: Int) -> [UInt8] {
  FrameBuilder(sourceMAC: stationMAC(source), destinationMAC: stationMAC(destination))
    .ethernet(type: 0x88B5, payload: (0..<length - 14).map { UInt8(truncatingIfNeeded: $0) })
}

/// The outer frame that carries `inner` from a test's endpoint to us.
package func outer(
  from endpoint: Int, _ inner: [UInt8], network: UInt32 = MemorySwitch.network
) -> [UInt8] {
  FrameBuilder(
    sourceMAC: hopMAC(endpoint), destinationMAC: MemorySwitch.ownMAC,
    source: endpointAddress(endpoint), destination: MemorySwitch.ownAddress
  ).vxlan(network: network, inner: inner)
}

/// The outer frame that we shall send to a test's endpoint, from this UDP port.
package func outer(to endpoint: Int, _ inner: [UInt8], sourcePort: UInt16) -> [UInt8] {
  FrameBuilder(
    sourceMAC: MemorySwitch.ownMAC, destinationMAC: hopMAC(endpoint),
    source: MemorySwitch.ownAddress, destination: endpointAddress(endpoint)
  ).vxlan(network: MemorySwitch.network, inner: inner, sourcePort: sourcePort)
}

/// Why a step of a memory switch could not be taken.
package enum MemorySwitchError: Error {
  /// A port, an endpoint or a counter is missing.
  case missing
  /// The fill ring is empty or the RX ring full.
  case portIsFull
}

private func present<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw MemorySwitchError.missing }
  return value
}
