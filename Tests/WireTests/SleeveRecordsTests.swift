// SPDX-License-Identifier: Apache-2.0

import Inet
import TestSupport
import Testing
import Wire

/// What is found, and whether something is left.
private func parse(_ bytes: [UInt8]) -> (records: [SleeveRecord], isMalformed: Bool) {
  var cursor = SleeveRecords(bytes.span)
  var records: [SleeveRecord] = []
  while let record = cursor.next() { records.append(record) }
  return (records, cursor.isMalformed)
}

private func record(_ source: UInt64, _ destination: UInt64, _ frame: [UInt8]) -> [UInt8] {
  octets(source, 6) + octets(destination, 6) + octets(UInt16(frame.count)) + frame
}

private let golden = record(1, 2, [1, 2, 3]) + record(3, 4, []) + record(5, 6, [9])

@Suite struct SleeveRecordsTests {
  @Test func recordsAreFoundInOrder() {
    let (records, isMalformed) = parse(golden)
    #expect(records.map(\.source.bits) == [1, 3, 5])
    #expect(records.map(\.destination.bits) == [2, 4, 6])
    #expect(records.map { Array(golden[$0.frame]) } == [[1, 2, 3], [], [9]])
    #expect(!isMalformed)
  }

  @Test func nothingIsNoRecordAndNotMalformed() {
    let (records, isMalformed) = parse([])
    #expect(records.isEmpty && !isMalformed)
  }

  @Test func recordsBeforeACutAreFound() {
    let ends = [17, 31, 46]
    for length in 0...golden.count {
      let (records, isMalformed) = parse(Array(golden.prefix(length)))
      #expect(records.count == ends.count { $0 <= length }, "length \(length)")
      #expect(isMalformed == !([0] + ends).contains(length), "length \(length)")
    }
  }

  @Test func longestFrameIsFound() {
    let frame = [UInt8](repeating: 7, count: 65_535)
    let (records, isMalformed) = parse(record(1, 2, frame))
    #expect(records.map(\.frameLength) == [65_535] && !isMalformed)
  }

  @Test(arguments: fixedSeeds)
  func randomRecordsRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      let frames = (0..<generator.number(below: 20)).map { _ in
        generator.bytes(generator.number(below: 70))
      }
      let bytes = frames.flatMap { record(generator.next() >> 16, generator.next() >> 16, $0) }
      let (records, isMalformed) = parse(bytes)
      #expect(records.map { Array(bytes[$0.frame]) } == frames, "\(generator)")
      #expect(!isMalformed, "\(generator)")
    }
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: golden) { bytes in
      var end = 0
      for record in parse(bytes).records {
        if record.frameOffset != end + 14 { Issue.record("a gap, seed \(seed)") }
        end = record.frameOffset + record.frameLength
      }
      if end > bytes.count { Issue.record("beyond the end, seed \(seed)") }
    }
  }
}
