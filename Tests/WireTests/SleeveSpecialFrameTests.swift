// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Wire

private func parse(_ bytes: [UInt8]) -> SleeveSpecialFrame? { SleeveSpecialFrame(bytes.span) }

private func isSpecial(_ bytes: [UInt8]) -> Bool { SleeveSpecialFrame.isSpecial(bytes.span) }

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

private let golden = zeros(14) + hexadecimal("1122 3344 5566 7788")

@Suite struct SleeveSpecialFrameTests {
  @Test func goldenHeartbeatIsDecodedAndEncodedBack() {
    #expect(parse(golden) == .heartbeat(connectionUID: 0x1122_3344_5566_7788))
    var bytes = [UInt8](repeating: 0xEE, count: 24)
    var span = bytes.mutableSpan
    SleeveSpecialFrame.encodeHeartbeat(
      connectionUID: 0x1122_3344_5566_7788, into: &span, at: 1)
    #expect(bytes == [0xEE] + golden + [0xEE])
  }

  @Test func lengthTellsWhichItIs() {
    for length in 0...65_535 {
      let expected: SleeveSpecialFrame? =
        switch length {
        case ..<14: nil
        case 22: .heartbeat(connectionUID: 0)
        case 60_001: .fragmentationTest
        default: .mtuTest(mtu: UInt16(length - 14))
        }
      // Tens of thousands of long arrays take too long in a build for debugging.
      guard length < 100 || length > 65_500 || 59_990...60_010 ~= length else { continue }
      #expect(parse(zeros(length)) == expected, "length \(length)")
    }
  }

  @Test func fragmentationTestMustBeZeroToTheEnd() {
    for index in [14, 15, 30_000, 60_000] {
      var frame = zeros(60_001)
      frame[index] = 1
      #expect(parse(frame) == .damagedFragmentationTest, "byte \(index)")
    }
  }

  /// A Weave router looks at nothing but the header either.
  @Test func mtuTestMayHaveAnythingBehindItsHeader() {
    #expect(parse(zeros(14) + [1, 2, 3]) == .mtuTest(mtu: 3))
  }

  @Test func everyBitOfTheHeaderMakesItAContainersFrame() {
    for bit in 0..<(14 * 8) {
      var frame = golden
      frame[bit / 8] ^= 1 << (bit % 8)
      #expect(parse(frame) == nil, "bit \(bit)")
      #expect(!isSpecial(frame), "bit \(bit)")
    }
    #expect(isSpecial(golden))
    #expect(parse(FrameBuilder().arpRequest()) == nil)
  }

  @Test(arguments: [1])
  func randomBytesNeverTrap(seed: UInt64) {
    hammer(seed: seed, golden: golden) { bytes in
      let isSpecial = bytes.count >= 14 && bytes.prefix(14).allSatisfy { $0 == 0 }
      if (parse(bytes) != nil) != isSpecial { Issue.record("seed \(seed), \(bytes)") }
    }
  }
}
