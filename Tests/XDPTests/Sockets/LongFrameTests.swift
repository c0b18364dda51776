// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Glibc
import Inet
import Synchronization
import Tables
import Telemetry
import Testing
import XDP

@testable import Dataplane

/// Frames in several pieces over real veths with the largest MTU, through an engine in both modes.
@Suite(.enabled(if: isRoot && UMEM.isMultiPieceKnown, "needs root, and Linux 6.6"))
struct LongFrameTests {
  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func framesOfEveryLengthAroundAPieceGoThroughByteForByte(request: AttachRequest) async throws {
    try await inNewNamespace {
      let lab = try LongFrameLab(mtu: 65_535, request)
      defer { lab.engine.stop() }
      #expect(lab.engine.frameLengthMax == 65_549)
      #expect(lab.engine.state(of: PortIndex(0))?.isMultiPiece == true)
      var lengths = (1...17).flatMap { count in (-2...2).map { 3840 * count + $0 } }
      lengths += [60, 3519, 3520, 3521, 4095, 4096, 4097, 8192, 65_548, 65_549]
      let sender = try FrameSender("far0")
      let receiver = try FrameCatcher("far1")
      var count: UInt64 = 0
      for length in lengths {
        let bytes = longFrame(length)
        try sender.send(bytes)
        let found = receiver.next(longerThan: 50)
        #expect(found == bytes, "\(length) bytes, of which \(found?.count ?? 0) arrived")
        count += 1
      }
      try lab.expectRest(count)
    }
  }

