// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Foundation
import Synchronization
import Tables
import XDP

/// Takes frames in at the far end of the wire, to look at a few of them.
final class Receiver: Sendable {
  let socket: PacketSocket
  private let state: Mutex<State>

  struct State: ~Copyable {
    var frames: FrameMemory
    var rings: SocketRings

    mutating func next() -> [UInt8]? {
      guard let descriptor = rings.receive.next() else { return nil }
      rings.receive.release()
      let frame = Frame(
        address: UInt32(truncatingIfNeeded: descriptor.address), length: descriptor.length)
      let copy = octets(of: frame)
      _ = rings.fill.append(descriptor.address & ~UInt64(UMEM.chunkLength - 1))
      rings.fill.publish()
      return copy
    }

    private func octets(of frame: Frame) -> [UInt8] {
      let bytes = frames.bytes(of: frame)
      return bytes.indices.map { bytes[$0] }
    }
  }

  private static let chunkCount = 256

  /// Binds queue 0 of an interface of the calling thread's room.
  init(interface: String) throws {
    let memory = try MappedMemory(
      length: Receiver.chunkCount * UMEM.chunkLength, name: "pktbench-receiver")
    socket = try PacketSocket(
      umem: UMEM(memory: memory),
      options: PacketSocket.Options(
        interface: interface, queue: 0, ringCapacity: UMEM.ringCapacity))
    state = Mutex(State(frames: FrameMemory(memory: memory), rings: socket.takeRings()))
    state.withLock { state in
      for number in 0..<Receiver.chunkCount {
        _ = state.rings.fill.append(UInt64(number * UMEM.chunkLength))
      }
      state.rings.fill.publish()
    }
  }

  /// The next frame's bytes; nil if none arrives in time.
  func next(seconds: Double) -> [UInt8]? {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
      if let frame = state.withLock({ $0.next() }) { return frame }
      Thread.sleep(forTimeInterval: 0.001)
    }
    return nil
  }

  func close() { socket.close() }
}
