// SPDX-License-Identifier: Apache-2.0

internal import Dataplane
internal import Forwarding
internal import Sealing
internal import Tables
internal import Telemetry

/// Whole breaths of a worker over ports in memory, from the RX ring to the TX ring, and the memory
/// of its frames.
enum WorkerBenchmarks {
  static var all: [Benchmark] {
    Parameter.batches.flatMap { frames in
      [
        breath("encapsulate", Breath.Options(frames: frames)),
        breath("decapsulate", Breath.Options(frames: frames, from: endpoint, to: firstPort)),
        breath("switch", Breath.Options(frames: frames, from: firstPort, to: secondPort)),
      ]
    } + [
      Benchmark("Dataplane.frameMemory.64-frames", items: 64) { try ChunkTaking() },
      breath("encapsulate", Breath.Options(frames: 64, stations: 16)),
      breath("encapsulate", Breath.Options(frames: 64, stations: 65_536)),
      flood(length: 64), flood(length: 1350),
      sealed(length: 64), sealed(length: 1350),
      Benchmark("Dataplane.breathe.idle", items: 1) { try Breath(Breath.Options(frames: 0)) },
    ]
  }

  private static let firstPort = Location(Fabric.firstPort)
  private static let secondPort = Location(Fabric.secondPort)
  private static let endpoint = Fabric.endpoint

  private static func breath(_ kind: String, _ options: Breath.Options) -> Benchmark {
    let name = "\(kind).\(options.frames)-frames.\(options.stations)-stations"
    return Benchmark("Dataplane.breathe.\(name)", items: options.frames) { try Breath(options) }
  }

  /// From a station to the endpoint, in ESP.
  private static func sealed(length: Int) -> Benchmark {
    Benchmark("Dataplane.breathe.encapsulate-sealed.64-frames.\(length)-bytes", items: 64) {
      try Breath(Breath.Options(frames: 64, length: length, isSealed: true))
    }
  }

  /// From a station to the other station port and to the endpoint.
  private static func flood(length: Int) -> Benchmark {
    Benchmark("Dataplane.breathe.flood.16-frames.\(length)-bytes", items: 16) {
      try Breath(Breath.Options(frames: 16, length: length, receiversPerFrame: 2))
    }
  }
}

/// A worker with frames waiting at one of its ports.
private struct Breath: ~Copyable, Workload {
  /// What waits where.
  struct Options {
    var frames: Int
    var length = 64
    var stations = 1024
    var from = Location(Fabric.firstPort)
    var to = Fabric.endpoint
    /// 1 for known receivers; more if the receivers are unknown and floods reach so many.
    var receiversPerFrame: UInt64 = 1
    /// Whether what is for the endpoint is sealed.
    var isSealed = false
  }

  private let fabric: Fabric
  private let ends: WorkerEnds
  private let ports: [MemoryPort]
  private let entrance: MemoryPort
  private var worker: Worker
  private let arriving: [[UInt8]]
  private let receiversPerFrame: UInt64
  private var drawnCount = 0

  init(_ options: Options) throws {
    let keys = FrameKeys()
    let fabric = try Fabric(
      stations: options.stations, senders: options.from, receivers: options.to,
      sealsWith: options.isSealed ? keys : nil)
    let ends = try WorkerEnds(frameCount: 2048)
    let indices = [Fabric.firstPort, Fabric.secondPort, Fabric.underlay]
    ports = try indices.map { try MemoryPort(port: $0, frames: ends.frames) }
    var commands = ends.commandEnd()
    for (index, port) in zip(indices, ports) {
      ends.ports.fill(index.number, with: port.queue(counters: ends))
      _ = commands.append(WorkerCommand(.startQueue, slot: index.number))
    }
    commands.publish()
    let isOuter = options.from.isEndpoint
    entrance = ports[Int(isOuter ? Fabric.underlay.number : options.from.port.number)]
    arriving = (0..<options.frames).map { index in
      options.receiversPerFrame == 1
        ? fabric.frame(index, length: options.length, isOuter: isOuter)
        : fabric.broadcast(index, length: options.length)
    }
    receiversPerFrame = options.receiversPerFrame
    worker = ends.makeWorker(snapshot: fabric.memory, index: 0, hintEvent: -1, keys: keys)
    self.fabric = fabric
    self.ends = ends
    _ = worker.breathe()
  }

  mutating func prepare() {
    for port in ports { port.transmit() }
    entrance.arrive(arriving)
  }

  mutating func run() { drawnCount = worker.breathe() }

  var isAsExpected: Bool {
    let received = ends.counters.value(at: WorkerCounter.received.rawValue)
    let sent = ends.counters.value(at: WorkerCounter.sent.rawValue)
    let hints = ends.counters.value(at: WorkerCounter.hints.rawValue)
    return drawnCount == arriving.count && received == UInt64(arriving.count * Meter.warmUpCount)
      && sent == received * receiversPerFrame && hints == 0
  }
}

/// Takes chunks and gives them back.
private struct ChunkTaking: ~Copyable, Workload {
  private var memory: FrameMemory
  private var chunks = [64 of UInt32](repeating: 0)
  private var takenCount = 0

  init() throws {
    memory = FrameMemory(memory: try MappedMemory(length: 256 * 4096, name: "weft-benchmark"))
  }

  mutating func prepare() { takenCount = 0 }

  mutating func run() {
    for index in 0..<64 {
      guard let chunk = memory.take() else { return }
      chunks[index] = chunk
      takenCount &+= 1
    }
    for index in 0..<64 { memory.give(chunks[index]) }
  }

  var isAsExpected: Bool { takenCount == 64 && memory.freeCount == 256 }
}
