// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Tables
internal import XDP

/// A port without a kernel: whoever holds this plays its part, one step at a time.
///
/// For tests and benchmarks. The worker sees a `PortQueue` like any other; its four rings are in
/// memory, and their other halves are here. The object must outlive the worker that has the queue.
public final class MemoryPort {
  /// The port's number.
  public let port: PortIndex
  /// What it is to the switch.
  public let kind: PortKind
  /// The slot of the port table that its queue is for.
  public let slot: UInt16
  private var kernel: KernelRings
  private let rings: MemoryRings
  private let frames: MappedMemory
  private var scratch: [UInt8] = []

  /// Maps the rings of a port, of `ringCapacity` entries each, a power of two.
  ///
  /// `frames` is the memory of the worker that will serve the port.
  public init(
    port: PortIndex, kind: PortKind, slot: UInt16, ringCapacity: UInt32, frames: MappedMemory
  ) throws(MemoryError) {
    self.port = port
    self.kind = kind
    self.slot = slot
    self.frames = frames
    rings = try MemoryRings(capacity: ringCapacity)
    kernel = rings.kernelHalf()
  }

  /// The port as the worker shall see it; taken once.
  public func queue(frameLengthMax: Int, fillTarget: UInt32, counters ends: WorkerEnds) -> PortQueue
  {
    let options = PortQueue.Options(
      port: port, kind: kind, backing: .memory, frameLengthMax: frameLengthMax,
      fillTarget: fillTarget)
    return PortQueue(options, rings: rings.socketHalf(), counters: ends.portCounters(slot: slot))
  }

  /// A frame arrives: it is copied into chunks from the fill ring, which go to the RX ring.
  ///
  /// False, as with a kernel, if there are too few chunks or the RX ring is full; the frame is
  /// lost.
  public func arrive(_ bytes: Span<UInt8>) -> Bool {
    precondition(bytes.count <= Frame.lengthMax, "as long as a frame can be")
    return kernel.receive(bytes, in: frames)
  }

  /// Everything on the TX ring leaves, and its chunks move to the completion ring.
  ///
  /// Shows each frame, oldest first, and returns how many left.
  @discardableResult
  public func transmit(_ body: (Span<UInt8>) -> Void = { _ in }) -> Int {
    kernel.transmit(in: frames, scratch: &scratch, body)
  }

  /// Whether no frame is on its way: RX and TX rings are empty.
  public var isQuiet: Bool {
    kernel.receive.outstandingCount() == 0 && kernel.transmit.refreshedReadyCount() == 0
  }

  /// Chunks on the four rings.
  public var chunkCount: Int {
    Int(kernel.fill.refreshedReadyCount()) + Int(kernel.receive.outstandingCount())
      + Int(kernel.transmit.refreshedReadyCount()) + Int(kernel.completion.outstandingCount())
  }
}
