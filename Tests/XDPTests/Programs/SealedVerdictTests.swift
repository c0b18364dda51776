// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import XDP

extension UnderlayCase {
  private static func sealed(
    _ description: String, ours: Bool, _ change: (inout OuterFrame) -> Void
  ) -> UnderlayCase {
    UnderlayCase(description, ours: ours) {
      $0 = .sealed()
      change(&$0)
    }
  }

  static let sealed: [UnderlayCase] = [
    sealed("our association", ours: true) { _ in },
    sealed("fragmentation allowed, but none", ours: true) { $0.fragment = 0 },
    sealed("the reserved flag is not a fragment", ours: true) { $0.fragment = 0x8000 },
    sealed("nothing behind the header", ours: true) { $0.payload = [] },
    sealed("1400 bytes of payload", ours: true) { $0.payload = .init(repeating: 7, count: 1400) },
    sealed("four bytes of options", ours: true) { $0.options = [1, 1, 1, 0] },
    sealed("forty bytes of options", ours: true) { $0.options = .init(repeating: 1, count: 40) },
    sealed("another sender", ours: true) { $0.source = IPv4Address(bits: 0x0102_0304) },
    sealed("another identifier", ours: false) { $0.identifier += 1 },
    sealed("our identifier with its bytes swapped", ours: false) {
      $0.identifier = $0.identifier.byteSwapped
    },
    sealed("identifier 0", ours: false) { $0.identifier = 0 },
    sealed("the last identifier", ours: false) { $0.identifier = .max },
    sealed("our UDP port within another identifier", ours: false) {
      $0.destinationPort = OuterFrame.ours.port
    },
    sealed("another address", ours: false) { $0.destination = $0.destination.neighbour },
    sealed("our address as the source only", ours: false) { swap(&$0.source, &$0.destination) },
    sealed("first fragment", ours: false) { $0.fragment = 0x2000 },
    sealed("middle fragment", ours: false) { $0.fragment = 0x2000 | 185 },
    sealed("last fragment", ours: false) { $0.fragment = 185 },
    sealed("fragment at offset 1", ours: false) { $0.fragment = 1 },
    sealed("fragment at the last offset", ours: false) { $0.fragment = 0x1FFF },
    sealed("fragment at offset 256, low byte zero", ours: false) { $0.fragment = 0x0100 },
    sealed("TCP", ours: false) { $0.protocolNumber = 6 },
    sealed("UDP whose ports look like our identifier", ours: false) { $0.protocolNumber = 17 },
    sealed("IP in IP", ours: false) { $0.protocolNumber = 4 },
    sealed("AH", ours: false) { $0.protocolNumber = 51 },
    sealed("IPComp", ours: false) { $0.protocolNumber = 108 },
    sealed("IPv6", ours: false) { $0.etherType = 0x86DD },
    sealed("802.1Q tag", ours: false) { $0.tags = [0x81, 0, 0, 5] },
    sealed("priority tag", ours: false) { $0.tags = [0x81, 0, 0xE0, 0] },
    sealed("multicast MAC", ours: false) { $0.destinationMAC = [1, 0, 0x5E, 0, 0, 1] },
    sealed("broadcast MAC", ours: false) { $0.destinationMAC = .init(repeating: 255, count: 6) },
    sealed("IP version 6 in an IPv4 frame", ours: false) { $0.version = 6 },
    sealed("IP header of 16 bytes", ours: false) { $0.headerLength = 16 },
    sealed(
      "IP header of 12 bytes that makes a source address look like our identifier", ours: false
    ) {
      $0.headerLength = 12
      $0.source = IPv4Address(bits: $0.identifier)
    },
    sealed("IP header longer than the frame", ours: false) {
      $0.headerLength = 60
      $0.payload = [1, 2, 3]
    },
    sealed("total length ends within the ESP header", ours: false) { $0.totalLength = 27 },
    sealed("total length of the IP header", ours: false) { $0.totalLength = 20 },
    sealed("options pushed the ESP header behind the total length", ours: false) {
      $0.options = [1, 1, 1, 0]
      $0.totalLength = 31
    },
  ]
}

@Suite(.enabled(if: isRoot, rootComment)) struct SealedVerdictTests {
  private func loaded() throws -> XDPProgram {
    let program = try XDPProgram(.underlay)
    try program.setOverlayAddresses([OuterFrame.ours])
    try program.setSecurityAssociations([OuterFrame.association])
    return program
  }

  @Test(arguments: UnderlayCase.sealed)
  func onlyPacketsOfOurAssociationsAreRedirected(_ tested: UnderlayCase) throws {
    let program = try loaded()
    #expect(try program.testRun(tested.frame) == .pass, "without a socket")
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    #expect(try program.testRun(tested.frame) == (tested.isOurs ? .redirect : .pass))
    try program.setSecurityAssociations([])
    #expect(try program.testRun(tested.frame) == .pass, "without an association")
  }

  @Test(arguments: UnderlayCase.all.filter { !$0.testDescription.contains("ESP") })
  func associationsLeaveDatagramsAsTheyAre(_ tested: UnderlayCase) throws {
    let program = try loaded()
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    #expect(try program.testRun(tested.frame) == (tested.isOurs ? .redirect : .pass))
  }

  @Test func everyTruncationPasses() throws {
    let program = try loaded()
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    for optionsLength in stride(from: 0, through: 40, by: 4) {
      var frame = OuterFrame.sealed()
      frame.options = [UInt8](repeating: 1, count: optionsLength)
      let bytes = frame.bytes
      for length in runnableLengthMin...bytes.count {
        let expected: XDPVerdict = length < 42 + optionsLength ? .pass : .redirect
        #expect(try program.testRun(Array(bytes[..<length])) == expected, "\(length) bytes")
      }
    }
  }

  @Test func randomPacketsAreJudgedAsTheModelDoes() throws {
    let program = try loaded()
    let socket = try UnboundSocket()
    try program.setSocket(socket.descriptor, queue: 0)
    var random = SeededGenerator(seed: .random(in: .min ... .max))
    var redirected = 0
    for round in 0..<10_000 {
      let frame = random.sealedFrame()
      let verdict = try program.testRun(frame)
      try #require(
        verdict == (isSealedForUs(frame) ? .redirect : .pass), "\(random), round \(round): \(frame)"
      )
      redirected += verdict == .redirect ? 1 : 0
    }
    #expect(redirected > 1000 && redirected < 9000, "\(random): both verdicts are common")
  }
}
