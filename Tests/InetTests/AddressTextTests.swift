// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import TestSupport
import Testing

/// Text of characters that occur in addresses, and of some that look like them or join them.
private func textLikeAnAddress(_ generator: inout SeededGenerator, atMost count: Int) -> String {
  let scalars = Array("0123456789afAFxg..::/+- \u{0}\u{661}\u{FF11}\u{301}\u{FF21}".unicodeScalars)
  var text = String.UnicodeScalarView()
  for _ in 0...generator.number(below: count) {
    text.append(scalars[generator.number(below: scalars.count)])
  }
  return String(text)
}

/// The same for all types with a textual form: nothing but the one form is read.
@Suite struct AddressTextTests {
  /// A mark joins the character before it, so that no separator is left where one seems to be.
  @Test(arguments: ["\u{301}", "\u{FE0F}\u{20E3}", "\u{200D}", "\u{FEFF}", "\r\n", "\u{0}"])
  func invisibleAndJoiningCharactersAreRefusedEverywhere(extra: String) {
    for place in 0...8 {
      #expect(IPv4Address(inserting(extra, into: "10.0.2.1", at: place)) == nil, "at \(place)")
    }
    for place in 0...9 {
      #expect(IPv4Prefix(inserting(extra, into: "10.0.2.1/8", at: place)) == nil, "at \(place)")
    }
    for place in 0...17 {
      let text = inserting(extra, into: "02:00:00:00:00:0a", at: place)
      #expect(MACAddress(text) == nil, "at \(place)")
    }
  }

  private func inserting(_ extra: String, into text: String, at place: Int) -> String {
    String(text.prefix(place)) + extra + String(text.dropFirst(place))
  }

  /// Every scalar that Unicode calls a hexadecimal digit, and those of two bytes in UTF-8.
  @Test func onlyASCIIDigitsAreRead() {
    for value in UInt32(0x80)..<0x1_0000 {
      guard let scalar = UnicodeScalar(value) else { continue }
      let isDigit = scalar.properties.numericType != nil || scalar.properties.isHexDigit
      guard value < 0x800 || isDigit else { continue }
      let text = String(scalar)
      if IPv4Address("10.0.0." + text) != nil || IPv4Prefix("10.0.0.0/" + text) != nil
        || MACAddress("02:00:00:00:00:" + text) != nil
        || MACAddress("02:00:00:00:00:0" + text) != nil
      {
        Issue.record("U+\(String(value, radix: 16)) is read as a digit")
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func whatIsReadIsPrintedAsItWas(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var read = 0
    for _ in 0..<3000 {
      let address = "10.32.0." + textLikeAnAddress(&generator, atMost: 3)
      if let value = IPv4Address(address) {
        read += 1
        #expect(value.description == address, "\(generator)")
      }
      let prefix = "10.32.0.1/" + textLikeAnAddress(&generator, atMost: 2)
      if let value = IPv4Prefix(prefix) {
        read += 1
        #expect(value.description == prefix, "\(generator)")
      }
      let mac = "02:00:00:00:00:" + textLikeAnAddress(&generator, atMost: 3)
      if let value = MACAddress(mac) {
        read += 1
        #expect(value.description == mac.lowercased(), "\(generator)")
      }
      _ = MACAddress(textLikeAnAddress(&generator, atMost: 40))
    }
    #expect(read > 100, "\(generator)")
  }

  @Test func everyOctetIsReadInEveryPlace() {
    let digits = Array("0123456789abcdef")
    for octet in 0..<256 {
      for place in 0..<6 {
        var octets = ["01", "02", "03", "04", "05", "06"]
        octets[place] = String([digits[octet / 16], digits[octet % 16]])
        let shift = UInt64(40 - 8 * place)
        let bits = 0x0102_0304_0506 & ~(0xFF << shift) | UInt64(octet) << shift
        let text = octets.joined(separator: ":")
        #expect(MACAddress(text)?.bits == bits && MACAddress(bits: bits).description == text)
      }
      for place in 0..<4 {
        var octets = ["1", "2", "3", "4"]
        octets[place] = String(octet)
        let shift = UInt32(24 - 8 * place)
        let bits = 0x0102_0304 & ~(0xFF << shift) | UInt32(octet) << shift
        let text = octets.joined(separator: ".")
        #expect(IPv4Address(text)?.bits == bits && IPv4Address(bits: bits).description == text)
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func randomValuesGoThroughDocuments(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let macs = (0..<100).map { _ in MACAddress(bits: generator.next()) }
    let addresses = (0..<100).map { _ in
      IPv4Address(bits: UInt32(truncatingIfNeeded: generator.next()))
    }
    let prefixes = addresses.compactMap { IPv4Prefix($0, length: generator.number(below: 33)) }
    try expectCodedAsText(macs, "\(generator)")
    try expectCodedAsText(addresses, "\(generator)")
    try expectCodedAsText(prefixes, "\(generator)")
  }

  private func expectCodedAsText<Value: Codable & Equatable & CustomStringConvertible>(
    _ values: [Value], _ comment: Comment
  ) throws {
    let data = try JSONEncoder().encode(values)
    let texts = try JSONDecoder().decode([String].self, from: data)
    #expect(texts == values.map(\.description), comment)
    #expect(try JSONDecoder().decode([Value].self, from: data) == values, comment)
  }

  /// First and last address of a subnet and their neighbours, where a wrong mask would show.
  @Test(arguments: fixedSeeds)
  func subnetsEndWhereTheyShould(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for length in 0...32 {
      let size = UInt64(1) << UInt64(32 - length)
      let bits = UInt32(truncatingIfNeeded: generator.next())
      let prefix = try #require(IPv4Prefix(IPv4Address(bits: bits), length: length))
      let first = UInt64(bits) / size * size
      let last = first + size - 1
      #expect(prefix.network.bits == first && prefix.broadcast.bits == last, "\(generator)")
      for other in [first, last, first &- 1, last + 1] where other <= UInt64(UInt32.max) {
        let isWithin = prefix.contains(IPv4Address(bits: UInt32(other)))
        #expect(isWithin == (first...last ~= other), "\(prefix), \(other), \(generator)")
      }
    }
  }
}
