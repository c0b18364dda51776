// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing

@Suite struct MACAddressTests {
  @Test func textAndNumberAgree() {
    let address = MACAddress("02:00:5e:ff:00:1a")
    #expect(address?.bits == 0x0200_5EFF_001A)
    #expect(address?.description == "02:00:5e:ff:00:1a")
    #expect(MACAddress("02:00:5E:FF:00:1A") == address)
    #expect(MACAddress.zero.description == "00:00:00:00:00:00")
    #expect(MACAddress.broadcast.description == "ff:ff:ff:ff:ff:ff")
  }

  @Test func onlyTheLow48BitsAreKept() {
    #expect(MACAddress(bits: .max) == .broadcast)
    #expect(MACAddress(bits: 1 << 48) == .zero)
  }

  @Test(arguments: [
    "", ":", ":::::", "02", "02:00:5e:ff:00", "02:00:5e:ff:00:1a:00", "02:00:5e:ff:00:1",
    "02:00:5e:ff:00:1aa", "02:00:5e:ff:00:", ":02:00:5e:ff:00:1a", "02-00-5e-ff-00-1a",
    "0200.5eff.001a", "02005eff001a", "02:00:5e:ff:00:1g", "+2:00:5e:ff:00:1a",
    "-2:00:5e:ff:00:1a", " 2:00:5e:ff:00:1a", "02:00:5e:ff:00:1a ", "02:00:5e:ff:00:1a\n",
    "0x:00:5e:ff:00:1a", "０２:00:5e:ff:00:1a", "é:00:5e:ff:00:1a", "02:00:5e:ff:00:1a\0",
  ])
  func wrongFormsAreRefused(text: String) {
    #expect(MACAddress(text) == nil)
  }

  @Test(arguments: fixedSeeds)
  func randomAddressesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let address = MACAddress(bits: generator.next())
      #expect(MACAddress(address.description) == address, "\(generator)")
      #expect(MACAddress(address.description.uppercased()) == address, "\(generator)")
    }
  }

  @Test func groupsAndZeroAreNoStations() throws {
    let cases: [(String, isMulticast: Bool, isStation: Bool)] = [
      ("00:00:00:00:00:00", false, false), ("ff:ff:ff:ff:ff:ff", true, false),
      ("01:00:5e:00:00:01", true, false), ("33:33:00:00:00:01", true, false),
      ("02:00:00:00:00:01", false, true), ("fe:ff:ff:ff:ff:ff", false, true),
    ]
    for (text, isMulticast, isStation) in cases {
      let address = try #require(MACAddress(text))
      #expect(address.isMulticast == isMulticast, "\(text)")
      #expect(address.isStation == isStation, "\(text)")
    }
  }

  @Test func codedAsText() throws {
    try expectCodedAsText(MACAddress(bits: 0x0200_0000_000A), "02:00:00:00:00:0a")
    expectNotDecoded(MACAddress.self, "02:00:00:00:00", saying: "02:00:00:00:00:0a")
  }
}
