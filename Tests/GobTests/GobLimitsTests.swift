// SPDX-License-Identifier: Apache-2.0

import Gob
import TestSupport
import Testing

/// Streams that ask for more than is good for their reader.
@Suite struct GobLimitsTests {
  private static let list = GobType.sequence(element: .uint)

  private func error(
    _ bytes: [UInt8], _ change: (inout GobLimits) -> Void = { _ in }
  ) -> GobError.Reason? {
    var limits = GobLimits()
    change(&limits)
    var decoder = GobDecoder(bytes, limits: limits)
    do throws(GobError) {
      while try decoder.next() != nil {}
      return nil
    } catch {
      return error.reason
    }
  }

  private func encoded(_ value: GobValue, _ type: GobType) -> [UInt8] {
    var encoder = GobEncoder()
    encoder.encode(value, as: type)
    return encoder.bytes
  }

  /// A message of a list type with the given bytes in place of count and elements.
  private func listMessage(_ text: String) -> [UInt8] {
    let body = hexadecimal(text)
    return hexadecimal("0c ff81 02 01 02 ff82 00 01 06 00 00")
      + [UInt8(3 + body.count), 0xFF, 0x82, 0] + body
  }

  @Test(arguments: ["fd0f4240 01", "f88000000000000000 01", "f8ffffffffffffffff", "fc7fffffff"])
  func aCountBeyondTheBytesIsRefusedAtOnce(text: String) {
    #expect(error(listMessage("01 07")) == nil)
    #expect(error(listMessage(text)) == .truncated)
  }

  @Test func aCountOfFieldsBeyondTheBytesIsRefused() {
    let bytes = hexadecimal("16 ff81 03 01 02 ff82 00 01 f87fffffffffffffff 01 01 58 00")
    #expect(error(bytes) == .truncated)
  }

  @Test func aFieldBeyondTheStructureIsRefused() {
    let definition = hexadecimal("12 ff81 03 01 02 ff82 00 01 01 01 01 4e 01 06 00 00 00")
    #expect(error(definition + hexadecimal("05 ff82 01 05 00")) == nil)
    for text in ["05 ff82 02 05 00", "0d ff82 f8ffffffffffffffff 05 00", "06 ff82 01 05 01 05"] {
      let reason = error(definition + hexadecimal(text))
      #expect(reason == .malformed("a field beyond a structure's end"), "\(text)")
    }
  }

  @Test func messagesAreBounded() {
    let bytes = encoded(.bytes([UInt8](repeating: 0, count: 100)), .bytes)
    #expect(error(bytes) { $0.messageLength = 103 } == nil)
    #expect(
      error(bytes) { $0.messageLength = 102 } == .tooLarge("a message of 103 bytes"))
    #expect(error(hexadecimal("f8ffffffffffffffff")) != nil)
  }

  @Test func textIsBounded() {
    for (value, type) in [
      (GobValue.bytes([1, 2, 3, 4]), GobType.bytes), (.string("abcd"), .string),
    ] {
      #expect(error(encoded(value, type)) { $0.textLength = 4 } == nil)
      #expect(error(encoded(value, type)) { $0.textLength = 3 } == .tooLarge("text of 4 bytes"))
    }
  }

  @Test func valuesAreCounted() {
    let bytes = encoded(.sequence([.uint(1), .uint(2)]), Self.list)
    // The definition has seven: two structures within one another, and their fields.
    let least = (1...20).first { count in error(bytes) { $0.valueCount = count } == nil }
    #expect(least == 8)
    #expect(error(bytes) { $0.valueCount = 7 } == .tooLarge("more than 7 values"))
  }

  @Test func definitionsAreCounted() {
    let bytes = encoded(.sequence([]), .sequence(element: Self.list))
    #expect(error(bytes) { $0.definitionCount = 2 } == nil)
    #expect(error(bytes) { $0.definitionCount = 1 } == .tooLarge("more than 1 definitions"))
  }

  @Test func depthIsBoundedInTypesThatContainThemselves() {
    // A type that is a list of itself: a count of 1 opens another level.
    func nest(_ depth: Int) -> [UInt8] {
      let body = [0xFF, 0x82, 0] + [UInt8](repeating: 1, count: depth - 1) + [0]
      return hexadecimal("0d ff81 02 01 02 ff82 00 01 ff82 00 00") + [UInt8(body.count)] + body
    }
    #expect(error(nest(32)) == nil)
    #expect(error(nest(33)) == .tooLarge("more than 32 values within values"))
    #expect(error(nest(100)) == .tooLarge("more than 32 values within values"))
  }

  @Test func emptyStructuresCostABytePiece() throws {
    let type = GobType.sequence(element: .structure(name: "", fields: []))
    let empty = GobValue.structure(GobStructure([:]))
    let bytes = encoded(.sequence(Array(repeating: empty, count: 200)), type)
    #expect(bytes.count > 200)
    var decoder = GobDecoder(bytes)
    #expect(try decoder.next()?.sequence(at: 0).count == 200)
    #expect(error(bytes) { $0.valueCount = 150 } == .tooLarge("more than 150 values"))
  }
}
