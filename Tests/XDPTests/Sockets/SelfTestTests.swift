// SPDX-License-Identifier: Apache-2.0

import CXDP
import Forwarding
import Inet
import Synchronization
import Tables
import Testing
import XDP

@testable import Dataplane

/// How the mode of a port is found with test frames, on a real veth pair.
@Suite(.enabled(if: isRoot, rootComment)) struct SelfTestTests {
  @Test(.timeLimit(.minutes(5)), arguments: [1, 3])
  func vethCarriesTestFramesInBothModes(queues: Int) async throws {
    try await inNewNamespace {
      let bench = try SelfTestBench(queues: queues)
      defer { bench.engine.stop() }
      try bench.open()
      let state = try #require(bench.engine.state(of: bench.port))
      #expect(state.mode == .native || state.mode == .generic)
      #expect(state.reason.hasPrefix("\(state.mode): carried "), "\(state.reason)")
      #expect(state.reason.contains("µs a frame, "), "both modes: \(state.reason)")
      #expect(!state.reason.contains("refused"), "\(state.reason)")
      #expect(bench.sentCount <= 1000)
      // The port knows nothing of the test.
      #expect(state.missed == 0)
      #expect(state.counters.allSatisfy { $0 == 0 })
      let there = try attached(bench.interfaceIndex)
      #expect(there.id == state.programIdentifier)
      #expect(there.mode == (state.mode == .native ? CXDP_MODE_NATIVE : CXDP_MODE_GENERIC))
      // Both ends are down between one mode and the other.
      #expect(bench.beginnings > 1 && bench.ends == bench.beginnings)
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func modeThatIsAskedForIsTestedAlone(request: AttachRequest) async throws {
    try await inNewNamespace {
      let bench = try SelfTestBench()
      defer { bench.engine.stop() }
      try bench.open(request)
      let state = try #require(bench.engine.state(of: bench.port))
      #expect(state.mode == (request == .native ? .native : .generic))
      #expect(
        state.reason.hasPrefix("\(state.mode): asked for; carried 64 of 64 test frames"),
        "\(state.reason)")
      #expect(bench.sentCount == 64)
    }
  }

  @Test(.timeLimit(.minutes(5))) func modesAreComparedAtTheFirstPortOnly() async throws {
    try await inNewNamespace {
      let bench = try SelfTestBench()
      defer { bench.engine.stop() }
      try bench.open()
      let first = try #require(bench.engine.state(of: bench.port))
      let sent = bench.sentCount
      #expect(sent > 128)
      bench.engine.closePort(bench.port)
      try bench.open()
      let second = try #require(bench.engine.state(of: bench.port))
      #expect(second.mode == first.mode)
      #expect(
        second.reason.hasPrefix("\(first.mode): the cheaper at the first port; carried 64 of 64"),
        "\(second.reason)")
      #expect(bench.sentCount == sent + 64)

      // What was found there does not hold where frames get lost.
      bench.engine.closePort(bench.port)
      bench.lossy.withLock { $0 = first.mode == .native ? CXDP_MODE_NATIVE : CXDP_MODE_GENERIC }
      try bench.open()
      #expect(
        bench.engine.state(of: bench.port)?.mode == (first.mode == .native ? .generic : .native))
    }
  }

  @Test(.timeLimit(.minutes(5))) func modeWhoseFramesAreLostIsNotTaken() async throws {
    try await inNewNamespace {
      let bench = try SelfTestBench()
      defer { bench.engine.stop() }
      bench.lossy.withLock { $0 = CXDP_MODE_NATIVE }
      try bench.open()
      let state = try #require(bench.engine.state(of: bench.port))
      #expect(state.mode == .generic)
      #expect(state.reason.hasPrefix("generic: carried 64 of 64 test frames"), "\(state.reason)")
      #expect(state.reason.hasSuffix("; native carried 0 of 32"), "\(state.reason)")
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.automatic, .native, .generic])
  func framesThatArriveInNoModeAreAnErrorAndLeaveNothing(request: AttachRequest) async throws {
    try await inNewNamespace {
      let bench = try SelfTestBench()
      defer { bench.engine.stop() }
      // Frames come in, but none is as it was sent.
      bench.damages.withLock { $0 = true }
      let error = #expect(throws: DataplaneError.self) { try bench.open(request) }
      let tried =
        switch request {
        case .automatic: "native carried 0 of 32, generic carried 0 of 32"
        case .native: "native carried 0 of 32"
        case .generic: "generic carried 0 of 32"
        }
      #expect(error == .noModeCarries(interface: "left", failures: tried))
      #expect(error?.description.contains("tc filter") == true)
      try bench.expectNothingLeft()
      bench.damages.withLock { $0 = false }
      try bench.open(request)
    }
  }

  @Test(.timeLimit(.minutes(5))) func peerThatIsDownIsAnErrorAndLeavesNothing() async throws {
    try await inNewNamespace {
      let bench = try SelfTestBench()
      defer { bench.engine.stop() }
      try run("ip link set right down")
      let error = #expect(throws: DataplaneError.self) { try bench.open() }
      #expect(error?.description.contains("test frames to left cannot be sent") == true)
      #expect(error?.description.contains("up") == true)
      #expect(bench.beginnings == 1 && bench.ends == bench.beginnings)
      try bench.expectNothingLeft()
      try run("ip link set right up")
      try bench.open()
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func programThatIsThereKeepsItsModeAndNothingIsSent(before: AttachRequest) async throws {
    try await inNewNamespace {
      let bench = try SelfTestBench()
      defer { bench.engine.stop() }
      try bench.open(before)
      bench.engine.closePort(bench.port, keepsProgram: true)
      let sent = bench.sentCount
      try bench.engine.openPort(bench.specification(.automatic, .present))
      let state = try #require(bench.engine.state(of: bench.port))
      #expect(state.mode == (before == .native ? .native : .generic))
      #expect(
        state.reason == "\(state.mode): as the program that was there; not tested, as frames of "
          + "others may be under way")
      #expect(bench.sentCount == sent)
    }
  }

  @Test(.timeLimit(.minutes(5))) func withoutATestTheDriverDecides() async throws {
    try await inNewNamespace {
      let bench = try SelfTestBench()
      defer { bench.engine.stop() }
      try bench.engine.openPort(bench.specification(.automatic, .driver))
      #expect(bench.engine.state(of: bench.port)?.reason == "native: supported by the driver")
      bench.engine.closePort(bench.port)
      try bench.engine.openPort(bench.specification(.automatic, .present))
      #expect(
        bench.engine.state(of: bench.port)?.reason
          == "native: supported by the driver; not tested, as frames of others may be under way")
    }
  }
}

