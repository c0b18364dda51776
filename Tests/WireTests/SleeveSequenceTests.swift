// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Wire

private func nonce(_ sequence: SleeveSequence, isOutbound: Bool) -> [UInt8] {
  var bytes = [UInt8](repeating: 0xEE, count: 26)
  var span = bytes.mutableSpan
  sequence.encodeNonce(into: &span, at: 1, isOutbound: isOutbound)
  #expect(bytes.first == 0xEE && bytes.last == 0xEE)
  return Array(bytes[1..<25])
}

@Suite struct SleeveSequenceTests {
  @Test func kindIsTheHighestBit() {
    let number: UInt64 = 0x0123_4567_89AB_CDEF
    let unfragmentable = SleeveSequence(number: number, isFragmentable: false)
    #expect(unfragmentable.bits == number | 1 << 63)
    #expect(unfragmentable.number == number && !unfragmentable.isFragmentable)
    let fragmentable = SleeveSequence(number: number, isFragmentable: true)
    #expect(fragmentable.bits == number)
    #expect(fragmentable.number == number && fragmentable.isFragmentable)
    #expect(SleeveSequence(number: .max, isFragmentable: true).isFragmentable)
  }

  @Test func noncesOfTheEndsDifferInTheirFirstByte() {
    let sequence = SleeveSequence(number: 0x0102, isFragmentable: false)
    let zeros = String(repeating: "00", count: 15)
    #expect(
      nonce(sequence, isOutbound: true) == hexadecimal("80 \(zeros) 8000 0000 0000 0102"))
    #expect(
      nonce(sequence, isOutbound: false) == hexadecimal("00 \(zeros) 8000 0000 0000 0102"))
  }

  @Test(arguments: fixedSeeds)
  func everyNumberHasANonceOfItsOwn(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let sequence = SleeveSequence(bits: generator.next())
      let again = SleeveSequence(number: sequence.number, isFragmentable: sequence.isFragmentable)
      #expect(again == sequence, "\(generator)")
      #expect(nonce(sequence, isOutbound: true).suffix(8) == octets(sequence.bits, 8)[...])
    }
  }
}
