// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Inet
import Synchronization
import Testing
import XDP

@testable import Dataplane

/// Security associations of an engine's underlay.
@Suite(.serialized, .enabled(if: isRoot, rootComment))
struct EngineSecurityTests {
  private let port = PortIndex(3)

  private func engine() throws -> Engine {
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 64)
    let writer = try SnapshotWriter(memory: memory, seed: 1)
    #expect(writer.generation > 0)
    return try Engine(
      options: Engine.Options(cores: [0], idle: .adaptive, frameCount: 4096), snapshot: memory)
  }

  private func specification(
    _ kind: PortKind = .underlay, _ associations: Set<SecurityAssociation> = []
  ) throws -> PortSpecification {
    PortSpecification(
      port: port, kind: kind, interface: "left", interfaceIndex: try interfaceIndex("left"),
      queueCount: 1, frameLengthMax: 1514, attach: .automatic,
      overlayAddresses: [OuterFrame.ours], securityAssociations: associations)
  }

  private func received(_ engine: Engine) -> UInt64 {
    engine.state(of: port)?.counters[PortCounter.receivedFrames.rawValue] ?? 0
  }

  private func associations(_ engine: Engine) throws -> Set<SecurityAssociation>? {
    let open = engine.ports.withLock { $0[port] }
    return try open?.program?.program.securityAssociations()
  }

  @Test(.timeLimit(.minutes(5))) func openUnderlayTakesWhatItIsTold() async throws {
    try await inNewNamespace {
      try makePair()
      let engine = try engine()
      defer { engine.stop() }
      try engine.openPort(try specification())
      let sender = try FrameSender("right")
      let tap = try HostTap("left")
      let sealed = OuterFrame.sealed().bytes
      try sender.send(sealed)
      let before = tap.receive(1)
      #expect(before == [sealed], "an association that nobody told is the host's")

      try engine.setSecurityAssociations([OuterFrame.association], port: port)
      try sender.send(sealed, count: 5)
      try sender.send(OuterFrame().bytes, count: 2)
      let hasCome = eventually { received(engine) == 7 }
      #expect(hasCome)
      let during = tap.drain()
      #expect(during == [])

      try engine.setSecurityAssociations([], port: port)
      try sender.send(sealed)
      let after = tap.receive(1)
      #expect(after == [sealed] && received(engine) == 7)
      let isBalanced = eventually { engine.account()?.isBalanced == true }
      #expect(isBalanced)
    }
  }

  @Test(.timeLimit(.minutes(5))) func reopenedUnderlayHasItsAssociationsFromTheFirstFrameOn()
    async throws
  {
    try await inNewNamespace {
      try makePair()
      let engine = try engine()
      defer { engine.stop() }
      let tap = try HostTap("left")
      for _ in 0..<3 {
        try engine.openPort(try specification(.underlay, [OuterFrame.association]))
        #expect(try associations(engine) == [OuterFrame.association])
        try FrameSender("right").send(OuterFrame.sealed().bytes, count: 3)
        let hasCome = eventually { received(engine) == 3 }
        #expect(hasCome, "\(String(describing: engine.state(of: port)))")
        #expect(engine.closePort(port) == [])
      }
      let passed = tap.drain()
      #expect(passed == [])
    }
  }

  @Test(.timeLimit(.minutes(5))) func whatCannotReceiveESPIsRefused() async throws {
    try await inNewNamespace {
      try makePair()
      try run("ip link set lo up")
      let engine = try engine()
      defer { engine.stop() }
      let refusal = DataplaneError.noProgramForESP(port)
      let change = { (associations: Set<SecurityAssociation>) in
        try engine.setSecurityAssociations(associations, port: port)
      }
      #expect(throws: refusal, "no port") { try change([OuterFrame.association]) }
      try engine.openPort(try specification(.station, [OuterFrame.association]))
      #expect(throws: refusal, "a station's port") { try change([OuterFrame.association]) }
      #expect(engine.closePort(port) == [])
      try engine.openSockets(
        SocketPortSpecification(
          port: port, address: IPv4Address(bits: 0), udpPorts: [6783], frameLengthMax: 1514))
      #expect(throws: refusal, "a port of sockets") { try change([]) }
      #expect(engine.closePort(port) == [])
      #expect(throws: refusal, "a closed port") { try change([]) }
      #expect(refusal.description.hasPrefix("port 3 cannot receive ESP"))
      #expect(!refusal.mayFollowAttach)
    }
  }

  @Test(.timeLimit(.minutes(5))) func tooManyAssociationsAreRefusedAndNothingChanges()
    async throws
  {
    try await inNewNamespace {
      try makePair()
      let engine = try engine()
      defer { engine.stop() }
      let capacity = XDPProgram.securityAssociationCapacity
      let tooMany = Set(
        (0...UInt32(capacity)).map {
          SecurityAssociation(address: OuterFrame.ours.address, identifier: $0)
        })
      let refusal = DataplaneError.program(
        .tooManySecurityAssociations(count: capacity + 1, capacity: capacity))
      #expect(throws: refusal) { try engine.openPort(try specification(.underlay, tooMany)) }
      #expect(engine.state(of: port) == nil)
      #expect(try Attachment.ownMode(interfaceIndex: interfaceIndex("left")) == nil)

      try engine.openPort(try specification(.underlay, [OuterFrame.association]))
      #expect(throws: refusal) { try engine.setSecurityAssociations(tooMany, port: port) }
      #expect(try associations(engine) == [OuterFrame.association])
      let most = tooMany.subtracting([tooMany.first].compactMap { $0 })
      try engine.setSecurityAssociations(most, port: port)
      #expect(try associations(engine) == most)
    }
  }
}
