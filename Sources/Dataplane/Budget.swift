// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Synchronization
internal import Tables
internal import Telemetry
internal import XDP

// What an engine may hold, as sums: chunks of a worker, memory of the kernel, memory of this
// process. Nothing here is stored; `Engine.budget` adds it up from what is open.

/// Where the chunks of one worker can be.
///
/// Every chunk is free, on a ring, or in the batch that is being worked on.
public struct FrameBudget: Sendable, Equatable {
  /// Chunks of the worker.
  public var chunkCount: Int
  /// Its queues of the underlay.
  public var underlayQueueCount: Int
  /// Its queues of stations' ports.
  public var stationQueueCount: Int
  /// Chunks on fill rings for frames in several pieces, of all its queues.
  public var longFrameFill: Int

  /// Chunks on the fill ring of a queue in addition, if its longest frames have several pieces: two
  /// such frames always find enough.
  public static func longFrameFill(frameLengthMax: Int) -> Int {
    let longest = Frame(address: UInt32(UMEM.headroom), length: UInt32(clamping: frameLengthMax))
    return longest.isChained ? 2 * longest.pieceCount : 0
  }

  /// Chunks on the fill ring of an underlay's queue to begin with, if the worker, which has `all`,
  /// has so many such queues: 512, but a quarter of all for all of them.
  public static func underlayFill(queueCount: Int, of all: Int) -> Int {
    max(8, min(512, all / 4 / max(1, queueCount)))
  }

  /// Chunks on the fill ring of a station's queue to begin with, if `free` of a worker's chunks are
  /// left: there may be a thousand such queues, and most will be silent.
  public static func stationFill(free: Int, of all: Int) -> Int {
    switch free * 4 / all {
    case 3...: 128
    case 2: 32
    case 1: 8
    default: 4
    }
  }

  /// A fill ring doubles, when bursts ask for it, as long as this many times its chunks stay free.
  public static let reserve = 4

  /// Gathers what a worker has.
  public init(
    chunkCount: Int, underlayQueueCount: Int, stationQueueCount: Int, longFrameFill: Int = 0
  ) {
    self.longFrameFill = longFrameFill
    self.chunkCount = chunkCount
    self.underlayQueueCount = underlayQueueCount
    self.stationQueueCount = stationQueueCount
  }

  /// Chunks on fill rings while nothing happens: the underlay's first, then station by station.
  public var onFillRings: Int {
    var free = chunkCount - underlayChunkCount
    for _ in 0..<stationQueueCount {
      free = max(0, free - FrameBudget.stationFill(free: free, of: chunkCount))
    }
    return chunkCount - free
  }

  private var underlayChunkCount: Int {
    let each = FrameBudget.underlayFill(queueCount: underlayQueueCount, of: chunkCount)
    return min(chunkCount, underlayQueueCount * each + longFrameFill)
  }

  /// Chunks that no fill ring may take, so that a flood finds enough for its copies.
  public static func floor(of all: Int) -> Int { max(2 * Batch.capacity, all / 16) }

  /// Whether more than the floor is left.
  public var isSound: Bool { left >= FrameBudget.floor(of: chunkCount) }

  /// Stations' queues that can come in addition.
  public var stationQueuesLeft: Int {
    var free = chunkCount - onFillRings - inBatch
    var count = 0
    while count < PortTable.capacity {
      free -= FrameBudget.stationFill(free: max(0, free + inBatch), of: chunkCount)
      guard free >= FrameBudget.floor(of: chunkCount) else { break }
      count += 1
    }
    return count
  }

  /// Chunks in the breath's hands at most.
  public var inBatch: Int { min(Batch.capacity, chunkCount - onFillRings) }

  /// Chunks that are left for fill rings that grow, for what is sent, and for copies.
  public var left: Int { chunkCount - onFillRings - inBatch }
}

