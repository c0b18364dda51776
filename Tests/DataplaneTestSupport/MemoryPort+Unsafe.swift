// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import Forwarding
package import Tables
import XDP

/// A port without a kernel: this object plays its part, one step at a time.
package final class MemoryPort {
  /// Its number.
  package let port: PortIndex
  /// Which side of the switch it is on.
  package let kind: PortKind
  /// Its place in the worker's table.
  package let slot: UInt16
  /// Frames the worker sent through the port, oldest first; `takeSent()` empties it.
  private var sent: [[UInt8]] = []
  private var kernel: KernelRings
  private let rings: MemoryRings
  private let frames: MappedMemory

  /// A port whose rings are empty.
  package init(
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
  package func queue(
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
  package func arrive(_ bytes: [UInt8]) -> Bool {
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
  ///
  /// Returns the number of frames; unless `keeping` is false, they wait for `takeSent()`.
  @discardableResult
  package func transmit(keeping isKept: Bool = true) -> Int {
    var count = 0
    while let descriptor = kernel.transmit.next() {
      if isKept {
        let start = unsafe frames.base + Int(descriptor.address)
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(descriptor.length))
        unsafe sent.append(Array(bytes))
      }
      precondition(kernel.completion.append(descriptor.address), "both rings are equally long")
      count += 1
    }
    kernel.transmit.release()
    kernel.completion.publish()
    return count
  }

  /// Frames that left since the last call, oldest first.
  package func takeSent() -> [[UInt8]] {
    defer { sent = [] }
    return sent
  }

  /// Whether no frame is on its way: RX and TX rings are empty.
  package var isQuiet: Bool {
    kernel.receive.outstandingCount() == 0 && kernel.transmit.refreshedReadyCount() == 0
  }

  /// Chunks on the four rings.
  package var chunkCount: Int {
    Int(kernel.fill.refreshedReadyCount()) + Int(kernel.receive.outstandingCount())
      + Int(kernel.transmit.refreshedReadyCount()) + Int(kernel.completion.outstandingCount())
  }
}
