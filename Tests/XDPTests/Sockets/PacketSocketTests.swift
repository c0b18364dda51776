// SPDX-License-Identifier: Apache-2.0

import Tables
import Testing
import XDP

/// Sockets that move frames over real veths.
@Suite(.enabled(if: isRoot, rootComment)) struct PacketSocketTests {
  @Test(arguments: [60, 1500, 1514])
  func framesArriveAtTheOtherEndWithEqualBytes(length: Int) async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try UMEM(memory: MappedMemory(length: 128 * 4096, name: "weft-test"))
      let left = try TestSocket(umem: umem, "left", chunks: 0..<64)
      let right = try TestSocket(umem: umem, "right", chunks: 64..<128)
      let program = try XDPProgram(.port)
      let attachment = try program.attach(
        interfaceIndex: interfaceIndex("right"), requested: .native, lifetime: .withProcess)
      try program.setSocket(right.socket.descriptor, queue: 0)
      for round in 0..<10 {
        let frames = (0..<32).map { frame(round * 32 + $0, length: length) }
        #expect(left.send(frames) == 32)
        #expect(right.receive(32) == frames)
      }
      #expect(left.chunkCounts == [32, 32, 0])
      #expect(right.chunkCounts == [32, 32, 0])
      #expect(left.socket.statistics() == PacketSocket.Statistics())
      #expect(try program.missedCount() == 0)
      #expect(!left.socket.isZeroCopy)
      try attachment.detach()
    }
  }

  /// Two interfaces with two queues each, and the peers' two: eight sockets on one memory.
  @Test func allQueuesOfSeveralInterfacesShareOneMemory() async throws {
    try await inNewNamespace {
      try makePairs(queues: 2)
      let umem = try UMEM(memory: MappedMemory(length: 256 * 4096, name: "weft-test"))
      let programs = try TwoPrograms()
      var senders: [TestSocket] = []
      var receivers: [String: [TestSocket]] = [:]
      var chunk = 0
      func open(_ interface: String, _ queue: UInt32) throws -> TestSocket {
        defer { chunk += 32 }
        return try TestSocket(
          umem: umem, interface, queue: queue, chunks: chunk..<chunk + 32, capacity: 32)
      }
      for queue: UInt32 in 0..<2 {
        senders += [try open("left", queue), try open("west", queue)]
        for far in ["right", "east"] { receivers[far, default: []].append(try open(far, queue)) }
      }
      for (far, sockets) in receivers { try programs.set(sockets, on: far) }
      for (number, sender) in senders.enumerated() {
        let frames = (0..<16).map { frame(number * 16 + $0) }
        #expect(sender.send(frames) == 16)
        // A frame sent on queue q of a veth is received on queue q of its peer.
        let far = number % 2 == 0 ? "right" : "east"
        let receiver = try #require(receivers[far]?[number / 2])
        #expect(receiver.receive(16) == frames)
        #expect(receiver.chunkCounts == [16, 16, 0])
      }
      #expect(try programs.missedCount() == 0)
      for sender in senders { #expect(sender.chunkCounts == [16, 16, 0]) }
    }
  }

  @Test func frameMovesOnByItsDescriptor() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try UMEM(memory: MappedMemory(length: 96 * 4096, name: "weft-test"))
      let left = try TestSocket(umem: umem, "left", chunks: 0..<32)
      let middle = try PacketSocket(
        umem: umem, options: .init(interface: "right", queue: 0, ringCapacity: 16))
      let onward = try PacketSocket(
        umem: umem, options: .init(interface: "west", queue: 0, ringCapacity: 16))
      let east = try TestSocket(umem: umem, "east", chunks: 32..<64)
      let programs = try TwoPrograms()
      try programs.set([middle.descriptor], on: "right")
      try programs.set([east], on: "east")
      var received = middle.takeRings()
      var sending = onward.takeRings()
      _ = received.fill.append(64 * 4096)
      received.fill.publish()
      #expect(left.send([frame(1)]) == 1)
      var moved: XDPDescriptor?
      let isThere = eventually {
        moved = moved ?? received.receive.next()
        return moved != nil
      }
      #expect(isThere)
      let descriptor = try #require(moved)
      #expect(descriptor == XDPDescriptor(address: 64 * 4096 + 256, length: 60))
      _ = sending.transmit.append(descriptor)
      sending.transmit.publish()
      #expect(east.receive(1) { wake(onward) } == [frame(1)])
      var completed: UInt64?
      let isBack = eventually {
        completed = completed ?? sending.completion.next()
        return completed != nil
      }
      #expect(isBack && completed == descriptor.address)
    }
  }

  @Test func kernelCountsWhatIsWrongWithDescriptors() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try UMEM(memory: MappedMemory(length: 32 * 4096, name: "weft-test"))
      let left = try TestSocket(umem: umem, "left", chunks: 0..<16)
      let right = try PacketSocket(
        umem: umem, options: .init(interface: "right", queue: 0, ringCapacity: 16))
      let programs = try TwoPrograms()
      try programs.set([right.descriptor], on: "right")
      #expect(left.send([frame(1), frame(2)]) == 2)
      #expect(
        eventually { right.statistics().fillRingEmpty >= 2 }, "\(right.statistics())")
      var rings = right.takeRings()
      _ = rings.fill.append(1 << 40)
      rings.fill.publish()
      _ = rings.transmit.append(XDPDescriptor(address: 1 << 40, length: 60))
      rings.transmit.publish()
      wake(right)
      #expect(left.send([frame(3)]) == 1)
      #expect(
        eventually {
          right.statistics().receiveDropped == 3 && right.statistics().transmitInvalid == 1
        }, "\(right.statistics())")
      let received = rings.receive.next()
      #expect(received == nil, "an entry outside the memory is as good as none")
      right.close()
      #expect(right.statistics() == PacketSocket.Statistics())
    }
  }

  @Test func kernelCountsFramesThatFindTheRingFull() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try UMEM(memory: MappedMemory(length: 64 * 4096, name: "weft-test"))
      let left = try TestSocket(umem: umem, "left", chunks: 0..<32)
      let right = try TestSocket(umem: umem, "right", chunks: 32..<64, capacity: 4)
      let programs = try TwoPrograms()
      try programs.set([right], on: "right")
      #expect(left.send((0..<7).map { frame($0) }) == 7)
      #expect(
        eventually { right.socket.statistics().receiveRingFull == 3 },
        "\(right.socket.statistics())")
      #expect(right.receive(4) == (0..<4).map { frame($0) })
    }
  }
}
