// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Transport

/// What is read from the kernel's error queue.
@Suite struct ErrorQueueTests {
  /// Another message first, then that of a router, as the kernel lays them out.
  private static let control: [UInt8] =
    [20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 29, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]
    + [48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0]
    + [90, 0, 0, 0, 2, 3, 4, 0, 0x14, 5, 0, 0, 0, 0, 0, 0]
    + [2, 0, 0, 0, 10, 77, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]

  @Test func pathMTUIsReadBehindAnotherMessage() {
    #expect(UDPSocket.pathMTU(inControl: Self.control[...]) == 1300)
  }

  @Test func errorsOfThisHostAndOthersAreLeftOut() {
    var own = Self.control
    own[44] = 1
    #expect(UDPSocket.pathMTU(inControl: own[...]) == nil)
    var refused = Self.control
    refused[40] = 111
    #expect(UDPSocket.pathMTU(inControl: refused[...]) == nil)
  }

  @Test func messagesCutShortAreNotRead() {
    for length in 0..<Self.control.count {
      #expect(UDPSocket.pathMTU(inControl: Self.control.prefix(length)) == nil)
    }
  }

  @Test(arguments: fixedSeeds)
  func damagedMessagesDoNoHarm(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      var bytes = Self.control
      for _ in 0...generator.number(below: 6) {
        bytes[generator.number(below: bytes.count)] = generator.bytes(1)[0]
      }
      let found = UDPSocket.pathMTU(inControl: bytes[...])
      #expect(found.map { 0...Int(UInt32.max) ~= $0 } ?? true, "\(generator)")
      let random = generator.bytes(generator.number(below: 100))
      _ = UDPSocket.pathMTU(inControl: random[...])
    }
  }
}