/// What the kernel keeps for the ports.
///
/// The large figures follow from the kernel's structures. `bytesPerPort` and
/// `bytesPerQueueItself` were measured and differ by a few KiB with the kernel's configuration; see
/// docs/dataplane.md.
public struct KernelMemoryBudget: Sendable, Equatable {
  /// Chunks of each worker; the kernel describes all of them anew for each queue.
  public var chunkCount: Int
  /// Queues of each port that is still to come: one for each worker.
  public var workerCount: Int
  /// Ports that are open.
  public var portCount: Int
  /// Their queues.
  public var queueCount: Int

  /// Bytes for a chunk and a queue: one `struct xdp_buff_xsk`.
  public static let bytesPerChunk = 128
  /// Bytes for a port besides its queues: both ends of a veth pair, the program and its maps.
  public static let bytesPerPort = 88 << 10
  /// Bytes of the pages that a veth's queue takes for packets with the first one it receives and
  /// keeps from then on: 64.
  ///
  /// A queue that is very busy can keep up to 384.
  public static let bytesOfPackets = 64 << 12
  /// Bytes for a queue besides rings, chunks and packets: the socket's own structures, and the
  /// receive ring and page pool (256 entries each) that a veth's queue gets with its program.
  public static let bytesPerQueueItself = 16 << 10
  /// What all ports together should fit into.
  public static let limit = 5 << 29

  /// Gathers what is open.
  public init(chunkCount: Int, workerCount: Int, portCount: Int, queueCount: Int) {
    self.chunkCount = chunkCount
    self.workerCount = workerCount
    self.portCount = portCount
    self.queueCount = queueCount
  }

  /// Bytes of a queue's four rings, each in whole pages behind a header.
  public static var ringBytes: Int {
    let entries = Int(UMEM.ringCapacity)
    let sizes = [
      entries * 8,  // fill
      entries * 8,  // completion
      entries * 16,  // RX
      entries * 16,  // TX
    ]
    return sizes.reduce(0) { $0 + wholePages($1 + ringHeaderBytes) }
  }

  /// Bytes of the kernel's own copy of the descriptors that it is sending.
  public static var sendingBytes: Int { Int(UMEM.ringCapacity) * 16 }

  /// Bytes for a queue.
  public var bytesPerQueue: Int {
    var sum = chunkCount * KernelMemoryBudget.bytesPerChunk
    sum += KernelMemoryBudget.ringBytes
    sum += KernelMemoryBudget.sendingBytes
    sum += KernelMemoryBudget.bytesOfPackets
    sum += KernelMemoryBudget.bytesPerQueueItself
    return sum
  }

  /// Bytes for everything that is open.
  public var bytes: Int {
    portCount * KernelMemoryBudget.bytesPerPort + queueCount * bytesPerQueue
  }

  /// Bytes for one more port, with a queue for each worker.
  public var bytesOfNextPort: Int {
    KernelMemoryBudget.bytesPerPort + workerCount * bytesPerQueue
  }

  /// How many more ports fit into `limit` bytes with those there are.
  public func portsLeft(in limit: Int = KernelMemoryBudget.limit) -> Int {
    max(0, limit - bytes) / bytesOfNextPort
  }

  private static var ringHeaderBytes: Int { 320 }
}

/// What this process maps or allocates for the data plane.
///
/// All but the tables of ports is mapped and takes memory only where it was used.
public struct ProcessMemoryBudget: Sendable, Equatable {
  /// Frames: chunks of 4 KiB, of all workers.
  public var chunkBytes: Int
  /// Rings of sockets: the kernel's pages, which this process sees as well.
  public var ringBytes: Int
  /// Counters of workers and of their queues.
  public var counterBytes: Int
  /// Tables of ports, by slot and by port.
  public var tableBytes: Int
  /// Rings by which workers hand frames to each other.
  public var handOverBytes: Int
  /// Snapshots and seen marks.
  public var snapshotBytes: Int

