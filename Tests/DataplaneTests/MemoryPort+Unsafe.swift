// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Tables
import XDP

/// A port without a kernel: this object plays its part, one step at a time.
final class MemoryPort {
  let port: PortIndex
  let kind: PortKind
  let slot: UInt16
  /// Frames the worker sent through the port, oldest first; `takeSent()` empties it.
  private var sent: [[UInt8]] = []
  private var kernel: KernelRings
  private let rings: MemoryRings
  private let frames: MappedMemory

  init(
    port: PortIndex, kind: PortKind, slot: UInt16, ringCapacity: UInt32, frames: MappedMemory
  ) throws {
    self.port = port
    self.kind = kind
    self.slot = slot
    self.frames = frames
    rings = try MemoryRings(capacity: ringCapacity)
    kernel = rings.kernelHalf()
  }

  /// The port as the worker shall see it; taken once.
  func queue(
    frameLengthMax: Int, fillTarget: UInt32, counters ends: WorkerEnds
  ) -> PortQueue {
    let options = PortQueue.Options(
      port: port, kind: kind, backing: .memory, frameLengthMax: frameLengthMax,
      fillTarget: fillTarget)
    return PortQueue(options, rings: rings.socketHalf(), counters: ends.portCounters(slot: slot))
  }

  /// A frame arrives: a chunk moves from the fill ring to the RX ring.
  ///
  /// False, as with a kernel, if there is no chunk or the RX ring is full; the frame is lost.
  func arrive(_ bytes: [UInt8]) -> Bool {
    precondition(bytes.count <= UMEM.frameLengthMax, "the frame fits a chunk")
    guard kernel.receive.outstandingCount() < kernel.receive.capacity,
      let chunk = kernel.fill.next()
    else { return false }
    kernel.fill.release()
    let address = Int(chunk) + UMEM.headroom
    unsafe (frames.base + address).copyMemory(from: bytes, byteCount: bytes.count)
    let isAppended = kernel.receive.append(
      XDPDescriptor(address: UInt64(address), length: UInt32(bytes.count)))
    kernel.receive.publish()
    return isAppended
  }

  /// Everything on the TX ring leaves, and its chunks move to the completion ring.
  func transmit() {
    while let descriptor = kernel.transmit.next() {
      let start = unsafe frames.base + Int(descriptor.address)
      let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(descriptor.length))
      unsafe sent.append(Array(bytes))
      precondition(kernel.completion.append(descriptor.address), "both rings are equally long")
    }
    kernel.transmit.release()
    kernel.completion.publish()
  }

  /// Frames that left since the last call, oldest first.
  func takeSent() -> [[UInt8]] {
    defer { sent = [] }
    return sent
  }

  /// Chunks on the four rings.
  var chunkCount: Int {
    Int(kernel.fill.refreshedReadyCount()) + Int(kernel.receive.outstandingCount())
      + Int(kernel.transmit.refreshedReadyCount()) + Int(kernel.completion.outstandingCount())
  }
}