  /// What one engine sends in pieces comes into another's port as it left.
  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func longFramesGoFromEngineToEngine(request: AttachRequest) async throws {
    try await inNewNamespace {
      let first = try LongFrameLab(mtu: 65_535, request)
      defer { first.engine.stop() }
      let second = try LongFrameLab(mtu: 65_535, request, ports: ["far1", "near2"])
      defer { second.engine.stop() }
      let sender = try FrameSender("far0")
      let receiver = try FrameCatcher("far2")
      let lengths = [60, 3840, 3841, 7680, 7681, 20_000, 65_280, 65_281, 65_549]
      for length in lengths {
        let bytes = longFrame(length)
        try sender.send(bytes)
        let found = receiver.next(longerThan: 50)
        #expect(found == bytes, "\(length) bytes, of which \(found?.count ?? 0) arrived")
      }
      try first.expectRest(UInt64(lengths.count))
      try second.expectRest(UInt64(lengths.count))
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func burstsOfMixedLengthsKeepBooksAndChunks(request: AttachRequest) async throws {
    try await inNewNamespace {
      let lab = try LongFrameLab(mtu: 65_535, request)
      defer { lab.engine.stop() }
      let sender = try FrameSender("far0")
      var count: UInt64 = 0
      for round in 0..<40 {
        for length in [65_549, 60, 9014, 1514, 3841, 40_000] {
          try sender.send(longFrame(length + (length < 60_000 ? round : 0)))
          count += 1
        }
        let hasAll = eventually { lab.engine.account()?.received == count }
        #expect(hasAll, "round \(round): \(lab.engine.account()?.received ?? 0) of \(count)")
      }
      try lab.expectRest(count)
    }
  }

  @Test(.timeLimit(.minutes(5))) func withoutPiecesLongFramesAreTheKernelsToDrop() async throws {
    try await inNewNamespace {
      let lab = try LongFrameLab(mtu: 9000, .native, isMultiPiece: false)
      defer { lab.engine.stop() }
      #expect(lab.engine.frameLengthMax == 3840)
      #expect(lab.engine.state(of: PortIndex(0))?.isMultiPiece == false)
      let sender = try FrameSender("far0")
      let receiver = try FrameCatcher("far1")
      for length in [3840, 3841, 9014, 3839] { try sender.send(longFrame(length)) }
      #expect(receiver.next(longerThan: 50) == longFrame(3840))
      #expect(receiver.next(longerThan: 50) == longFrame(3839))
      #expect(lab.engine.state(of: PortIndex(0))?.statistics.receiveDropped == 2)
      try lab.expectRest(2)
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: [AttachRequest.native, .generic])
  func portIsTestedWithFramesOfItsWholeMTU(request: AttachRequest) async throws {
    try await inNewNamespace {
      let lab = try LongFrameLab(mtu: 65_535, request, isTested: true)
      defer { lab.engine.stop() }
      let reason = try #require(lab.engine.state(of: PortIndex(0))?.reason)
      #expect(reason.contains("carried 64 of 64 test frames"), "\(reason)")
    }
  }
}

/// An engine with two ports, by default the near ends of veth pairs near0–far0 and near1–far1,
/// which it makes: what enters at one for station 1 leaves at the other.
private final class LongFrameLab: Sendable {
  let engine: Engine
  private static let frameCount = 2048

  init(
    mtu: Int, _ request: AttachRequest, isMultiPiece: Bool = true, isTested: Bool = false,
    ports: [String] = ["near0", "near1"]
  ) throws {
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 64)
    var writer = try SnapshotWriter(memory: memory, seed: 1)
    let isStored = writer.setStation(
      MACAddress(bits: 0x02_00_00_00_00_01), Station(location: Location(PortIndex(1)), entry: 0))
    let isPublished = writer.publish()
    try #require(isStored && isPublished)
    var options = Engine.Options(
      cores: [0], idle: .adaptive, frameCount: LongFrameLab.frameCount)
    options.isMultiPiece = isMultiPiece
    engine = try Engine(options: options, snapshot: memory)
    for (number, interface) in ports.enumerated() {
      if interface.hasPrefix("near") { try LongFrameLab.makePair(interface.dropFirst(4), mtu) }
      var specification = PortSpecification(
        port: PortIndex(UInt16(number)), kind: .station, interface: interface,
        interfaceIndex: try interfaceIndex(interface), queueCount: 1,
        frameLengthMax: mtu + 14, attach: request)
      if isTested { specification.modeSource = .tested(selfTest(number, mtu)) }
      try engine.openPort(specification)
    }
  }

  private static func makePair(_ number: Substring, _ mtu: Int) throws {
    let ends = "numrxqueues 1 numtxqueues 1"
    try run("ip link add near\(number) \(ends) type veth peer name far\(number) \(ends)")
    for end in ["near", "far"] { try run("ip link set \(end)\(number) mtu \(mtu) up") }
  }

  private func selfTest(_ number: Int, _ mtu: Int) -> SelfTest {
    SelfTest(
      source: MACAddress(bits: 0x0200_0000_0001), destination: MACAddress(bits: 0x0200_0000_0002),
      frameLengthMax: mtu + 14, cookie: 0xFEED_0001, begin: {},
      send: { (frames, length) throws(SelfTestTrouble) in
        do {
          let sender = try FrameSender("far\(number)")
          for first in stride(from: 0, to: frames.count, by: length) {
            try sender.send(Array(frames[first..<first + length]))
          }
        } catch { throw SelfTestTrouble("\(error)") }
        return SentBurst(count: frames.count / length, nanoseconds: 1)
      },
      end: {})
  }

  /// All that was received was sent, nothing is under way, and every chunk comes back.
  func expectRest(_ count: UInt64) throws {
    let isSent = eventually { engine.account()?.sent == count }
    #expect(isSent, "\(engine.account()?.sent ?? 0) of \(count) were sent")
    let account = try #require(engine.account())
    #expect(account.isBalanced && account.received == count)
    for number in 0...1 {
      #expect(engine.state(of: PortIndex(UInt16(number)))?.statistics.transmitInvalid == 0)
      let slot = engine.ports.withLock { $0[PortIndex(UInt16(number))]?.queues[0].slot }
      let queues = unsafe engine.hosts[0].ends.ports.queues
      let isComplete = eventually { unsafe queues[Int(slot ?? 0)].inFlight == 0 }
      #expect(isComplete, "each piece is completed once")
      #expect(engine.closePort(PortIndex(UInt16(number))) == [])
    }
  }
}

/// Takes whole frames off the wire at an interface.
private final class FrameCatcher {
  private let descriptor: CInt

  init(_ interface: String) throws {
    // ETH_P_ALL.
    let descriptor = socket(AF_PACKET, CInt(SOCK_RAW.rawValue), CInt(UInt16(3).bigEndian))
    guard descriptor >= 0 else { throw TestFailure.errno("socket") }
    self.descriptor = descriptor
    var size: CInt = 1 << 24
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, socklen_t(MemoryLayout<CInt>.size))
    var address = [
      UInt32(AF_PACKET) | UInt32(UInt16(3).bigEndian) << 16, try interfaceIndex(interface), 0, 0, 0,
    ]
    let result = unsafe address.withUnsafeMutableBytes { bytes in
      unsafe bind(
        descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(bytes.count))
    }
    guard result == 0 else { throw TestFailure.errno("bind") }
  }

  deinit { _ = close(descriptor) }

  /// The next frame of more than `length` bytes; nil if none comes.
  func next(longerThan length: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 1 << 17)
    var count = -1
    _ = eventually {
      count = unsafe recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
      return count > length
    }
    return count > length ? Array(bytes[..<count]) : nil
  }
}

/// A frame for station 1 of exactly `length` bytes, each unlike those a piece away from it.
private func longFrame(_ length: Int) -> [UInt8] {
  [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xB5]
    + (14..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251) }
}
