// SPDX-License-Identifier: Apache-2.0

internal import Tables

/// Sockets on all queues of an interface, with a small memory of their own, to see which frames
/// arrive there before the real sockets are bound.
///
/// Used by one thread. The kernel frees the queues a moment after `close()`.
///
/// Proof of safety: a descriptor of the kernel's is only followed if it lies within the memory, and
/// its bytes are copied at once.
@safe
public final class TrialReceiver {
  /// Chunks for each queue, and so the frames that can wait at one.
  public static let chunksPerQueue = 64

  private let memory: MappedMemory
  private let queues: [Queue]

  private final class Queue {
    let socket: PacketSocket
    var rings: SocketRings

    init(_ socket: PacketSocket) {
      self.socket = socket
      rings = socket.takeRings()
    }
  }

  /// The length of the memory that so many queues need.
  public static func memoryLength(queueCount: Int) -> Int {
    queueCount * chunksPerQueue * UMEM.chunkLength
  }

  /// Binds every queue of an interface; `umem` has `memoryLength` and no socket.
  public init(umem: UMEM, interface: String, queueCount: Int) throws(XDPError) {
    memory = umem.memory
    var queues: [Queue] = []
    do throws(XDPError) {
      for number in 0..<queueCount {
        let socket = try PacketSocket(
          umem: umem,
          options: PacketSocket.Options(
            interface: interface, queue: UInt32(number),
            ringCapacity: UInt32(TrialReceiver.chunksPerQueue)))
        let queue = Queue(socket)
        for chunk in 0..<TrialReceiver.chunksPerQueue {
          let index = number * TrialReceiver.chunksPerQueue + chunk
          _ = queue.rings.fill.append(UInt64(index * UMEM.chunkLength))
        }
        queue.rings.fill.publish()
        queues.append(queue)
      }
    } catch {
      for queue in queues.reversed() { queue.socket.close() }
      throw error
    }
    self.queues = queues
  }

  /// Has a program send the frames of each queue here.
  public func join(_ program: borrowing XDPProgram) throws(ProgramError) {
    for (number, queue) in queues.enumerated() {
      try program.setSocket(queue.socket.descriptor, queue: UInt32(number))
    }
  }

  /// Takes all frames that have arrived.
  public func take() -> [[UInt8]] {
    var frames: [[UInt8]] = []
    for queue in queues {
      while let found = queue.rings.receive.next() {
        if let frame = copy(found) { frames.append(frame) }
        let chunk = found.address / UInt64(UMEM.chunkLength)
        _ = queue.rings.fill.append(chunk * UInt64(UMEM.chunkLength))
      }
      queue.rings.receive.release()
      queue.rings.fill.publish()
    }
    return frames
  }

  private func copy(_ found: XDPDescriptor) -> [UInt8]? {
    let length = Int(found.length)
    guard length <= UMEM.chunkLength, found.address <= UInt64(memory.length - length) else {
      return nil
    }
    return unsafe Array(
      UnsafeRawBufferPointer(start: memory.base + Int(found.address), count: length))
  }

  /// Closes the sockets, the one that holds the memory's registration last.
  public func close() {
    for queue in queues.reversed() { queue.socket.close() }
  }

  deinit { close() }
}
