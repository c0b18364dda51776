// SPDX-License-Identifier: Apache-2.0

import Inet
import Testing
import XDP

/// A frame that the underlay program is asked about; `isOurs` is what it has to say.
struct UnderlayCase: CustomTestStringConvertible {
  let testDescription: String
  let frame: [UInt8]
  let isOurs: Bool

  init(_ description: String, ours: Bool, _ change: (inout OuterFrame) -> Void) {
    testDescription = description
    isOurs = ours
    var frame = OuterFrame()
    change(&frame)
    self.frame = frame.bytes
  }

  static let all: [UnderlayCase] = [
    .init("our port at our address", ours: true) { _ in },
    .init("fragmentation allowed, but none", ours: true) { $0.fragment = 0 },
    .init("the reserved flag is not a fragment", ours: true) { $0.fragment = 0x8000 },
    .init("no payload", ours: true) { $0.payload = [] },
    .init("1400 bytes of payload", ours: true) { $0.payload = .init(repeating: 7, count: 1400) },
    .init("four bytes of options", ours: true) { $0.options = [1, 1, 1, 0] },
    .init("forty bytes of options", ours: true) { $0.options = .init(repeating: 1, count: 40) },
    .init("another source port", ours: true) { $0.sourcePort = 1 },
    .init("another port", ours: false) { $0.destinationPort = 6785 },
    .init("our port with its bytes swapped", ours: false) { $0.destinationPort = 0x801A },
    .init("our port as the source only", ours: false) {
      $0.sourcePort = OuterFrame.ours.port
      $0.destinationPort = 49152
    },
    .init("another address", ours: false) { $0.destination = $0.destination.neighbour },
    .init("our address as the source only", ours: false) {
      swap(&$0.source, &$0.destination)
    },
    .init("first fragment", ours: false) { $0.fragment = 0x2000 },
    .init("middle fragment", ours: false) { $0.fragment = 0x2000 | 185 },
    .init("last fragment", ours: false) { $0.fragment = 185 },
    .init("fragment at offset 1", ours: false) { $0.fragment = 1 },
    .init("fragment at the last offset", ours: false) { $0.fragment = 0x1FFF },
    .init("fragment at offset 256, low byte zero", ours: false) { $0.fragment = 0x0100 },
    .init("TCP", ours: false) { $0.protocolNumber = 6 },
    .init("ICMP", ours: false) { $0.protocolNumber = 1 },
    .init("ESP", ours: false) { $0.protocolNumber = 50 },
    .init("UDP-Lite", ours: false) { $0.protocolNumber = 136 },
    .init("IPv6", ours: false) { $0.etherType = 0x86DD },
    .init("ARP", ours: false) { $0.etherType = 0x0806 },
    .init("a length in place of an EtherType", ours: false) { $0.etherType = 100 },
    .init("802.1Q tag", ours: false) { $0.tags = [0x81, 0, 0, 5] },
    .init("802.1ad and 802.1Q tags", ours: false) {
      $0.tags = [0x88, 0xA8, 0, 5, 0x81, 0, 0, 6]
    },
    .init("priority tag", ours: false) { $0.tags = [0x81, 0, 0xE0, 0] },
    .init("multicast MAC", ours: false) { $0.destinationMAC = [1, 0, 0x5E, 0, 0, 1] },
    .init("broadcast MAC", ours: false) { $0.destinationMAC = .init(repeating: 255, count: 6) },
    .init("IP version 5", ours: false) { $0.version = 5 },
    .init("IP version 6 in an IPv4 frame", ours: false) { $0.version = 6 },
    .init("IP header of 16 bytes", ours: false) { $0.headerLength = 16 },
    .init("IP header of 0 bytes", ours: false) { $0.headerLength = 0 },
    .init("IP header of 12 bytes that makes a source address look like our port", ours: false) {
      $0.headerLength = 12
      $0.source = IPv4Address(bits: 0x0A00_1A80)
    },
    .init("IP header of 0 bytes that makes the total length look like our port", ours: false) {
      $0.headerLength = 0
      $0.totalLength = Int(OuterFrame.ours.port)
    },
    .init("IP header longer than the frame", ours: false) {
      $0.headerLength = 60
      $0.payload = [1, 2, 3]
    },
    .init("total length ends within the UDP header", ours: false) { $0.totalLength = 27 },
    .init("total length of 0", ours: false) { $0.totalLength = 0 },
    .init("options pushed the UDP header behind the total length", ours: false) {
      $0.options = [1, 1, 1, 0]
      $0.totalLength = 31
    },
  ]
}

