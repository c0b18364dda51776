// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

@Suite struct BytesTests {
  @Test func loadsAreBigEndian() {
    let bytes: [UInt8] = [0xFF, 1, 2, 3, 4, 5, 6, 7, 8, 0xFF]
    let span = bytes.span
    let loaded16 = span.loadUInt16(at: 1)
    let loaded32 = span.loadUInt32(at: 1)
    let loaded48 = span.loadUInt48(at: 1)
    let loaded64 = span.loadUInt64(at: 1)
    let mac = span.loadMACAddress(at: 2)
    let address = span.loadIPv4Address(at: 3)
    #expect(loaded16 == 0x0102)
    #expect(loaded32 == 0x0102_0304)
    #expect(loaded48 == 0x0102_0304_0506)
    #expect(loaded64 == 0x0102_0304_0506_0708)
    #expect(mac.description == "02:03:04:05:06:07")
    #expect(address.description == "3.4.5.6")
  }

  @Test func storesAreBigEndianAndTouchNothingElse() {
    var bytes = [UInt8](repeating: 0xEE, count: 32)
    var span = bytes.mutableSpan
    span.store(UInt8(0x01), at: 1)
    span.store(UInt16(0x0203), at: 3)
    span.store(UInt32(0x0405_0607), at: 6)
    span.storeUInt48(0xFFFF_0809_0A0B_0C0D, at: 11)
    span.store(UInt64(0x0E0F_1011_1213_1415), at: 18)
    span.store(IPv4Address(bits: 0x1617_1819), at: 27)
    let expected = hexadecimal(
      """
      EE 01 EE 0203 EE 04050607 EE 08090A0B0C0D EE 0E0F101112131415 EE 16171819 EE
      """)
    #expect(bytes == expected)
  }

  @Test(arguments: fixedSeeds)
  func whatIsStoredIsLoaded(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let value = generator.next()
      let offset = generator.number(below: 9)
      var bytes = generator.bytes(17)
      var span = bytes.mutableSpan
      span.store(value, at: offset)
      let loaded64 = bytes.span.loadUInt64(at: offset)
      span = bytes.mutableSpan
      span.storeUInt48(value, at: offset)
      let loaded48 = bytes.span.loadUInt48(at: offset)
      span = bytes.mutableSpan
      span.store(UInt32(truncatingIfNeeded: value), at: offset)
      let loaded32 = bytes.span.loadUInt32(at: offset)
      span = bytes.mutableSpan
      span.store(UInt16(truncatingIfNeeded: value), at: offset)
      let loaded16 = bytes.span.loadUInt16(at: offset)
      span = bytes.mutableSpan
      span.store(MACAddress(bits: value), at: offset)
      let mac = bytes.span.loadMACAddress(at: offset)
      #expect(
        loaded64 == value && loaded48 == value & 0xFFFF_FFFF_FFFF
          && loaded32 == UInt32(truncatingIfNeeded: value)
          && loaded16 == UInt16(truncatingIfNeeded: value) && mac == MACAddress(bits: value),
        "\(generator)")
    }
  }

  @Test func storeBeyondTheEndTraps() async {
    await #expect(processExitsWith: .failure) {
      var bytes: [UInt8] = [0, 0, 0]
      var span = bytes.mutableSpan
      span.store(UInt32(1), at: 0)
    }
  }
}
