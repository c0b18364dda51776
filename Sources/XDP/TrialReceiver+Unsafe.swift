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
  /// Chunks for each queue, and so entries of its rings, if frames are at most so long: 64 frames
  /// can wait at one, and of those in several pieces, which are at most 18, more than 50.
  public static func chunksPerQueue(frameLengthMax: Int) -> Int {
    frameLengthMax <= UMEM.frameLengthMax ? 64 : 1024
  }

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
  public static func memoryLength(queueCount: Int, frameLengthMax: Int) -> Int {
    queueCount * chunksPerQueue(frameLengthMax: frameLengthMax) * UMEM.chunkLength
  }

  /// Binds every queue of an interface; `umem` has `memoryLength` and no socket.
  public init(umem: UMEM, interface: String, queueCount: Int) throws(XDPError) {
    memory = umem.memory
    let chunks = umem.memory.length / UMEM.chunkLength / max(1, queueCount)
    var queues: [Queue] = []
    do throws(XDPError) {
      for number in 0..<queueCount {
        let socket = try PacketSocket(
          umem: umem,
          options: PacketSocket.Options(
            interface: interface, queue: UInt32(number),
            ringCapacity: UInt32(chunks)))
        let queue = Queue(socket)
        for chunk in 0..<chunks {
          let index = number * chunks + chunk
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

  /// Takes all frames that have arrived; the kernel publishes all pieces of one together.
  public func take() -> [[UInt8]] {
    var frames: [[UInt8]] = []
    for queue in queues {
      var frame: [UInt8]? = []
      while let found = queue.rings.receive.next() {
        if let piece = copy(found) { frame?.append(contentsOf: piece) } else { frame = nil }
        if found.options & XDPDescriptor.continued == 0 {
          if let frame { frames.append(frame) }
          frame = []
        }
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
