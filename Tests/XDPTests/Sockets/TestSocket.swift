// SPDX-License-Identifier: Apache-2.0

import CXDP
import Tables
import Testing
import XDP

/// A socket with its rings, for tests that send and receive whole frames through it.
///
/// It knows which chunk is where and expects every chunk back exactly once.
final class TestSocket {
  let socket: PacketSocket
  private let memory: MappedMemory
  private var rings: SocketRings
  private var free: [UInt64]
  private var filled: Set<UInt64> = []
  private var sent: Set<UInt64> = []

  /// Binds to a queue and hands half of `chunks` to the kernel.
  init(
    umem: UMEM, _ interface: String, queue: UInt32 = 0, chunks: Range<Int>, capacity: UInt32 = 64
  ) throws {
    socket = try PacketSocket(
      umem: umem, options: .init(interface: interface, queue: queue, ringCapacity: capacity))
    memory = umem.memory
    rings = socket.takeRings()
    free = chunks.map { UInt64($0) }
    fill(upTo: chunks.count / 2)
  }

  /// Chunks with us, with the kernel for receiving, and with the kernel for sending.
  var chunkCounts: [Int] { [free.count, filled.count, sent.count] }

  func close() { socket.close() }

  /// Puts frames on TX, asks the kernel to send, waits for the chunks and says how many came back.
  func send(_ frames: [[UInt8]]) -> Int {
    var addresses: [UInt64] = []
    for frame in frames {
      guard let chunk = free.popLast() else { break }
      // Not at the chunk's start: completion gives back what TX was given.
      let address = chunk * UInt64(UMEM.chunkLength) + UInt64(UMEM.headroom)
      write(frame, at: address, in: memory)
      guard rings.transmit.append(XDPDescriptor(address: address, length: UInt32(frame.count)))
      else { break }
      sent.insert(chunk)
      addresses.append(address)
    }
    rings.transmit.publish()
    var completed: [UInt64] = []
    let isComplete = eventually {
      _ = cxdp_wakeup(socket.descriptor)
      while let address = rings.completion.next() { completed.append(address) }
      rings.completion.release()
      return completed.count >= addresses.count
    }
    #expect(isComplete && completed.sorted() == addresses.sorted(), "each chunk comes back once")
    for address in completed { takeBack(address, from: &sent) }
    return completed.count
  }

  /// Waits for `count` frames; `prompt` is called at each look.
  func receive(_ count: Int, prompt: () -> Void = {}) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    _ = eventually {
      prompt()
      while let frame = rings.receive.next() {
        #expect(frame.address % UInt64(UMEM.chunkLength) == UInt64(UMEM.headroom))
        #expect(frame.options == 0)
        frames.append(read(frame, in: memory))
        takeBack(frame.address, from: &filled)
      }
      rings.receive.release()
      return frames.count >= count
    }
    fill(upTo: chunkCounts.reduce(0, +) / 2)
    return frames
  }

  private func fill(upTo count: Int) {
    while filled.count < count, let chunk = free.last,
      rings.fill.append(chunk * UInt64(UMEM.chunkLength))
    {
      free.removeLast()
      filled.insert(chunk)
    }
    rings.fill.publish()
  }

  private func takeBack(_ address: UInt64, from owner: inout Set<UInt64>) {
    let chunk = address / UInt64(UMEM.chunkLength)
    #expect(owner.remove(chunk) != nil, "chunk \(chunk) is not where it should be")
    free.append(chunk)
  }
}

func write(_ frame: [UInt8], at address: UInt64, in memory: MappedMemory) {
  let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory.base, count: memory.length)
  for (index, byte) in frame.enumerated() { unsafe bytes[Int(address) + index] = byte }
}

func read(_ frame: XDPDescriptor, in memory: MappedMemory) -> [UInt8] {
  let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory.base, count: memory.length)
  return unsafe Array(bytes[Int(frame.address)..<Int(frame.address) + Int(frame.length)])
}

/// Makes the pairs `left`–`right` and `west`–`east`: four ends with this many queues, and up.
func makePairs(queues: Int) throws {
  let ends = "numrxqueues \(queues) numtxqueues \(queues)"
  for (near, far) in [("left", "right"), ("west", "east")] {
    try run("ip link add \(near) \(ends) type veth peer name \(far) \(ends)")
    try run("ip link set \(near) up")
    try run("ip link set \(far) up")
  }
}

/// A frame between two stations that do not exist, recognizable by its number.
func frame(_ number: Int, length: Int = 60) -> [UInt8] {
  var bytes: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5]
  bytes += (0..<length - 14).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
  return bytes
}
