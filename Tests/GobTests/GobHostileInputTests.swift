// SPDX-License-Identifier: Apache-2.0

import Gob
import TestSupport
import Testing

/// Bytes that come from anybody: they are a value or an error, and never cost more than their
/// length.
@Suite struct GobHostileInputTests {
  /// Reads a stream to its end or to an error, and checks that what came of it is bounded.
  private func read(_ bytes: [UInt8], _ comment: String) {
    var decoder = GobDecoder(bytes)
    var size = 0
    do throws(GobError) {
      while let value = try decoder.next() { size += GobHostileInputTests.size(value) }
      #expect(decoder.offset == bytes.count, "\(comment)")
    } catch {
      #expect((0...bytes.count).contains(error.offset), "\(comment): \(error)")
    }
    #expect(size <= bytes.count, "\(comment)")
  }

  /// Values and bytes of text within a value, repaired text as the three bytes it takes for one.
  private static func size(_ value: GobValue) -> Int {
    switch value {
    case .bool, .int, .uint, .float, .complex: 1
    case .bytes(let bytes): 1 + bytes.count
    case .string(let text): 1 + text.utf8.count / 3
    case .structure(let structure): 1 + structure.fields.reduce(0) { $0 + size($1.value) }
    case .sequence(let values): 1 + values.reduce(0) { $0 + size($1) }
    case .map(let entries): 1 + entries.reduce(0) { $0 + size($1.key) + size($1.value) }
    case .interface(_, let value): 1 + (value.map { size($0) } ?? 0)
    }
  }

  @Test func everyTruncationOfARecordedMessageIsAnErrorOrShorter() throws {
    for (index, gob) in try CaptureTests.gobs().enumerated() {
      let whole = try CaptureTests.values(gob).count
      for length in 0..<gob.count {
        var decoder = GobDecoder(Array(gob[..<length]))
        var count = 0
        while (try? decoder.next()) != nil { count += 1 }
        #expect(count < whole, "message \(index) cut to \(length) bytes")
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func randomBytesAreHandled(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let length = generator.number(below: 200)
      read(generator.bytes(length), "\(generator)")
    }
  }

  @Test(arguments: fixedSeeds)
  func damagedMessagesAreHandled(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let gobs = try CaptureTests.gobs()
    for gob in gobs {
      for _ in 0..<10 {
        var bytes = gob
        for _ in 0...generator.number(below: 4) { mutate(&bytes, gobs, &generator) }
        read(bytes, "\(generator)")
      }
    }
  }

  private func mutate(
    _ bytes: inout [UInt8], _ others: [[UInt8]], _ generator: inout SeededGenerator
  ) {
    guard !bytes.isEmpty else { return }
    let index = generator.number(below: bytes.count)
    switch generator.number(below: 6) {
    case 0: bytes[index] ^= 1 << UInt8(generator.number(below: 8))
    case 1: bytes[index] = UInt8(truncatingIfNeeded: generator.next())
    case 2: bytes.remove(at: index)
    case 3: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: index)
    // The longest numbers there are.
    case 4: bytes.insert(contentsOf: [0xF8] + generator.bytes(8), at: index)
    default:
      let other = others[generator.number(below: others.count)]
      bytes.replaceSubrange(index..., with: other.suffix(bytes.count - index))
    }
  }
}
