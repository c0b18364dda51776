// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Wire

private func checksum(_ bytes: [UInt8]) -> UInt16 {
  ~InternetChecksum.fold(InternetChecksum.sum(bytes.span))
}

@Suite struct InternetChecksumTests {
  /// The numbers of RFC 1071, section 3.
  @Test func exampleOfTheStandardAddsUp() {
    let sum = InternetChecksum.sum([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7].span)
    #expect(sum == 0x0001_F203 + 0xF4F5_F6F7)
    #expect(InternetChecksum.fold(sum) == 0xDDF2)
  }

  @Test(arguments: fixedSeeds)
  func everyLengthAgreesWithTheTextbookLoop(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for length in 0...200 {
      let bytes = generator.bytes(length)
      #expect(checksum(bytes) == internetChecksum(bytes), "\(generator), length \(length)")
    }
    let long = generator.bytes(65_535)
    #expect(checksum(long) == internetChecksum(long), "\(generator)")
  }

  @Test func extremesAgreeWithTheTextbookLoop() {
    for length in [0, 1, 2, 7, 8, 9, 20, 65_534, 65_535] {
      for byte in [UInt8(0), 0xFF] {
        let bytes = [UInt8](repeating: byte, count: length)
        #expect(checksum(bytes) == internetChecksum(bytes), "length \(length) of \(byte)")
      }
    }
  }

  @Test func foldKeepsEverySumModulo65535() {
    var generator = SeededGenerator(seed: 1)
    var sums: [UInt64] = [0, 1, 0xFFFF, 0x1_0000, 0x1_FFFE, 0xFFFF_FFFF, 0x1_0000_0000, .max]
    sums += (0..<10_000).map { _ in generator.next() >> UInt64(generator.number(below: 64)) }
    for sum in sums {
      let folded = InternetChecksum.fold(sum)
      #expect(UInt64(folded) % 65_535 == sum % 65_535 && (folded == 0) == (sum == 0), "\(sum)")
    }
  }

  @Test(arguments: fixedSeeds)
  func incrementalUpdateIsTheChecksumOfTheChangedBytes(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<1000 {
      var bytes = generator.bytes(20)
      let before = checksum(bytes)
      let offset = 2 * generator.number(below: 10)
      let oldWord = bytes.span.loadUInt16(at: offset)
      let newWord = generator.uint16()
      bytes.replaceSubrange(offset..<(offset + 2), with: octets(newWord))
      let updated = InternetChecksum.updated(before, replacing: oldWord, with: newWord)
      #expect(updated == internetChecksum(bytes), "\(generator)")
    }
  }

  /// The counterexample of RFC 1624, section 4: the older equation gave 0xFFFF.
  @Test func incrementalUpdateGivesPositiveZero() {
    #expect(InternetChecksum.updated(0xDD2F, replacing: 0x5555, with: 0x3285) == 0x0000)
  }
}
