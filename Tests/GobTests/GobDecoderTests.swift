// SPDX-License-Identifier: Apache-2.0

import Gob
import TestSupport
import Testing

/// Streams that a Go program wrote, with kinds of values that the mesh does not use.
@Suite struct GobDecoderTests {
  private func structure(_ fields: KeyValuePairs<String, GobValue>) -> GobValue {
    .structure(GobStructure(fields))
  }

  private func values(
    _ bytes: [UInt8], _ limits: GobLimits = GobLimits()
  ) throws(GobError) -> [GobValue] {
    var decoder = GobDecoder(bytes, limits: limits)
    var values: [GobValue] = []
    while let value = try decoder.next() { values.append(value) }
    return values
  }

  @Test func structuresHaveTheFieldsThatAreNotZero() throws {
    let bytes = hexadecimal(
      """
      03 04 00 02 04 0c 00 01 78
      1f ff8103010105506f696e7401ff820001020101580104000101590104000000
      03 ff82 00 04 0a 00 01 09 07 ff82 01 02 01 02 00
      """)
    let expected: [GobValue] = [
      .int(1), .string("x"), structure([:]), .bytes([9]), structure(["X": .int(1), "Y": .int(1)]),
    ]
    #expect(try values(bytes) == expected)
  }

  @Test func arraysFloatsAndNestedMapsAreRead() throws {
    let bytes = hexadecimal(
      """
      32ff8b0301010341727201ff8c00010501014101ff8e000101430
      10e0001014601080001014501ff920001014d01ff9600000017ff8d010101075b335d626f6f6c01ff8e0001020106
      00001aff910201010b5b5d737472756374207b7d01ff920001ff9000000aff8f030102ff9000000021ff95040101
      106d61705b737472696e675d5b5d696e7401ff9600010c01ff9400000cff93020102ff94000104000021ff8c0103
      01000101fef03fffc001fee03f0104000000000101016b0201fe025800
      """)
    let expected = structure([
      "A": .sequence([.bool(true), .bool(false), .bool(true)]),
      "C": .complex(real: 1, imaginary: -2), "F": .float(0.5),
      "E": .sequence(Array(repeating: structure([:]), count: 4)),
      "M": .map([GobEntry(.string("k"), .sequence([.int(-1), .int(300)]))]),
    ])
    #expect(try values(bytes) == [expected])
  }

  @Test func aTypeMayContainItself() throws {
    let bytes = hexadecimal(
      """
      22ff97030101045472656501ff9800010201014e01060001044b69647301ff9a0000001bff990201010c5b5d2a6d61
      696e2e5472656501ff9a0001ff98000012ff9801010102010200010301010104000000
      """)
    let leaf = structure(["N": .uint(4)])
    let expected = structure([
      "N": .uint(1),
      "Kids": .sequence([
        structure(["N": .uint(2)]), structure(["N": .uint(3), "Kids": .sequence([leaf])]),
      ]),
    ])
    #expect(try values(bytes) == [expected])
  }

  @Test func interfacesHaveTheirTypesInline() throws {
    let definition = "17ff8303010103416e7901ff8400010101015601100000"
    let twice = hexadecimal(
      """
      \(definition)002dff84010a6d61696e2e506f696e74ff8103010105506f696e7401ff82000102010158010400010
      159010400000009ff820501020104000017ff84010a6d61696e2e506f696e74ff8205010601080000
      """)
    func point(_ x: Int64, _ y: Int64) -> GobValue {
      structure([
        "V": .interface(typeName: "main.Point", structure(["X": .int(x), "Y": .int(y)]))
      ])
    }
    #expect(try values(twice) == [point(1, 2), point(3, 4)])
    let nested = hexadecimal(
      """
      \(definition)0021ff8401076d61696e2e4532ff8503010102453201ff86000101010157011000000033ff8625
      010a6d61696e2e496e6e6572ff8703010105496e6e657201ff88000101010151010c000000
      09ff880501026869000000
      """)
    let inner = GobValue.interface(typeName: "main.Inner", structure(["Q": .string("hi")]))
    let outer = GobValue.interface(typeName: "main.E2", structure(["W": inner]))
    #expect(try values(nested) == [structure(["V": outer])])
  }

  @Test func interfacesHoldSingleValuesOrNothing() throws {
    let bytes = hexadecimal(
      """
      0cff89020102ff8a000110000029ff8a000403696e740402000206737472696e670c05000374776f0007666c6f6174
      3634080400fe0c40
      """)
    let expected = GobValue.sequence([
      .interface(typeName: "int", .int(1)), .interface(typeName: "string", .string("two")),
      .interface(typeName: "", nil), .interface(typeName: "float64", .float(3.5)),
    ])
    #expect(try values(bytes) == [expected])
  }