  /// Adds up what `workerCount` workers and `queueCount` queues take.
  public init(workerCount: Int, chunkCount: Int, queueCount: Int, snapshotBytes: Int) {
    chunkBytes = workerCount * chunkCount * UMEM.chunkLength
    ringBytes = queueCount * KernelMemoryBudget.ringBytes
    let words =
      CounterBlock.wordCount(for: WorkerCounter.blockCount) + CounterBlock.wordCount(for: 1)
      + PortTable.capacity * CounterBlock.wordCount(for: PortCounter.allCases.count)
    counterBytes = workerCount * wholePages(words * 8)
    let slotBytes =
      MemoryLayout<PortQueue>.stride + 3 * MemoryLayout<UInt16>.stride
      + MemoryLayout<FaultInjector>.stride + MemoryLayout<FaultSettings>.stride
    tableBytes = workerCount * (PortTable.capacity * slotBytes + (Int(UInt16.max) + 1) * 2)
    handOverBytes = workerCount > 1 ? HandOverMemory.length(workerCount: workerCount) : 0
    self.snapshotBytes = snapshotBytes
  }

  /// Bytes when all of it was used.
  public var bytes: Int {
    chunkBytes + ringBytes + counterBytes + tableBytes + handOverBytes + snapshotBytes
  }
}

/// What an engine holds and may hold.
public struct Budget: Sendable, Equatable {
  /// The chunks of the worker that has the most queues.
  public var frames: FrameBudget
  /// What the kernel keeps.
  public var kernel: KernelMemoryBudget
  /// What this process has.
  public var process: ProcessMemoryBudget
  /// Ports for which every worker still has a slot.
  public var slotsLeft: Int

  /// How many more ports can be opened within `limit` bytes of the kernel's memory, and with the
  /// slots and chunks of the workers.
  public func portsLeft(in limit: Int = KernelMemoryBudget.limit) -> Int {
    min(kernel.portsLeft(in: limit), slotsLeft, frames.stationQueuesLeft)
  }

  /// Adds up for `options` and the open ports, each with its kind and its number of queues, of
  /// which worker *q mod W* has queue *q*; `longFrameFill` are the chunks for frames in several
  /// pieces of the worker with the most queues.
  public init(
    options: Engine.Options, ports: [(kind: PortKind, queueCount: Int)], snapshotBytes: Int,
    longFrameFill: Int = 0
  ) {
    let workers = max(1, options.cores.count)
    let queueCount = ports.reduce(0) { $0 + $1.queueCount }
    // The first worker has no fewer queues of any port than another.
    let first = { (kind: PortKind) in
      ports.filter { $0.kind == kind }.reduce(0) { $0 + ($1.queueCount + workers - 1) / workers }
    }
    frames = FrameBudget(
      chunkCount: options.frameCount, underlayQueueCount: first(.underlay),
      stationQueueCount: first(.station), longFrameFill: longFrameFill)
    kernel = KernelMemoryBudget(
      chunkCount: options.frameCount, workerCount: workers, portCount: ports.count,
      queueCount: queueCount)
    process = ProcessMemoryBudget(
      workerCount: workers, chunkCount: options.frameCount, queueCount: queueCount,
      snapshotBytes: snapshotBytes)
    slotsLeft = max(
      0, PortTable.capacity - frames.underlayQueueCount - frames.stationQueueCount)
  }
}

extension Engine {
  /// What the engine holds now and may hold, added up; `snapshot` is the memory it reads.
  public func budget(snapshot: SnapshotMemory) -> Budget {
    let open = ports.withLock { ports in
      ports.values.map { (kind: $0.specification.kind, queueCount: $0.queues.count) }
    }
    return Budget(
      options: options, ports: open,
      snapshotBytes: snapshot.pages.length + wholePages(snapshot.entryCountMax),
      longFrameFill: longFrameFill)
  }
}

/// Bytes rounded up to whole pages of 4 KiB.
private func wholePages(_ bytes: Int) -> Int { (bytes + 4095) & ~4095 }
