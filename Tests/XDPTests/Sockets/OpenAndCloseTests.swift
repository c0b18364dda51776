// SPDX-License-Identifier: Apache-2.0

import Glibc
import Tables
import Testing
import XDP

/// What binding refuses, and what closing gives back.
@Suite(.enabled(if: isRoot, rootComment)) struct OpenAndCloseTests {
  @Test func zeroCopyOnAVethIsRefused() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try makeUMEM()
      let error = #expect(throws: XDPError.self) {
        _ = try open(umem, "left", zeroCopy: true)
      }
      #expect(error?.number == EOPNOTSUPP)
      #expect(error?.subject == "queue 0 of left")
      #expect(error?.description.contains("zero-copy") == true)
    }
  }

  @Test func missingInterfaceAndQueueAreNamed() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try makeUMEM()
      let missing = #expect(throws: XDPError.self) { _ = try open(umem, "nowhere") }
      #expect(missing?.number == ENODEV)
      #expect(missing?.description.contains("no such interface") == true)
      #expect(missing?.description.contains("queue 0 of nowhere") == true)
      let queue = #expect(throws: XDPError.self) { _ = try open(umem, "left", queue: 5) }
      #expect(queue?.number == EINVAL)
      #expect(queue?.description.contains("no such queue") == true)
      #expect(queue?.description.contains("queue 5 of left") == true)
      let long = #expect(throws: XDPError.self) {
        _ = try open(umem, String(repeating: "x", count: 40))
      }
      #expect(long?.number == ENODEV)
      for capacity: UInt32 in [0, 12] {
        let error = #expect(throws: XDPError.self) {
          _ = try PacketSocket(
            umem: umem, options: .init(interface: "left", queue: 0, ringCapacity: capacity))
        }
        #expect(error?.number == EINVAL)
      }
    }
  }

  @Test func secondSocketOfOneMemoryOnAQueueIsRefused() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try makeUMEM()
      let first = try open(umem, "left")
      for _ in 0..<3 {
        let error = #expect(throws: XDPError.self) { _ = try open(umem, "left") }
        #expect(error?.number == EBUSY)
        #expect(error?.description.contains("bound already") == true)
      }
      let other = try open(umem, "right")
      other.close()
      first.close()
    }
  }

  /// A daemon tries zero-copy first, or a name that is not there yet.
  @Test(arguments: ["zero-copy", "no interface", "no queue", "odd capacity"])
  func memoryIsUsableAfterAFailedBind(failure: String) async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try UMEM(memory: MappedMemory(length: 64 * 4096, name: "weft-test"))
      for _ in 0..<3 {
        #expect(throws: XDPError.self) {
          switch failure {
          case "zero-copy": _ = try open(umem, "left", zeroCopy: true)
          case "no interface": _ = try open(umem, "nowhere")
          case "no queue": _ = try open(umem, "left", queue: 5)
          default:
            _ = try PacketSocket(
              umem: umem, options: .init(interface: "left", queue: 0, ringCapacity: 12))
          }
        }
      }
      let left = try TestSocket(umem: umem, "left", chunks: 0..<32)
      let right = try TestSocket(umem: umem, "right", chunks: 32..<64)
      let programs = try TwoPrograms()
      try programs.set([right], on: "right")
      #expect(left.send([frame(1), frame(2)]) == 2)
      #expect(right.receive(2) == [frame(1), frame(2)])
    }
  }

  @Test func boundQueueIsBusyForAnotherMemory() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let first = try open(makeUMEM(), "left")
      let error = #expect(throws: XDPError.self) { _ = try open(makeUMEM(), "left") }
      #expect(error?.number == EBUSY)
      withExtendedLifetime(first) {}
    }
  }

  @Test func sameMemoryIsRegisteredTwice() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let memory = try MappedMemory(length: 16 * 4096, name: "weft-test")
      let left = try open(UMEM(memory: memory), "left")
      let right = try open(UMEM(memory: memory), "right")
      #expect(left.descriptor != right.descriptor)
    }
  }

  @Test func closedSocketFreesItsQueue() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try makeUMEM()
      let first = try open(umem, "left")
      // The kernel frees a queue a moment after close.
      for _ in 0..<5 {
        var second: PacketSocket?
        #expect(
          eventually {
            second = try? open(umem, "right")
            return second != nil
          })
        second?.close()
        second?.close()
      }
      let other = try makeUMEM()
      #expect(eventually { (try? open(other, "right")) != nil })
      withExtendedLifetime(first) {}
    }
  }

  /// libxdp makes the first socket of a UMEM out of the UMEM's own descriptor.
  @Test func firstSocketKeepsItsQueueUntilTheLastCloses() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try makeUMEM()
      let first = try open(umem, "left")
      let last = try open(umem, "right")
      first.close()
      let other = try makeUMEM()
      for memory in [other, umem] {
        #expect(throws: XDPError.self) { _ = try open(memory, "left") }
      }
      last.close()
      #expect(eventually { (try? open(other, "left")) != nil })
      #expect(eventually { (try? open(umem, "right")) != nil })
    }
  }

  @Test func memoryIsUsableAfterItsLastSocketClosed() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try UMEM(memory: MappedMemory(length: 64 * 4096, name: "weft-test"))
      let programs = try TwoPrograms()
      for capacity: UInt32 in [16, 64, 8] {
        #expect(eventually { (try? open(umem, "left")) != nil }, "opened and closed at once")
        var left: TestSocket?
        #expect(
          eventually {
            left = try? TestSocket(umem: umem, "left", chunks: 0..<32, capacity: capacity)
            return left != nil
          })
        var other: TestSocket?
        #expect(
          eventually {
            other = try? TestSocket(umem: umem, "right", chunks: 32..<64, capacity: capacity)
            return other != nil
          })
        let right = try #require(other)
        try programs.set([right], on: "right")
        let frames = (0..<Int(capacity)).prefix(16).map { frame($0) }
        #expect(left?.send(frames) == frames.count)
        #expect(right.receive(frames.count) == frames)
      }
    }
  }

  @Test func othersOfTheMemoryGoOnWhenTheFirstCloses() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try UMEM(memory: MappedMemory(length: 96 * 4096, name: "weft-test"))
      let first = try open(umem, "west")
      let left = try TestSocket(umem: umem, "left", chunks: 0..<32)
      first.close()
      let right = try TestSocket(umem: umem, "right", chunks: 32..<64)
      let programs = try TwoPrograms()
      try programs.set([right], on: "right")
      #expect(left.send([frame(1)]) == 1)
      #expect(right.receive(1) == [frame(1)])
      withExtendedLifetime(first) {}
    }
  }

  /// The first socket's descriptor is the memory's own.
  @Test func descriptorsAreClosedOnExec() async throws {
    try await inNewNamespace {
      try makePairs(queues: 1)
      let umem = try makeUMEM()
      let left = try open(umem, "left")
      let right = try open(umem, "right")
      for socket in [left, right] {
        #expect(fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
      }
    }
  }
}

private func makeUMEM() throws -> UMEM {
  try UMEM(memory: MappedMemory(length: 16 * 4096, name: "weft-test"))
}

private func open(
  _ umem: UMEM, _ interface: String, queue: UInt32 = 0, zeroCopy: Bool = false
) throws -> PacketSocket {
  try PacketSocket(
    umem: umem,
    options: .init(interface: interface, queue: queue, ringCapacity: 16, zeroCopy: zeroCopy))
}
