// SPDX-License-Identifier: Apache-2.0

import Gob
import TestSupport
import Testing

/// Bytes that a Go program printed for the same values.
@Suite struct GobEncoderTests {
  @Test(arguments: [
    (GobValue.uint(5), GobType.uint, "03 06 00 05"),
    (.uint(0), .uint, "03 06 00 00"),
    (.uint(128), .uint, "04 06 00 ff80"),
    (.string("abc"), .string, "06 0c 00 03 616263"),
    (.bytes([1, 2, 3]), .bytes, "06 0a 00 03 010203"),
    (.uint(0x0200_0000_000A), .uint, "09 06 00 fa 02000000000a"),
    (.int(-1), .int, "03 04 00 01"),
    (.int(.min), .int, "0b 04 00 f8 ffffffffffffffff"),
    (.int(.max), .int, "0b 04 00 f8 fffffffffffffffe"),
    (.uint(.max), .uint, "0b 06 00 f8 ffffffffffffffff"),
    (.bool(true), .bool, "03 02 00 01"),
    (.float(17), .float, "05 08 00 fe 3140"),
    (.complex(real: 17, imaginary: 0), .complex, "06 0e 00 fe 3140 00"),
  ])
  func singleValuesAreAsGoWritesThem(value: GobValue, type: GobType, text: String) throws {
    var encoder = GobEncoder()
    encoder.encode(value, as: type)
    #expect(encoder.bytes == hexadecimal(text))
    var decoder = GobDecoder(encoder.bytes)
    #expect(try decoder.next() == value)
    #expect(try decoder.next() == nil)
  }

  @Test func aMapOfTextIsAsGoWritesIt() {
    var encoder = GobEncoder()
    encoder.encode(.map([]), as: .map(key: .string, element: .string))
    #expect(
      encoder.bytes
        == hexadecimal("0e ff81 04 01 02 ff82 00 01 0c 01 0c 00 00") + hexadecimal("04 ff82 00 00"))
  }

  @Test func aSliceOfTextIsAsGoWritesIt() {
    var encoder = GobEncoder(firstNumber: 77)
    encoder.encode(.sequence([.string("10.9.0.2")]), as: .sequence(element: .string))
    #expect(
      encoder.bytes
        == hexadecimal("0c ff99 02 01 02 ff9a 00 01 0c 00 00")
        + hexadecimal("0d ff9a 00 01 08") + Array("10.9.0.2".utf8))
  }

  @Test func addressesByContainerAreNumberedAsInGo() {
    let address = GobType.structure(
      name: "CIDR", fields: [GobField("Addr", .uint), GobField("PrefixLen", .int)])
    let owned = GobType.structure(
      name: "",
      fields: [
        GobField("IsContainer", .bool),
        GobField("Cidrs", .sequence(name: "[]address.CIDR", element: address)),
      ])
    let value = GobStructure([
      "IsContainer": .bool(true),
      "Cidrs": .sequence([
        .structure(GobStructure(["Addr": .uint(0x0A20_0001), "PrefixLen": .int(12)]))
      ]),
    ])
    var encoder = GobEncoder(firstNumber: 78)
    encoder.encode(
      .map([GobEntry(.string("c1"), .structure(value))]), as: .map(key: .string, element: owned))
    #expect(
      encoder.bytes
        == hexadecimal(
          """
          0fffa1040102ffa200010c01ff9c0000
          27ff9b030102ff9c000102010b4973436f6e7461696e65720102000105436964727301ffa0000000
          1dff9f0201010e5b5d616464726573732e4349445201ffa00001ff9e0000
          29ff9d030101044349445201ff9e00010201044164647201060001095072656669784c656e0104000000
          15ffa200 01 02 6331 01 01 01 01 01 fc0a200001 01 18 00 00
          """))
  }

  @Test func aSecondValueOfATypeNeedsNoSecondDefinition() throws {
    let type = GobType.structure(name: "T", fields: [GobField("N", .uint)])
    var encoder = GobEncoder()
    encoder.encode(.structure(GobStructure(["N": .uint(1)])), as: type)
    let length = encoder.bytes.count
    encoder.encode(.structure(GobStructure([:])), as: type)
    #expect(encoder.bytes.count == length + 4)
    var decoder = GobDecoder(encoder.bytes)
    #expect(try decoder.next()?.structure(at: 0).uint("N") == 1)
    #expect(try decoder.next()?.structure(at: 0).uint("N") == 0)
    #expect(try decoder.next() == nil)
  }
}
