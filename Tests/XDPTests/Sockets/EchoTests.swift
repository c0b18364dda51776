// SPDX-License-Identifier: Apache-2.0

import CXDP
import Tables
import TestSupport
import Testing
import XDP

/// The same echo over rings whose other half a function plays, and over a veth: what passes only
/// with the function is a lie in the function.
@Suite struct EchoTests {
  @Test(arguments: UInt64(0)..<10)
  func portWithoutAKernelEchoes(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let memory = try MappedMemory(length: 64 * UMEM.chunkLength, name: "weft-test")
    let rings = try MemoryRings(capacity: 16)
    var port = EchoPort(rings: rings.socketHalf(), chunks: 0..<32)
    var kernel = PlayedKernel(rings: rings.kernelHalf(), memory: memory)
    for round in 0..<40 {
      let frames = (0..<random.number(below: 9)).map { _ in
        random.bytes(1 + random.number(below: UMEM.frameLengthMax))
      }
      port.fill()
      let delivered = kernel.deliver(frames)
      #expect(delivered == frames.count, "seed \(seed), round \(round)")
      let echoed = port.echo()
      #expect(echoed == frames.count, "seed \(seed), round \(round)")
      let sent = kernel.send()
      #expect(sent == frames, "seed \(seed), round \(round)")
      port.collect()
      let chunks = port.allChunks()
      #expect(chunks == Array(0..<32), "seed \(seed)")
    }
    withExtendedLifetime(rings) {}
  }

  @Test func kernelWithoutChunksDropsAndSaysSo() throws {
    let memory = try MappedMemory(length: 64 * UMEM.chunkLength, name: "weft-test")
    let rings = try MemoryRings(capacity: 16)
    var port = EchoPort(rings: rings.socketHalf(), chunks: 0..<2)
    var kernel = PlayedKernel(rings: rings.kernelHalf(), memory: memory)
    port.fill()
    #expect(kernel.deliver(Array(repeating: [1, 2, 3], count: 5)) == 2)
    #expect(port.echo() == 2)
    #expect(kernel.send().count == 2)
    port.collect()
    let chunks = port.allChunks()
    #expect(chunks == [0, 1])
    withExtendedLifetime(rings) {}
  }

  @Test(.enabled(if: isRoot, rootComment))
  func portOnAVethEchoes() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try UMEM(memory: MappedMemory(length: 64 * 4096, name: "weft-test"))
      let near = try TestSocket(umem: umem, "left", chunks: 0..<24)
      let socket = try PacketSocket(
        umem: umem, options: .init(interface: "right", queue: 0, ringCapacity: 16))
      let programs = [try PortProgram("left"), try PortProgram("right")]
      try programs[0].set([near])
      try programs[1].set([socket.descriptor])
      var port = EchoPort(rings: socket.takeRings(), chunks: 32..<64)
      var random = SeededGenerator(seed: 4)
      for _ in 0..<20 {
        let frames = (0..<8).map { _ in random.bytes(14 + random.number(below: 1500)) }
        port.fill()
        #expect(near.send(frames) == 8)
        var echoed = 0
        #expect(
          eventually {
            echoed += port.echo()
            return echoed == 8
          }, "\(echoed)")
        #expect(near.receive(8) { _ = cxdp_wakeup(socket.descriptor) } == frames)
        #expect(
          eventually {
            port.collect()
            return port.pendingCount == 0
          })
      }
      near.close()
      socket.close()
    }
  }
}

/// Sends back every frame it gets, and knows where each of its chunks is.
private struct EchoPort: ~Copyable {
  private var rings: SocketRings
  private var free: [UInt64]
  /// Chunks on the fill ring or in a frame that the kernel was filling.
  private var filled: Set<UInt64> = []
  private var sent: Set<UInt64> = []

  init(rings: consuming SocketRings, chunks: Range<Int>) {
    self.rings = rings
    free = chunks.map { UInt64($0) }
  }

  /// Chunks handed over for sending and not seen again.
  var pendingCount: Int { sent.count }

  mutating func fill() {
    while let chunk = free.last, rings.fill.append(chunk * UInt64(UMEM.chunkLength)) {
      free.removeLast()
      filled.insert(chunk)
    }
    rings.fill.publish()
  }

  mutating func echo() -> Int {
    var count = 0
    while let frame = rings.receive.next() {
      let chunk = frame.address / UInt64(UMEM.chunkLength)
      #expect(filled.remove(chunk) != nil, "chunk \(chunk) was not the kernel's")
      #expect(frame.address % UInt64(UMEM.chunkLength) == UInt64(UMEM.headroom))
      let isTaken = rings.transmit.append(frame)
      #expect(isTaken)
      sent.insert(chunk)
      count += 1
    }
    rings.receive.release()
    rings.transmit.publish()
    return count
  }

  mutating func collect() {
    while let address = rings.completion.next() {
      let chunk = address / UInt64(UMEM.chunkLength)
      #expect(sent.remove(chunk) != nil, "chunk \(chunk) was not sent")
      free.append(chunk)
    }
    rings.completion.release()
  }

  /// Every chunk of the port, wherever it is; those filled are the ones on the fill ring.
  mutating func allChunks() -> [Int] {
    #expect(filled.count == Int(rings.fill.outstandingCount()))
    return (free + filled + sent).map { Int($0) }.sorted()
  }
}

/// The kernel's part: fill → receive, transmit → completion.
private struct PlayedKernel: ~Copyable {
  private var rings: KernelRings
  private let memory: MappedMemory

  init(rings: consuming KernelRings, memory: MappedMemory) {
    self.rings = rings
    self.memory = memory
  }

  /// Receives frames as long as there are chunks; says how many.
  mutating func deliver(_ frames: [[UInt8]]) -> Int {
    var count = 0
    for frame in frames {
      guard let chunk = rings.fill.next() else { break }
      let descriptor = XDPDescriptor(
        address: chunk + UInt64(UMEM.headroom), length: UInt32(frame.count))
      write(frame, at: descriptor.address, in: memory)
      guard rings.receive.append(descriptor) else { break }
      count += 1
    }
    rings.fill.release()
    rings.receive.publish()
    return count
  }

  /// Sends what is on the TX ring and gives it back.
  mutating func send() -> [[UInt8]] {
    var frames: [[UInt8]] = []
    while let descriptor = rings.transmit.next() {
      frames.append(read(descriptor, in: memory))
      guard rings.completion.append(descriptor.address) else { break }
    }
    rings.transmit.release()
    rings.completion.publish()
    return frames
  }
}
