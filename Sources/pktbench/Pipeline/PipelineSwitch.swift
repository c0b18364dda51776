// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Inet
import Routing
import Tables
import XDP

/// What several switches can have in common.
struct PipelineTables: Sendable {
  /// Where the tables are.
  let snapshots: SnapshotMemory
  /// What the control plane does, on whatever thread.
  let control: PipelineControl
}

/// Two memory ports, a worker's memory and a table of stations: a switch that lacks only somebody
/// who breathes.
///
/// This object plays the kernel: `fill()` lets frames arrive, `drain()` lets them leave. Both copy
/// and count, and neither is ever inside a measured time.
final class PipelineSwitch {
  /// What is built.
  struct Options: Equatable {
    var way: PipelineWay
    var size: Int
    var entries: Int
  }

  /// Frames that arrive at once: eight batches, which is what a ring holds.
  static let burst = 8 * Batch.capacity
  /// Chunks of frame memory: those of a default worker would only make setting up slower.
  static let chunkCount = 4096

  let options: Options
  let ends: WorkerEnds
  let snapshots: SnapshotMemory
  /// Where frames arrive.
  let input: MemoryPort
  /// Where they leave.
  let output: MemoryPort
  /// What the control plane does, on whatever thread.
  let control: PipelineControl
  private var traffic: PipelineTraffic
  /// Frames that arrived.
  private(set) var arrivedCount = 0
  /// Frames that left.
  private(set) var leftCount = 0

  /// Builds it; with `shared`, another switch of the same options, with its tables.
  init(_ options: Options, sharing shared: PipelineTables? = nil) throws {
    self.options = options
    ends = try WorkerEnds(frameCount: PipelineSwitch.chunkCount)
    // A page of the table holds 256 entries when it is full; there is room for two sparse tables.
    let stationCount = options.entries + PipelineCast.nearCount
    snapshots =
      try shared?.snapshots
      ?? SnapshotMemory(pageCount: 1024 + options.entries / 16, entryCountMax: stationCount)
    var limits = ForwardingModel.Options()
    limits.stationCountMax = stationCount
    control =
      try shared?.control
      ?? PipelineControl(try ForwardingModel(memory: snapshots, seed: 1, options: limits))
    traffic = PipelineTraffic(
      options.way, size: options.size, farCount: options.entries, seed: 1)
    let isInbound = options.way == .decapsulate
    let outward: PortKind = options.way == .encapsulate ? .underlay : .station
    input = try MemoryPort(
      port: PortIndex(isInbound ? 1 : 0), kind: isInbound ? .underlay : .station, slot: 0,
      ringCapacity: UInt32(PipelineSwitch.burst), frames: ends.frames)
    output = try MemoryPort(
      port: PortIndex(isInbound ? 0 : 1), kind: outward, slot: 1,
      ringCapacity: UInt32(PipelineSwitch.burst), frames: ends.frames)
    if shared == nil { try control.withModel { try PipelineSwitch.populate(&$0, options) } }
    for port in [input, output] {
      let fillTarget = port === input ? PipelineSwitch.burst : 8
      ends.ports.fill(
        port.slot,
        with: port.queue(
          frameLengthMax: UMEM.frameLengthMax, fillTarget: UInt32(fillTarget), counters: ends))
    }
  }

  /// Its tables, for others to share.
  var tables: PipelineTables { PipelineTables(snapshots: snapshots, control: control) }

  /// A burst of frames arrives; throws if the rings had no room, as a benchmark's always have.
  func fill() throws {
    for _ in 0..<PipelineSwitch.burst {
      traffic.advance()
      guard input.arrive(traffic.bytes.span) else {
        throw ScenarioError(.failed, "the memory port has no free chunk; this is a mistake in it")
      }
      arrivedCount += 1
    }
  }

  /// Every frame that was sent leaves.
  func drain() {
    leftCount += output.transmit()
    leftCount += input.transmit()
  }

  /// Nanoseconds for each frame of the burst in the middle.
  ///
  /// A burst takes microseconds and a turn of another program milliseconds: few bursts are
  /// interrupted by one, and those are not in the middle.
  static func perFrame(_ bursts: inout [UInt64]) -> Double {
    bursts.sort()
    return bursts.isEmpty ? 0 : Double(bursts[bursts.count / 2]) / Double(burst)
  }

  private static func populate(
    _ model: inout ForwardingModel, _ options: Options
  ) throws {
    let near = PortIndex(0)
    model.addPort(near, receivesFloods: true)
    model.addPort(PortIndex(1), receivesFloods: options.way == .local)
    if options.way != .local {
      for number in 0..<PipelineCast.endpointCount { try addEndpoint(number, to: &model) }
    }
    for number in 0..<PipelineCast.nearCount {
      model.learn(
        Hint(mac: PipelineCast.nearMAC(number).bits, location: Location(near)), nowSeconds: 0)
    }
    for number in 0..<options.entries {
      let location =
        options.way == .local
        ? Location(PortIndex(1))
        : Location(EndpointIndex(UInt16(number % PipelineCast.endpointCount)))
      model.learn(
        Hint(mac: PipelineCast.farMAC(number).bits, location: location), nowSeconds: 0)
      // Nobody reads yet, so that each publication gives the pages of the one before back.
      if number % 1024 == 1023 { _ = model.commit() }
    }
    let wanted = UInt64(options.entries + PipelineCast.nearCount)
    guard model.commit(), model.counts.learned == wanted else {
      throw ScenarioError(
        .failed, "the table took \(model.counts.learned) of \(wanted) entries; it is full")
    }
  }

  private static func addEndpoint(_ number: Int, to model: inout ForwardingModel) throws {
    guard
      let index = model.addEndpoint(
        address: PipelineCast.endpointAddress(number), network: PipelineCast.network,
        underlayPort: PortIndex(1))
    else { throw ScenarioError(.failed, "the table took \(number) endpoints; it is full") }
    model.setEndpoint(
      index,
      reached: EndpointPath(
        sourceMAC: PipelineCast.ownMAC, destinationMAC: PipelineCast.endpointMAC(number),
        source: PipelineCast.ownAddress, destination: PipelineCast.endpointAddress(number),
        destinationPort: PipelineCast.vxlanPort, network: PipelineCast.network,
        innerLengthMax: UMEM.frameLengthMax))
  }
}
