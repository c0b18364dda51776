// SPDX-License-Identifier: Apache-2.0

internal import Dataplane
internal import Forwarding
internal import Tables
internal import XDP

/// A port without a kernel, whose part this object plays between two breaths.
///
/// Proof of safety: chunks come from the fill ring, on which the worker puts chunks of `frames`,
/// and what is copied is shorter than a chunk behind its headroom.
final class MemoryPort {
  private let rings: MemoryRings
  private var kernel: KernelRings
  private let frames: MappedMemory
  private let port: PortIndex

  init(port: PortIndex, frames: MappedMemory) throws {
    self.port = port
    self.frames = frames
    rings = try MemoryRings(capacity: 256)
    kernel = rings.kernelHalf()
  }

  /// The port as the worker shall see it; taken once.
  func queue(counters ends: WorkerEnds) -> PortQueue {
    let options = PortQueue.Options(
      port: port, kind: port == Fabric.underlay ? .underlay : .station, backing: .memory,
      frameLengthMax: 1600, fillTarget: 128)
    return PortQueue(
      options, rings: rings.socketHalf(), counters: ends.portCounters(slot: port.number))
  }

  /// Frames arrive; without chunks for them they are lost.
  func arrive(_ arriving: [[UInt8]]) {
    for bytes in arriving {
      guard let chunk = kernel.fill.next() else { break }
      let address = Int(chunk) + UMEM.headroom
      unsafe (frames.base + address).copyMemory(from: bytes, byteCount: bytes.count)
      _ = kernel.receive.append(
        XDPDescriptor(address: UInt64(address), length: UInt32(bytes.count)))
    }
    kernel.fill.release()
    kernel.receive.publish()
  }

  /// What is on the TX ring leaves.
  func transmit() {
    while let descriptor = kernel.transmit.next() {
      _ = kernel.completion.append(descriptor.address)
    }
    kernel.transmit.release()
    kernel.completion.publish()
  }
}
