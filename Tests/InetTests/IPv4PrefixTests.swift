// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing

@Suite struct IPv4PrefixTests {
  @Test func textIsReadAndWrittenWithItsHostBits() throws {
    let prefix = try #require(IPv4Prefix("10.40.1.2/12"))
    #expect(prefix.address == IPv4Address("10.40.1.2") && prefix.length == 12)
    #expect(prefix.description == "10.40.1.2/12")
    #expect(prefix.network == IPv4Address("10.32.0.0"))
    #expect(prefix.broadcast == IPv4Address("10.47.255.255"))
    #expect(prefix.mask == 0xFFF0_0000)
  }

  @Test(arguments: [
    "", "/", "/33", "/-0", "/8", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-0",
    "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/00", "10.0.0.0/8/8", "10.0.0.0//8",
    "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0 /8", "10.0.0.0/ 8", "10.0.0.0/８", "10.0.0.0/8\n",
    "10.0.0.0/255.0.0.0", "10.0.0/8", "10/8", "256.0.0.0/8", "010.0.0.0/8", "１0.0.0.0/8",
    "10.0.0.0/4294967304", "10.0.0.0/a", "10.0.0.0⁄8", "::/0",
  ])
  func wrongFormsAreRefused(text: String) {
    #expect(IPv4Prefix(text) == nil)
  }

  @Test func lengthsFrom0To32AreTaken() {
    let address = IPv4Address(bits: 0xC0A8_0101)
    for length in -40...80 {
      let isRight = 0...32 ~= length
      #expect((IPv4Prefix(address, length: length) != nil) == isRight, "length \(length)")
      #expect((IPv4Prefix("192.168.1.1/\(length)") != nil) == isRight, "length \(length)")
    }
    #expect(IPv4Prefix(address, length: .max) == nil)
    #expect(IPv4Prefix(address, length: .min) == nil)
  }

  /// Against a definition by single bits.
  @Test(arguments: fixedSeeds)
  func everyLengthSplitsTheAddressBitByBit(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for length in 0...32 {
      let bits = UInt32(truncatingIfNeeded: generator.next())
      let prefix = try #require(IPv4Prefix(IPv4Address(bits: bits), length: length))
      for position in 0..<32 {
        let bit = UInt32(1) << UInt32(31 - position)
        let isNetwork = position < length
        let other = IPv4Address(bits: bits ^ bit)
        #expect(
          (prefix.mask & bit != 0) == isNetwork
            && (prefix.network.bits & bit != 0) == (isNetwork && bits & bit != 0)
            && (prefix.broadcast.bits & bit != 0) == (!isNetwork || bits & bit != 0)
            && prefix.contains(other) == !isNetwork,
          "\(prefix), bit \(position), \(generator)")
      }
      #expect(prefix.contains(prefix.address) && prefix.contains(prefix.network))
      #expect(prefix.contains(prefix.broadcast))
      #expect(IPv4Prefix(prefix.description) == prefix, "\(generator)")
    }
  }

  @Test func wholeInternetAndSingleHost() throws {
    let all = try #require(IPv4Prefix("0.0.0.0/0"))
    #expect(all.mask == 0 && all.broadcast.bits == .max)
    #expect(all.contains(IPv4Address(bits: .max)) && all.contains(IPv4Address(bits: 0)))
    let host = try #require(IPv4Prefix("192.0.2.1/32"))
    #expect(host.mask == .max && host.network == host.address && host.broadcast == host.address)
    #expect(!host.contains(IPv4Address(bits: 0xC000_0200)))
  }

  @Test func codedAsText() throws {
    let prefix = try #require(IPv4Prefix("10.32.0.1/12"))
    try expectCodedAsText(prefix, "10.32.0.1/12")
    expectNotDecoded(IPv4Prefix.self, "10.32.0.1", saying: "10.32.0.1/12")
  }
}
