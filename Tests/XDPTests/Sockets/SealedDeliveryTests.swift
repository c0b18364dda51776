// SPDX-License-Identifier: Apache-2.0

import Inet
import Synchronization
import Tables
import TestSupport
import Testing
import XDP

/// Real ESP packets on a real veth: ours come to the socket, all others to the host.
@Suite(.enabled(if: isRoot, rootComment)) struct SealedDeliveryTests {
  private let ours = (1...20).map { number in
    var frame = OuterFrame.sealed(payload: (0..<100).map { UInt8($0 &+ number) })
    if number.isMultiple(of: 3) { frame.options = [1, 1, 1, 0] }
    return frame.bytes
  }

  /// Frames that are the host's, each for another reason.
  private static let others: [[UInt8]] = {
    let changes: [(inout OuterFrame) -> Void] = [
      { $0.identifier += 1 }, { $0.destination = $0.destination.neighbour },
      { $0.fragment = 0x2000 }, { $0.fragment = 185 }, { $0.protocolNumber = 51 },
      { $0.protocolNumber = 47 }, { $0.protocolNumber = 6 }, { $0.protocolNumber = 17 },
    ]
    var frames = changes.map { change in
      var frame = OuterFrame.sealed()
      change(&frame)
      return frame.bytes
    }
    for length in 0..<8 {
      var short = OuterFrame.sealed(payload: [])
      short.totalLength = 20 + length
      frames.append(Array(short.bytes.prefix(14 + 20 + length)))
      // Cut off on its way: the header says more than there is.
      frames.append(Array(OuterFrame.sealed().bytes.prefix(14 + 20 + length)))
    }
    return frames
  }()

  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func oursComeByteForByteAndTheHostKeepsTheRest(requested: AttachRequest) async throws {
    try await inNewNamespace {
      let lab = try SealedLab(SharedProgram(), requested)
      let sender = try FrameSender("right")
      let tap = try HostTap("left")
      for frame in ours { try sender.send(frame) }
      #expect(lab.socket.receive(ours.count) == ours)

      for frame in SealedDeliveryTests.others { try sender.send(frame) }
      let passed = tap.receive(SealedDeliveryTests.others.count)
      #expect(passed == SealedDeliveryTests.others)

      // What comes after them is the first thing that the socket gets.
      let mixed = [OuterFrame().bytes, ours[0], OuterFrame().bytes]
      for frame in mixed { try sender.send(frame) }
      #expect(lab.socket.receive(3) == mixed)
      let rest = tap.drain()
      #expect(rest == [])

      try lab.program.removeSocket(queue: 0)
      try sender.send(ours[0])
      let without = tap.receive(1)
      #expect(without == [ours[0]], "without a socket all is the host's")
      try lab.detach()
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func randomPacketsOfTheProtocolAreNeverLost(requested: AttachRequest) async throws {
    let seed = UInt64.random(in: .min ... .max)
    try await inNewNamespace {
      let lab = try SealedLab(SharedProgram(), requested)
      let sender = try FrameSender("right")
      let tap = try HostTap("left")
      var random = SeededGenerator(seed: seed)
      for round in 0..<200 {
        let frames = (0..<16).map { _ in random.sealedFrame() }
        for frame in frames { try sender.send(frame) }
        let expected = frames.filter { isSealedForUs($0) }
        let taken = lab.socket.receive(expected.count)
        try #require(taken == expected, "\(random), round \(round)")
        let passed = tap.receive(frames.count - expected.count)
        try #require(passed == frames.filter { !isSealedForUs($0) }, "\(random), round \(round)")
      }
      try lab.detach()
    }
  }

  /// Another thread adds and removes associations all the time.
  ///
  /// Packets of the one that stays are never the host's, and those of the others come to one of
  /// both.
  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func changesNeverInterruptAnAssociationThatStays(requested: AttachRequest) async throws {
    let shared = try SharedProgram()
    let fleeting = (1...50).map {
      SecurityAssociation(address: OuterFrame.ours.address, identifier: UInt32($0))
    }
    async let changes = onOwnThread {
      var count = 0
      while !shared.isOver.load(ordering: .relaxed) {
        let some = count.isMultiple(of: 2) ? fleeting : []
        try shared.program.setSecurityAssociations(Set(some + [OuterFrame.association]))
        count += 1
      }
      return count
    }
    do {
      defer { shared.isOver.store(true, ordering: .relaxed) }
      try await inNewNamespace { try sendWhileItChanges(shared, requested) }
    }
    #expect(try await changes > 10)
  }

  private func sendWhileItChanges(_ shared: SharedProgram, _ requested: AttachRequest) throws {
    let lab = try SealedLab(shared, requested)
    let sender = try FrameSender("right")
    let tap = try HostTap("left")
    for round in 0..<300 {
      let identifier = UInt32(1 + round % 50)
      let other = OuterFrame.sealed(
        .init(address: OuterFrame.ours.address, identifier: identifier)
      ).bytes
      for _ in 0..<4 {
        try sender.send(ours[round % ours.count])
        try sender.send(other)
        try sender.send(OuterFrame().bytes)
      }
      var taken: [[UInt8]] = []
      var passed: [[UInt8]] = []
      let isComplete = eventually {
        taken += lab.socket.receive(0)
        passed += tap.drain()
        return taken.count + passed.count == 12
      }
      try #require(isComplete, "round \(round): \(taken.count) and \(passed.count)")
      try #require(passed.allSatisfy { $0 == other }, "round \(round)")
      try #require(taken.filter { $0 == ours[round % ours.count] }.count == 4, "round \(round)")
      try #require(taken.filter { $0 == OuterFrame().bytes }.count == 4, "round \(round)")
    }
    try lab.detach()
  }
}

/// An underlay program that threads share.
private final class SharedProgram: Sendable {
  let program: XDPProgram
  let isOver = Atomic(false)

  init() throws {
    program = try XDPProgram(.underlay)
    try program.setOverlayAddresses([OuterFrame.ours])
    try program.setSecurityAssociations([OuterFrame.association])
  }
}

/// The pair `left` and `right` with a program and a socket on `left`.
private final class SealedLab {
  let socket: TestSocket
  private let shared: SharedProgram
  private var attachment: XDP.Attachment?

  init(_ shared: SharedProgram, _ requested: AttachRequest) throws {
    try makePair()
    self.shared = shared
    let umem = try UMEM(memory: MappedMemory(length: 64 * 4096, name: "weft-test"))
    socket = try TestSocket(umem: umem, "left", chunks: 0..<64)
    try shared.program.setSocket(socket.socket.descriptor, queue: 0)
    attachment = try shared.program.attach(
      interfaceIndex: interfaceIndex("left"), requested: requested, lifetime: .withProcess)
  }

  var program: XDPProgram { _read { yield shared.program } }

  func detach() throws { try attachment.take()?.detach() }
}
