// SPDX-License-Identifier: Apache-2.0

/// How a port takes frames from the kernel: how its XDP program hangs on its interface, if it has
/// one.
package enum ProgramMode: String, Codable, Sendable {
  /// In the interface's driver.
  case native
  /// In the kernel's stack, for drivers that know no XDP: slower.
  case generic
  /// No program: through the kernel's UDP sockets.
  case sockets
}

/// One port of the switch.
package struct PortReport: Codable, Sendable, Equatable {
  /// What is behind a port.
  package enum Kind: String, Codable, Sendable {
    /// The outer network.
    case underlay
    /// A container.
    case container
    /// The host itself, through `weft0`.
    case host
  }

  /// The port's number, as in the MAC table and the logs.
  package var index: UInt32
  /// The interface that the port's sockets are bound to.
  package var interface: String
  /// What is behind it.
  package var kind: Kind
  /// How it takes frames from the kernel.
  package var mode: ProgramMode
  /// Why that mode: what test frames have shown, or why none were sent.
  package var reason: String
  /// Whether the driver moves frames without copying them.
  package var zeroCopy: Bool
  /// Bound queues.
  package var queues: UInt32
  /// Frames that came in.
  package var receivedFrames: UInt64
  /// Bytes of those frames.
  package var receivedBytes: UInt64
  /// Frames that left.
  package var sentFrames: UInt64
  /// Bytes of those frames.
  package var sentBytes: UInt64
  /// What the kernel lost before or after us.
  package var kernelDrops: KernelDropReport
  /// What is done to its frames on purpose; nil if nothing.
  package var faults: FaultReport?

  /// Describes one port.
  package init(
    index: UInt32, interface: String, kind: Kind, mode: ProgramMode, reason: String = "",
    zeroCopy: Bool = false, queues: UInt32 = 1, receivedFrames: UInt64 = 0,
    receivedBytes: UInt64 = 0, sentFrames: UInt64 = 0, sentBytes: UInt64 = 0,
    kernelDrops: KernelDropReport = KernelDropReport(), faults: FaultReport? = nil
  ) {
    self.index = index
    self.interface = interface
    self.kind = kind
    self.mode = mode
    self.reason = reason
    self.zeroCopy = zeroCopy
    self.queues = queues
    self.receivedFrames = receivedFrames
    self.receivedBytes = receivedBytes
    self.sentFrames = sentFrames
    self.sentBytes = sentBytes
    self.kernelDrops = kernelDrops
    self.faults = faults
  }

  private enum CodingKeys: String, CodingKey {
    case index, interface, kind, mode, reason, queues, faults
    case zeroCopy = "zero_copy"
    case receivedFrames = "received_frames"
    case receivedBytes = "received_bytes"
    case sentFrames = "sent_frames"
    case sentBytes = "sent_bytes"
    case kernelDrops = "kernel_drops"
  }
}

/// The kernel's own counters of a port's AF_XDP sockets (`XDP_STATISTICS`) and of its interface.
package struct KernelDropReport: Codable, Sendable, Equatable {
  /// Frames dropped for other reasons than a full ring.
  package var rxDropped: UInt64
  /// Frames dropped because the RX ring was full.
  package var rxRingFull: UInt64
  /// Times the kernel found the fill ring empty; with a copying driver each is a lost frame.
  package var fillRingEmpty: UInt64
  /// Fill descriptors the kernel refused.
  package var rxInvalid: UInt64
  /// TX descriptors the kernel refused.
  package var txInvalid: UInt64
  /// Frames the interface itself counts as missed.
  package var missed: UInt64

  /// Everything that was lost on the way in or out.
  package var total: UInt64 {
    rxDropped &+ rxRingFull &+ fillRingEmpty &+ rxInvalid &+ txInvalid &+ missed
  }

  /// Describes one port's losses.
  package init(
    rxDropped: UInt64 = 0, rxRingFull: UInt64 = 0, fillRingEmpty: UInt64 = 0,
    rxInvalid: UInt64 = 0, txInvalid: UInt64 = 0, missed: UInt64 = 0
  ) {
    self.rxDropped = rxDropped
    self.rxRingFull = rxRingFull
    self.fillRingEmpty = fillRingEmpty
    self.rxInvalid = rxInvalid
    self.txInvalid = txInvalid
    self.missed = missed
  }

  private enum CodingKeys: String, CodingKey {
    case rxDropped = "rx_dropped"
    case rxRingFull = "rx_ring_full"
    case fillRingEmpty = "fill_ring_empty"
    case rxInvalid = "rx_invalid"
    case txInvalid = "tx_invalid"
    case missed
  }
}
