// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Foundation
import Glibc
import Inet
import Synchronization
import Testing
import XDP

@testable import Dataplane

/// Ports of UDP sockets under an engine's workers, and on interfaces with a small MTU.
@Suite(.serialized, .enabled(if: isRoot, rootComment))
struct SocketPortEngineTests {
  private let port = PortIndex(5)

  private func engine(_ workers: Int = 1, _ idle: IdleMode = .adaptive) throws -> Engine {
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 64)
    let writer = try SnapshotWriter(memory: memory, seed: 1)
    #expect(writer.generation > 0)
    return try Engine(
      options: Engine.Options(
        cores: Array(repeating: 0, count: workers), idle: idle, frameCount: 4096),
      snapshot: memory)
  }

  private func specification(_ udpPorts: [UInt16]) -> SocketPortSpecification {
    SocketPortSpecification(
      port: port, address: IPv4Address(bits: 0), udpPorts: udpPorts,
      frameLengthMax: Frame.lengthMax)
  }

  private func received(_ engine: Engine) -> UInt64 {
    engine.state(of: port)?.counters[PortCounter.receivedFrames.rawValue] ?? 0
  }

  @Test(.timeLimit(.minutes(5))) func sleepingWorkerWakesForEveryUDPPort() async throws {
    try await inNewNamespace {
      try run("ip link set lo up")
      let engine = try engine()
      defer { engine.stop() }
      try engine.openSockets(specification([6783, 6784]))
      let state = try #require(engine.state(of: port))
      #expect(state.mode == .sockets && state.queueCount == 1 && state.programIdentifier == 0)
      #expect(state.reason == "UDP ports 6783, 6784 of 0.0.0.0")
      let plain = try PlainSocket()
      for (count, udpPort) in ([6783, 6784, 6784, 6783] as [UInt16]).enumerated() {
        let sleeps = engine.counters(of: 0)?[WorkerCounter.sleeps.rawValue] ?? 0
        let hasSlept = eventually {
          (engine.counters(of: 0)?[WorkerCounter.sleeps.rawValue] ?? 0) > sleeps
        }
        #expect(hasSlept)
        #expect(plain.send([1, 2, 3], to: udpPort))
        let hasCome = eventually { received(engine) == UInt64(count + 1) }
        #expect(hasCome)
      }
      #expect(engine.closePort(port) == [])
      let isBalanced = eventually { engine.account()?.isBalanced == true }
      #expect(isBalanced && engine.account()?.received == 4)
    }
  }

  @Test(.timeLimit(.minutes(5))) func workersShareWhatFlowsThereAre() async throws {
    try await inNewNamespace {
      try run("ip link set lo up")
      let engine = try engine(2)
      defer { engine.stop() }
      try engine.openSockets(specification([6783]))
      #expect(engine.state(of: port)?.queueCount == 2)
      for _ in 0..<40 { #expect(try PlainSocket().send([1], to: 6783)) }
      let hasCome = eventually { received(engine) == 40 }
      #expect(hasCome)
      let shares = [0, 1].map { engine.counters(of: $0)?[WorkerCounter.received.rawValue] ?? 0 }
      #expect(shares.allSatisfy { $0 > 0 } && shares.reduce(0, +) == 40, "\(shares)")
    }
  }

  @Test(.timeLimit(.minutes(5))) func udpPortsComeAndGoWhileOthersReceive() async throws {
    try await inNewNamespace {
      try run("ip link set lo up")
      let engine = try engine(2)
      defer { engine.stop() }
      try engine.openSockets(specification([6783]))
      let plain = try PlainSocket()
      var sent: UInt64 = 0
      for _ in 0..<20 {
        try engine.addUDPPort(7784, port: port)
        #expect(engine.state(of: port)?.reason == "UDP ports 6783, 7784 of 0.0.0.0")
        for udpPort in [6783, 7784] as [UInt16] {
          for _ in 0..<10 where plain.send([1], to: udpPort) { sent += 1 }
        }
        let hasCome = eventually { received(engine) == sent }
        #expect(hasCome)
        try engine.removeUDPPort(7784, port: port)
        try engine.removeUDPPort(6783, port: port)
        #expect(engine.state(of: port)?.reason == "UDP port 6783 of 0.0.0.0")
        try SocketPort.requireFree(7784, IPv4Address(bits: 0))
      }
      let other = try PlainSocket(udpPort: 7784)
      #expect(throws: DataplaneError.self) { try engine.addUDPPort(other.udpPort, port: port) }
      #expect(engine.state(of: port)?.reason == "UDP port 6783 of 0.0.0.0")
      #expect(sent == 400)
    }
  }

  @Test(.timeLimit(.minutes(5))) func portClosesAndOpensUnderTraffic() async throws {
    try await inNewNamespace {
      try run("ip link set lo up")
      let engine = try engine(2, .spin)
      defer { engine.stop() }
      let sender = try Sender()
      for _ in 0..<20 {
        try engine.openSockets(specification([6783]))
        let hasCome = eventually { received(engine) > 100 }
        #expect(hasCome)
        #expect(throws: DataplaneError.self) { try engine.openSockets(specification([6783])) }
        #expect(engine.closePort(port) == [])
      }
      sender.stop()
      let isBalanced = eventually { engine.account()?.isBalanced == true }
      #expect(isBalanced)
      try engine.openSockets(specification([6783]))
      let plain = try PlainSocket()
      for _ in 0..<50 {
        #expect(plain.send([UInt8](repeating: 1, count: 65_000), to: 6783))
        usleep(1000)
      }
      let hasCome = eventually { received(engine) == 50 }
      #expect(hasCome && engine.state(of: port)?.statistics.receiveDropped == 0)
    }
  }

  @Test(.timeLimit(.minutes(5))) func portThatIsTakenIsRefusedAndNothingIsLeft() async throws {
    try await inNewNamespace {
      try run("ip link set lo up")
      let engine = try engine(2)
      defer { engine.stop() }
      do {
        let other = try PlainSocket(udpPort: 6784)
        #expect(throws: DataplaneError.self) {
          try engine.openSockets(specification([6783, other.udpPort]))
        }
        #expect(engine.state(of: port) == nil)
        try SocketPort.requireFree(6783, IPv4Address(bits: 0))
      }
      try engine.openSockets(specification([6783, 6784]))
    }
  }

  @Test(.timeLimit(.minutes(5))) func dontFragmentIsObeyedByTheInterface() async throws {
    try await inNewNamespace {
      try run("ip link set lo mtu 1500 up")
      let bench = try SocketBench()
      let plain = try PlainSocket()
      var whole = UnderlayFrame(from: bench.udpPort, to: plain.udpPort)
      whole.mayFragment = false
      var fragmented = whole
      fragmented.mayFragment = true
      let fits = [UInt8](repeating: 1, count: 1472)
      let long = [UInt8](repeating: 2, count: 1473)
      let longest = [UInt8](repeating: 3, count: 65_507)
      _ = bench.send([
        whole.bytes(fits), whole.bytes(long), fragmented.bytes(longest), whole.bytes(longest),
        fragmented.bytes(long), whole.bytes(fits),
      ])
      #expect(plain.receive(count: 4) == [fits, longest, long, fits])
      #expect(plain.isEmpty && bench.port.losses() == (0, 2) && bench.isAtRest)
    }
  }

  /// What the kernel would have to fragment it does not cut: each such datagram goes by itself.
  @Test(.timeLimit(.minutes(5))) func messageThatCannotBeCutGoesInPieces() async throws {
    try await inNewNamespace {
      try run("ip link set lo mtu 1500 up")
      let bench = try SocketBench()
      let plain = try PlainSocket()
      var outer = UnderlayFrame(from: bench.udpPort, to: plain.udpPort)
      outer.mayFragment = true
      for length in [5000, 1473, 1472, 1400] {
        for round in 0..<3 {
          let payloads = (0..<10).map { [UInt8](repeating: UInt8($0 + round), count: length) }
          _ = bench.send(payloads.map { outer.bytes($0) })
          #expect(plain.receive(count: 10) == payloads, "\(length) bytes, round \(round)")
        }
      }
      #expect(plain.join())
      _ = bench.send((0..<10).map { _ in outer.bytes([UInt8](repeating: 9, count: 1400)) })
      #expect(plain.receive()?.bytes.count == 14_000, "shorter ones are still cut")
      #expect(plain.isEmpty && bench.port.losses() == (0, 0) && bench.isAtRest)
    }
  }
}

/// Sends to UDP port 6783 from many ports of its namespace until it is told to stop.
private final class Sender: Sendable {
  private let isStopped = Atomic(false)
  private let hasStopped = Atomic(false)

  init() throws {
    let sockets = try (0..<8).map { _ in try PlainSocket() }
    let box = UncheckedBox(sockets)
    Thread.detachNewThread { [self] in
      while !isStopped.load(ordering: .relaxed) {
        for socket in box.sockets {
          socket.send([UInt8](repeating: 1, count: 500), to: 6783)
        }
        usleep(100)
      }
      hasStopped.store(true, ordering: .releasing)
    }
  }

  func stop() {
    isStopped.store(true, ordering: .relaxed)
    while !hasStopped.load(ordering: .acquiring) { usleep(1000) }
  }
}

/// Sockets that one thread makes and another one uses.
private final class UncheckedBox: @unchecked Sendable {
  let sockets: [PlainSocket]

  init(_ sockets: [PlainSocket]) { self.sockets = sockets }
}