  @Test func typesWithAnEncodingOfTheirOwnAreBytes() throws {
    let bytes = hexadecimal(
      """
      10ff9b0501010454696d6501ff9c00000013ff9c000f010000000edce5e80000000000ffff
      0aff9d050102ffa000000006ff9e0002034d
      """)
    let values = try values(bytes)
    #expect(
      values == [.bytes(hexadecimal("010000000edce5e80000000000ffff")), .bytes([0x03, 0x4D])])
  }

  @Test func floatsOfEverySizeAreRead() throws {
    let bytes = hexadecimal("03 08 00 00 0b 08 00 f89c7500883ce4377e")
    #expect(try values(bytes) == [.float(0), .float(1e300)])
  }

  @Test func textThatIsNotUTF8IsRepaired() throws {
    #expect(try values(hexadecimal("060c000361ff62")) == [.string("a\u{FFFD}b")])
  }

  @Test func definitionsMayComeInAnyOrder() throws {
    let slice = "0d ff87 02 01 02 ff88 00 01 ff86 00 00"
    let type = "12 ff85 03 01 02 ff86 00 01 01 01 01 4e 01 06 00 00 00"
    let value = "07 ff88 00 01 01 05 00"
    let expected = [GobValue.sequence([structure(["N": .uint(5)])])]
    #expect(try values(hexadecimal(slice + type + value)) == expected)
    #expect(try values(hexadecimal(type + slice + value)) == expected)
  }

  @Test(arguments: [
    ("an empty message", "00"),
    ("a definition of a built-in type", "06 2d 02 01 02 2e 00"),
    ("a definition of type 63", "07 7d 02 01 02 7e 00 00"),
    (
      "a second definition",
      "0c ff81 02 01 02 ff82 00 01 04 00 00 0c ff81 02 01 02 ff82 00 01 04 00 00"
    ),
    ("a definition of nothing", "03 ff81 00"),
    ("a type that nothing defines", "04 ff82 00 05"),
    ("a type above the built-in ones", "03 20 00 00"),
    ("no zero before a single value", "03 06 01 05"),
    ("bytes after a value", "04 06 00 05 05"),
    ("the truth value 2", "03 02 00 02"),
    ("a number of nine bytes", "0c 06 00 f7 010203040506070809"),
    ("text beyond its message", "04 0c 00 05 61 03 06 00 05"),
  ])
  func whatNoEncoderWritesIsMalformed(what: String, text: String) {
    #expect {
      _ = try values(hexadecimal(text))
    } throws: { error in
      guard case .malformed? = (error as? GobError)?.reason else { return false }
      return true
    }
  }

  @Test(arguments: [
    "ff", "f8 01", "03", "03 06 00", "05 0c 00 05 61", "0eff81040102ff8200010c010c0000",
  ])
  func aStreamThatEndsTooEarlyIsTruncated(text: String) {
    #expect {
      _ = try values(hexadecimal(text))
    } throws: { error in
      (error as? GobError)?.reason == .truncated
    }
  }

  @Test func whatIsPassedOverIsNotLookedInto() throws {
    // A truth value of 2, which nobody writes, between two that are right.
    var decoder = GobDecoder(hexadecimal("03 06 00 05 03 02 00 02 03 06 00 07"))
    #expect(try decoder.next() == .uint(5))
    #expect(try decoder.skip())
    #expect(try decoder.next() == .uint(7))
    #expect(try !decoder.skip())
    var cut = GobDecoder(hexadecimal("03 06 00"))
    #expect(throws: GobError.self) { try cut.skip() }
  }

  @Test func errorsNameTheirPlace() {
    #expect(throws: GobError(.malformed("the truth value 2"), offset: 8)) {
      _ = try values(hexadecimal("03 06 00 05 03 02 00 02"))
    }
  }

  @Test func anotherTypeThanTheReaderExpectsIsNamed() throws {
    let structure = GobStructure(["N": .uint(5)])
    #expect(throws: GobError(.unexpectedType(expected: "a signed number"), offset: 0)) {
      try structure.int("N")
    }
    #expect(throws: GobError(.unexpectedType(expected: "text"), offset: 7)) {
      try GobValue.uint(5).string(at: 7)
    }
    #expect(try structure.uint("N") == 5 && structure.uint("M") == 0)
    #expect(try structure.map("M") == nil && structure.structure("M") == nil)
    #expect(try structure.string("M").isEmpty && !structure.bool("M") && structure.int("M") == 0)
    #expect(try structure.bytes("M").isEmpty && structure.sequence("M").isEmpty)
  }
}
