// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing

@Suite struct IPv4AddressTests {
  @Test func textAndNumberAgree() {
    let cases: [(String, UInt32)] = [
      ("0.0.0.0", 0), ("255.255.255.255", .max), ("192.0.2.1", 0xC000_0201),
      ("10.32.0.1", 0x0A20_0001), ("1.20.100.9", 0x0114_6409),
    ]
    for (text, bits) in cases {
      #expect(IPv4Address(text) == IPv4Address(bits: bits), "\(text)")
      #expect(IPv4Address(bits: bits).description == text)
    }
  }

  @Test(arguments: [
    "", ".", "...", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.",
    "01.2.3.4", "1.2.3.00", "1.2.3.04", "256.0.0.1", "1.2.3.256", "1.2.3.4294967297",
    "1.2.3.18446744073709551617", "1.2.3.99999999999999999999999999", "+1", "+1.2.3.4", "-1.2.3.4",
    "1.2.3.-0", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4\0", "1. 2.3.4", "0x1.2.3.4",
    "1.2.3.a", "１.2.3.4", "1.2.3.４", "١.2.3.4", "1.2.3.²", "1.2.3.4/8", "1,2,3,4", "::1",
    "1.2.3\u{301}.4", "1。2。3。4", "localhost",
  ])
  func wrongFormsAreRefused(text: String) {
    #expect(IPv4Address(text) == nil)
  }

  @Test func everyOctetIsReadAndWritten() {
    for octet in UInt32(0)...255 {
      let text = "\(octet).\(octet).\(octet).\(octet)"
      #expect(IPv4Address(text)?.bits == octet * 0x0101_0101)
      #expect(IPv4Address(bits: octet * 0x0101_0101).description == text)
    }
  }

  @Test(arguments: fixedSeeds)
  func randomAddressesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let address = IPv4Address(bits: UInt32(truncatingIfNeeded: generator.next()))
      #expect(IPv4Address(address.description) == address, "\(generator)")
    }
  }

  @Test func orderIsThatOfTheNumbers() throws {
    let texts = ["9.255.255.255", "10.0.0.0", "10.0.0.2", "10.0.0.10", "200.0.0.0"]
    let addresses = try texts.map { try #require(IPv4Address($0)) }
    #expect(addresses.reversed().sorted() == addresses)
  }

  @Test func kindsOfAddressesAreToldApart() throws {
    let cases: [(String, isUnicast: Bool, isMulticast: Bool)] = [
      ("0.0.0.0", false, false), ("0.1.2.3", false, false), ("127.0.0.1", false, false),
      ("10.0.0.1", true, false), ("223.255.255.255", true, false), ("224.0.0.0", false, true),
      ("239.255.255.255", false, true), ("240.0.0.0", false, false),
      ("255.255.255.255", false, false), ("126.0.0.1", true, false), ("128.0.0.1", true, false),
    ]
    for (text, isUnicast, isMulticast) in cases {
      let address = try #require(IPv4Address(text))
      #expect(address.isUnicast == isUnicast, "\(text)")
      #expect(address.isMulticast == isMulticast, "\(text)")
    }
  }

  @Test func codedAsText() throws {
    try expectCodedAsText(IPv4Address(bits: 0xC000_0201), "192.0.2.1")
    expectNotDecoded(IPv4Address.self, "192.0.2", saying: "192.0.2.1")
  }
}