/// An engine, and the pair `left` and `right` whose first end is to be its port.
private final class SelfTestBench: Sendable {
  let engine: Engine
  let interfaceIndex: UInt32
  let port = PortIndex(3)
  /// The mode in which frames get lost before they are on the wire.
  let lossy = Mutex<cxdp_mode>(CXDP_MODE_NONE)
  /// Whether frames are damaged before they are on the wire.
  let damages = Mutex(false)
  private let queues: Int
  private let counts = Mutex((sent: 0, beginnings: 0, ends: 0))

  init(queues: Int = 1) throws {
    self.queues = queues
    let ends = "numrxqueues \(queues) numtxqueues \(queues)"
    try run("ip link add left \(ends) type veth peer name right \(ends)")
    try run("ip link set left up")
    try run("ip link set right up")
    interfaceIndex = try XDPTests.interfaceIndex("left")
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 64)
    engine = try Engine(
      options: Engine.Options(cores: [0], idle: .adaptive, frameCount: 1024), snapshot: memory)
  }

  var sentCount: Int { counts.withLock { $0.sent } }
  var beginnings: Int { counts.withLock { $0.beginnings } }
  var ends: Int { counts.withLock { $0.ends } }

  func specification(_ request: AttachRequest, _ source: ModeSource) -> PortSpecification {
    var specification = PortSpecification(
      port: port, kind: .station, interface: "left", interfaceIndex: interfaceIndex,
      queueCount: queues, frameLengthMax: 1518, attach: request)
    specification.modeSource = source
    return specification
  }

  func open(_ request: AttachRequest = .automatic) throws(DataplaneError) {
    try engine.openPort(specification(request, .tested(selfTest)))
  }

  private var selfTest: SelfTest {
    SelfTest(
      source: MACAddress(bits: 0x0200_0000_0001), destination: MACAddress(bits: 0x0200_0000_0002),
      frameLengthMax: 1514, cookie: 0xFEED_0001,
      begin: { [self] in counts.withLock { $0.beginnings += 1 } },
      send: { [self] (frames, length) throws(SelfTestTrouble) in
        do { return try send(frames, length) } catch { throw SelfTestTrouble("\(error)") }
      },
      end: { [self] in counts.withLock { $0.ends += 1 } })
  }

  private func send(_ frames: [UInt8], _ length: Int) throws -> SentBurst {
    let sender = try FrameSender("right")
    let mode = try attached(interfaceIndex).mode
    let isLost = lossy.withLock { $0 == mode }
    let isDamaged = damages.withLock { $0 }
    let start = ContinuousClock.now
    for first in stride(from: 0, to: frames.count, by: length) where !isLost {
      var frame = Array(frames[first..<first + length])
      if isDamaged { frame[length - 1] ^= 1 }
      try sender.send(frame)
    }
    let took = (ContinuousClock.now - start) / .nanoseconds(1)
    let count = frames.count / length
    counts.withLock { $0.sent += count }
    return SentBurst(count: count, nanoseconds: UInt64(took))
  }

  /// No program, and a queue that can be bound.
  func expectNothingLeft() throws {
    #expect(try attached(interfaceIndex).id == 0)
    #expect(engine.state(of: port) == nil)
    let umem = try UMEM(memory: MappedMemory(length: 16 * 4096, name: "weft-test"))
    let isFree = eventually {
      guard
        let socket = try? PacketSocket(
          umem: umem, options: .init(interface: "left", queue: 0, ringCapacity: 64))
      else { return false }
      socket.close()
      return true
    }
    #expect(isFree)
  }
}