@Suite(.enabled(if: isRoot, rootComment)) struct UnderlayVerdictTests {
  private func loaded() throws -> XDPProgram {
    let program = try XDPProgram(.underlay)
    try program.setOverlayAddresses([OuterFrame.ours])
    return program
  }

  @Test(arguments: UnderlayCase.all)
  func onlyOurDatagramsAreRedirected(_ tested: UnderlayCase) throws {
    let program = try loaded()
    #expect(try program.testRun(tested.frame) == .pass, "without a socket")
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    #expect(try program.testRun(tested.frame) == (tested.isOurs ? .redirect : .pass))
  }

  @Test func everyTruncationPasses() throws {
    let program = try loaded()
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    for optionsLength in stride(from: 0, through: 40, by: 4) {
      var frame = OuterFrame()
      frame.options = [UInt8](repeating: 1, count: optionsLength)
      let bytes = frame.bytes
      for length in runnableLengthMin...bytes.count {
        let expected: XDPVerdict = length < 42 + optionsLength ? .pass : .redirect
        #expect(try program.testRun(Array(bytes[..<length])) == expected, "\(length) bytes")
      }
    }
  }

  @Test func runtsPass() throws {
    let program = try loaded()
    for length in runnableLengthMin...64 {
      for byte: UInt8 in [0, 0x45, 0xFF] {
        #expect(try program.testRun([UInt8](repeating: byte, count: length)) == .pass)
      }
    }
    for length in 0..<runnableLengthMin {
      // The kernel itself refuses these, in a test run as on any Ethernet device.
      #expect(throws: TestFailure.self) {
        try program.testRun([UInt8](repeating: 0, count: length))
      }
    }
  }

  @Test func socketOfAnotherQueueDoesNotCount() throws {
    let program = try loaded()
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 1)
    #expect(try program.testRun(OuterFrame().bytes) == .pass)
  }

  @Test func removedOrClosedSocketPasses() throws {
    let program = try loaded()
    let frame = OuterFrame().bytes
    var socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    #expect(try program.testRun(frame) == .redirect)
    try program.removeSocket(queue: 0)
    #expect(try program.testRun(frame) == .pass)
    try program.setSocket(socket.descriptor, queue: 0)
    socket = try UnboundSocket()
    // A process that another test starts holds a copy of the first one for a moment.
    #expect(try eventually { try program.testRun(frame) == .pass })
  }

  @Test func removedAddressPasses() throws {
    let program = try loaded()
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    let other = OverlayAddress(address: OuterFrame.ours.address, port: 6783)
    try program.setOverlayAddresses([other])
    #expect(try program.testRun(OuterFrame().bytes) == .pass)
    var frame = OuterFrame()
    frame.destinationPort = other.port
    #expect(try program.testRun(frame.bytes) == .redirect)
  }

  @Test func randomFramesAreJudgedAsTheModelDoes() throws {
    let program = try loaded()
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    let seed = UInt64.random(in: .min ... .max)
    var random = FrameRandom(seed: seed)
    var redirected = 0
    for round in 0..<10_000 {
      let frame = random.frame()
      let verdict = try program.testRun(frame)
      try #require(
        verdict == (isOurs(frame) ? .redirect : .pass), "seed \(seed), round \(round): \(frame)")
      redirected += verdict == .redirect ? 1 : 0
    }
    #expect(redirected > 1000 && redirected < 9000, "seed \(seed): both verdicts are common")
  }
}

@Suite(.enabled(if: isRoot, rootComment)) struct PortVerdictTests {
  @Test(arguments: UnderlayCase.all)
  func everyFrameIsRedirectedOrMissed(_ tested: UnderlayCase) throws {
    let program = try XDPProgram(.port)
    #expect(try program.testRun(tested.frame) == .drop)
    #expect(try program.missedCount() == 1)
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    #expect(try program.testRun(tested.frame) == .redirect)
    #expect(try program.missedCount() == 1)
  }

  @Test func runtsOfEveryLengthAreRedirected() throws {
    let program = try XDPProgram(.port)
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    for length in runnableLengthMin...64 {
      #expect(try program.testRun([UInt8](repeating: 0, count: length)) == .redirect)
    }
  }

  @Test func everyRandomFrameIsCountedOnce() throws {
    let program = try XDPProgram(.port)
    let socket = try UnboundSocket()
    let seed = UInt64.random(in: .min ... .max)
    var random = FrameRandom(seed: seed)
    var missed: UInt64 = 0
    for round in 0..<10_000 {
      let isThere = random.next() % 2 == 0
      if isThere {
        try program.setSocket(socket.descriptor, queue: 0)
      } else {
        try program.removeSocket(queue: 0)
        missed += 1
      }
      let verdict = try program.testRun(random.frame())
      try #require(verdict == (isThere ? .redirect : .drop), "seed \(seed), round \(round)")
    }
    #expect(try program.missedCount() == missed, "seed \(seed)")
  }
}

/// Whether a frame is for `OuterFrame.ours`, written as differently from the program as can be.
private func isOurs(_ frame: [UInt8]) -> Bool {
  let ip = Array(frame.dropFirst(14))
  guard frame.count >= 34, frame[0].isMultiple(of: 2), frame[12...13] == [8, 0],
    (0x45...0x4F).contains(ip[0])
  else { return false }
  let header = Int(ip[0] - 0x40) * 4
  guard ip.count >= header + 8, Int(ip[2]) * 256 + Int(ip[3]) >= header + 8 else { return false }
  let isFragment = ip[6] % 64 != 0 || ip[7] != 0
  return !isFragment && ip[9] == 17 && ip[16..<20] == [192, 0, 2, 1]
    && ip[(header + 2)..<(header + 4)] == [0x1A, 0x80]
}

/// Random frames: noise, and ours with a few bytes changed or the end cut off (SplitMix64).
private struct FrameRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }

  mutating func frame() -> [UInt8] {
    if Int.random(in: 0..<8, using: &self) == 0 {
      let length = Int.random(in: runnableLengthMin...200, using: &self)
      return (0..<length).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
    var outer = OuterFrame()
    outer.options = .init(repeating: 1, count: 4 * Int.random(in: 0...10, using: &self))
    var bytes = outer.bytes
    for _ in 0..<Int.random(in: 0...3, using: &self) {
      let index = Int.random(in: 0..<min(60, bytes.count), using: &self)
      bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
    }
    let cut = Bool.random(using: &self) ? 0 : Int.random(in: 0...70, using: &self)
    return Array(bytes.dropLast(cut))
  }
}
