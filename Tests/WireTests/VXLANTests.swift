// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

private func parse(_ bytes: [UInt8]) -> VXLANFields? {
  guard let header = VXLANHeader(bytes.span) else { return nil }
  return VXLANFields(header)
}

/// RFC 7348, figure 1: flags, 24 reserved bits, identifier, 8 reserved bits.
private let golden = hexadecimal("08 000000 123ABC 00")

@Suite struct VXLANTests {
  @Test func goldenHeaderIsDecoded() {
    #expect(parse(golden)?.network == VirtualNetwork(bits: 0x12_3ABC))
    #expect(parse(golden)?.description == "VXLAN network 1194684")
  }

  @Test func goldenHeaderIsEncodedBack() {
    var bytes = [UInt8](repeating: 0xEE, count: 10)
    var span = bytes.mutableSpan
    parse(golden)?.encode(into: &span, at: 1)
    #expect(bytes == [0xEE] + golden + [0xEE])
  }

  @Test(arguments: fixedSeeds)
  func randomValuesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let network = UInt32(truncatingIfNeeded: generator.next())
      let fields = VXLANFields(network: VirtualNetwork(bits: network))
      var bytes = generator.bytes(8)
      var span = bytes.mutableSpan
      fields.encode(into: &span)
      #expect(parse(bytes) == fields, "\(generator)")
    }
  }

  @Test func truncatedHeadersAreNil() {
    for length in 0..<golden.count {
      #expect(parse(Array(golden.prefix(length))) == nil, "length \(length)")
    }
    #expect(parse(golden) != nil)
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: golden) { _ = parse($0) }
  }

  @Test func theNetworkFlagIsDemandedAndReservedBitsAreIgnored() {
    for flags in UInt8.min...UInt8.max {
      let bytes = [flags, 0xFF, 0xFF, 0xFF, 0, 0, 7, 0xFF]
      #expect(parse(bytes)?.network.bits == (flags & 8 == 0 ? nil : 7), "flags \(flags)")
    }
  }

  @Test func writerChangesTheNetwork() {
    var bytes = golden
    var span = bytes.mutableSpan
    guard var writer = VXLANWriter(&span) else {
      Issue.record("a whole header was refused")
      return
    }
    let before = writer.network
    writer.network = VirtualNetwork(bits: 0xAB_C123)
    #expect(before == VirtualNetwork(bits: 0x12_3ABC))
    #expect(bytes == hexadecimal("08 000000 ABC123 00"))
    bytes[0] = 0xF7
    span = bytes.mutableSpan
    let isRefused = VXLANWriter(&span) == nil
    #expect(isRefused)
  }
}
