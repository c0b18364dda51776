// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Inet
import TestSupport
import Testing

/// A port of UDP sockets with too few chunks, frames that are none, and ports that others have.
@Suite(.serialized)
struct SocketPortTroubleTests {
  @Test func datagramWaitsForChunksAndIsNotLost() throws {
    var options = SocketBench.Options()
    options.frameCount = 20
    options.ringCapacity = 16
    let bench = try SocketBench(options)
    let plain = try PlainSocket()
    let held = (0..<3).compactMap { _ in bench.memory.take() }
    #expect(plain.send([UInt8](repeating: 7, count: 60_000), to: bench.udpPort))
    #expect(plain.send([1], to: bench.udpPort))
    // 16 pieces, and 16 chunks: the second datagram finds none until those come back.
    let frames = bench.receive(count: 2)
    #expect(frames.map(\.count) == [60_042, 43])
    for chunk in held { bench.memory.give(chunk) }
    #expect(bench.isAtRest && bench.port.losses().receiveDropped == 0)
  }

  @Test func datagramForWhichThereAreNeverEnoughChunksIsGivenUpAndCounted() throws {
    var options = SocketBench.Options()
    options.frameCount = 12
    options.ringCapacity = 8
    let bench = try SocketBench(options)
    let plain = try PlainSocket()
    #expect(plain.send([UInt8](repeating: 7, count: 65_507), to: bench.udpPort))
    #expect(plain.send([1, 2, 3], to: bench.udpPort))
    var frames: [[UInt8]] = []
    for _ in 0..<10_000 where frames.isEmpty { frames = bench.receive() }
    #expect(frames.map { Array($0.dropFirst(42)) } == [[1, 2, 3]])
    #expect(bench.port.losses().receiveDropped == 1 && bench.isAtRest)
  }

  @Test func workerDoesNotSleepWhileADatagramWaitsForChunks() throws {
    var options = SocketBench.Options()
    options.frameCount = 12
    options.ringCapacity = 8
    let bench = try SocketBench(options)
    #expect(try PlainSocket().send([UInt8](repeating: 7, count: 60_000), to: bench.udpPort))
    for _ in 0..<200 { #expect(bench.breathe() == 0) }
    #expect(bench.exhale().isOwing)
  }

  @Test func whatIsNoDatagramIsRefusedAndItsChunksComeBack() throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    let sound = UnderlayFrame(from: bench.udpPort, to: plain.udpPort).bytes([1, 2, 3])
    func changed(_ place: Int, _ byte: UInt8) -> [UInt8] {
      var frame = sound
      frame[place] = byte
      return frame
    }
    let wrong = [
      [], Array(sound.prefix(14)), Array(sound.prefix(41)), changed(12, 0x86), changed(14, 0x46),
      changed(14, 0x65), changed(23, 6),
      UnderlayFrame(from: bench.udpPort, to: plain.udpPort).bytes(
        .init(repeating: 0, count: 65_508)),
    ]
    for frame in wrong { _ = bench.send([frame, sound]) }
    #expect(plain.receive(count: wrong.count) == Array(repeating: [1, 2, 3], count: wrong.count))
    #expect(bench.port.losses().transmitRefused == UInt64(wrong.count))
    #expect(plain.isEmpty && bench.isAtRest)
  }

  @Test func whatTheKernelRefusesIsCountedAndBlocksNothing() throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    let sound = UnderlayFrame(from: bench.udpPort, to: plain.udpPort)
    var foreign = sound
    foreign.source = IPv4Address(bits: 0xC000_0201)
    var broadcast = sound
    broadcast.destination = IPv4Address(bits: 0xFFFF_FFFF)
    var none = sound
    none.destinationPort = 0
    var frames: [[UInt8]] = []
    for _ in 0..<10 {
      for outer in [foreign, broadcast, none, sound] { frames.append(outer.bytes([4, 5])) }
    }
    _ = bench.send(frames)
    #expect(plain.receive(count: 10) == Array(repeating: [4, 5], count: 10))
    #expect(bench.port.losses().transmitRefused == 30)
    #expect(plain.isEmpty && bench.isAtRest)
  }

  @Test func whatNobodyReceivesIsNoError() throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    let nobody = UnderlayFrame(from: bench.udpPort, to: try PlainSocket.freePort())
    for _ in 0..<5 {
      _ = bench.send([
        nobody.bytes([1]), UnderlayFrame(from: bench.udpPort, to: plain.udpPort).bytes([2]),
      ])
    }
    #expect(plain.receive(count: 5).count == 5)
    #expect(bench.port.losses().transmitRefused == 0 && bench.isAtRest)
  }

  @Test func whatTheKernelHadNoRoomForIsCounted() throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    let count = 2000
    for _ in 0..<count { plain.send([UInt8](repeating: 1, count: 65_000), to: bench.udpPort) }
    var received = 0
    var empty = 0
    while empty < 100 {
      let drawn = bench.breathe()
      received += drawn
      empty = drawn == 0 ? empty + 1 : 0
    }
    #expect(received > 0 && received < count)
    #expect(bench.port.losses().receiveDropped == UInt64(count - received) && bench.isAtRest)
  }

  @Test func portThatSomebodyHasIsRefusedWithAdvice() throws {
    let plain = try PlainSocket()
    let any = IPv4Address(bits: 0)
    let error = #expect(throws: DataplaneError.self) {
      try SocketPort.requireFree(plain.udpPort, any)
    }
    let text = error?.description ?? ""
    #expect(text.hasPrefix("UDP port \(plain.udpPort) of 0.0.0.0 cannot be bound: Address already"))
    #expect(text.contains("another weftd or Weave's router"))
    let ours = try SocketBench()
    #expect(throws: DataplaneError.self) { try SocketPort.requireFree(ours.udpPort, any) }
    try SocketPort.requireFree(try PlainSocket.freePort(), any)
  }

  @Test func noMoreUDPPortsThanThereArePlacesFor() throws {
    let bench = try SocketBench()
    for _ in 1..<SocketPort.udpPortCountMax { try bench.port.open(try PlainSocket.freePort()) }
    #expect(throws: DataplaneError.tooManyUDPPorts(limit: 32)) {
      try bench.port.open(try PlainSocket.freePort())
    }
    try bench.port.open(bench.udpPort)
    #expect(bench.port.udpPorts.count == 32)
  }
}
