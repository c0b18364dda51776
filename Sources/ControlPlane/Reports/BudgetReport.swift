// SPDX-License-Identifier: Apache-2.0

/// What the data plane holds and may hold, added up from its options and the ports that are open.
package struct BudgetReport: Codable, Sendable, Equatable {
  /// Where the chunks of the worker with the most queues can be.
  package struct Frames: Codable, Sendable, Equatable {
    /// Chunks of each worker.
    package var perWorker: UInt64
    /// On fill rings while nothing happens.
    package var fillRings: UInt64
    /// In the hands of a breath.
    package var batch: UInt64
    /// Left for fill rings that grow, for what is sent, and for copies.
    package var left: UInt64

    /// Describes a worker's chunks.
    package init(
      perWorker: UInt64, fillRings: UInt64, batch: UInt64, left: UInt64
    ) {
      self.perWorker = perWorker
      self.fillRings = fillRings
      self.batch = batch
      self.left = left
    }

    private enum CodingKeys: String, CodingKey {
      case batch, left
      case perWorker = "per_worker"
      case fillRings = "fill_rings"
    }
  }

  /// The kernel's memory for the ports.
  package struct Kernel: Codable, Sendable, Equatable {
    /// Queues that are bound.
    package var queues: UInt64
    /// Bytes for all ports, about.
    package var bytes: UInt64
    /// Bytes for each queue.
    package var bytesPerQueue: UInt64
    /// Bytes for one more port with all its queues.
    package var bytesPerPort: UInt64
    /// Bytes that all ports together should fit into.
    package var limit: UInt64
    /// Ports that still fit, into `limit` and into the workers' tables.
    package var portsLeft: UInt64

    /// Describes the kernel's share.
    package init(
      queues: UInt64, bytes: UInt64, bytesPerQueue: UInt64, bytesPerPort: UInt64, limit: UInt64,
      portsLeft: UInt64
    ) {
      self.queues = queues
      self.bytes = bytes
      self.bytesPerQueue = bytesPerQueue
      self.bytesPerPort = bytesPerPort
      self.limit = limit
      self.portsLeft = portsLeft
    }

    private enum CodingKeys: String, CodingKey {
      case queues, bytes, limit
      case bytesPerQueue = "bytes_per_queue"
      case bytesPerPort = "bytes_per_port"
      case portsLeft = "ports_left"
    }
  }

  /// The daemon's own memory for the data plane, in bytes, if all of it was used.
  package struct Process: Codable, Sendable, Equatable {
    /// Frames.
    package var chunks: UInt64
    /// Rings of sockets: pages of the kernel that the daemon sees as well.
    package var rings: UInt64
    /// Counters.
    package var counters: UInt64
    /// Tables of ports.
    package var tables: UInt64
    /// Rings between workers.
    package var handOver: UInt64
    /// Snapshots and seen marks.
    package var snapshots: UInt64

    /// Describes the daemon's share.
    package init(
      chunks: UInt64, rings: UInt64, counters: UInt64, tables: UInt64, handOver: UInt64,
      snapshots: UInt64
    ) {
      self.chunks = chunks
      self.rings = rings
      self.counters = counters
      self.tables = tables
      self.handOver = handOver
      self.snapshots = snapshots
    }

    private enum CodingKeys: String, CodingKey {
      case chunks, rings, counters, tables, snapshots
      case handOver = "hand_over"
    }
  }

  /// Where a worker's chunks can be.
  package var frames: Frames
  /// What the kernel keeps.
  package var kernel: Kernel
  /// What the daemon has itself.
  package var process: Process

  /// Puts the parts together.
  package init(frames: Frames, kernel: Kernel, process: Process) {
    self.frames = frames
    self.kernel = kernel
    self.process = process
  }
}
