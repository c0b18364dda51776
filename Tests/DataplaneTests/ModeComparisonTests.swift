// SPDX-License-Identifier: Apache-2.0

import Testing
import XDP

@testable import Dataplane

/// Which mode follows from what test frames have shown.
@Suite struct ModeComparisonTests {
  /// Findings of a mode that carried all frames, with a cost in nanoseconds over both lengths.
  private func carried(_ cost: Int) -> ModeFindings {
    var findings = ModeFindings(sentCount: 64, arrivedCount: 64)
    findings.note(nanoseconds: cost / 2, lengthIndex: 0)
    findings.note(nanoseconds: cost - cost / 2, lengthIndex: 1)
    return findings
  }

  private let silent = ModeFindings(sentCount: 32, arrivedCount: 0)
  private let refused = ModeFindings(refusal: "EOPNOTSUPP: Operation not supported")

  @Test func genericHasToWinByMoreThanATenth() {
    for (native, generic, choice) in [
      (2000, 2000, AttachMode.native), (2000, 1900, .native), (2000, 1800, .native),
      (2000, 1799, .generic), (2000, 1, .generic), (2000, 9000, .native),
    ] {
      let comparison = ModeComparison(native: carried(native), generic: carried(generic))
      #expect(comparison.choice == choice, "\(native) and \(generic)")
    }
  }

  @Test func modeThatCarriesNothingIsNotTaken() {
    #expect(ModeComparison(native: carried(2000), generic: silent).choice == .native)
    #expect(ModeComparison(native: carried(2000), generic: refused).choice == .native)
    #expect(ModeComparison(native: silent, generic: carried(9000)).choice == .generic)
    #expect(ModeComparison(native: refused, generic: carried(9000)).choice == .generic)
    #expect(ModeComparison(native: silent, generic: silent).choice == nil)
    #expect(ModeComparison(native: refused, generic: refused).choice == nil)
    #expect(ModeComparison().choice == nil)
  }

  @Test func onlyTheModeThatWasTriedCanBeTaken() {
    #expect(ModeComparison(generic: carried(2000)).choice == .generic)
    #expect(ModeComparison(native: carried(2000)).choice == .native)
    #expect(ModeComparison(native: silent).choice == nil)
  }

  @Test func onlyAComparisonTellsWhichIsCheaper() {
    #expect(ModeComparison(native: carried(2000), generic: carried(1000)).cheaper == .generic)
    #expect(ModeComparison(native: carried(2000), generic: carried(2000)).cheaper == .native)
    #expect(ModeComparison(native: carried(2000)).cheaper == nil)
    #expect(ModeComparison(native: refused, generic: carried(2000)).cheaper == nil)
    #expect(ModeComparison(native: carried(2000), generic: silent).cheaper == nil)
  }

  @Test func fewFramesMayBeLost() {
    for (arrived, carries) in [(64, true), (60, true), (59, false), (32, false), (0, false)] {
      let findings = ModeFindings(sentCount: 64, arrivedCount: arrived)
      #expect(findings.carries == carries, "\(arrived) of 64")
    }
    #expect(!ModeFindings().carries)
    #expect(!ModeFindings(refusal: "no", sentCount: 64, arrivedCount: 64).carries)
  }

  /// A mode whose bursts were all cut short has no cost, and then its cost does not count.
  @Test func costCountsOnlyIfBothHaveOneForEachLength() {
    var half = ModeFindings(sentCount: 64, arrivedCount: 63)
    half.note(nanoseconds: 1, lengthIndex: 0)
    #expect(half.cost == nil)
    #expect(ModeComparison(native: carried(2000), generic: half).choice == .native)
    #expect(ModeComparison(native: half, generic: carried(2)).choice == .native)
  }

  @Test func leastCostOfEachLengthIsKept() {
    var findings = carried(2000)
    findings.note(nanoseconds: 900, lengthIndex: 0)
    findings.note(nanoseconds: 3000, lengthIndex: 1)
    #expect(findings.cost == 1900)
  }

  @Test func reasonTellsWhatWasFoundOfBoth() {
    let both = ModeComparison(native: carried(1812), generic: carried(2290))
    #expect(
      both.reason(for: .native, ground: nil)
        == "native: carried 64 of 64 test frames; 0.91 µs a frame, generic 1.15 µs")
    #expect(
      ModeComparison(native: refused, generic: carried(12_010)).reason(
        for: .generic, ground: nil)
        == "generic: carried 64 of 64 test frames; 6.01 µs a frame; native was refused "
        + "(EOPNOTSUPP: Operation not supported)")
    #expect(
      ModeComparison(native: silent, generic: carried(2000)).reason(
        for: .generic, ground: nil)
        == "generic: carried 64 of 64 test frames; 1.00 µs a frame; native carried 0 of 32")
    #expect(
      ModeComparison(generic: carried(2000)).reason(for: .generic, ground: "asked for")
        == "generic: asked for; carried 64 of 64 test frames; 1.00 µs a frame")
  }

  @Test func failuresOfAllTriedModesAreNamed() {
    #expect(
      ModeComparison(native: refused, generic: silent).failures
        == "native was refused (EOPNOTSUPP: Operation not supported), generic carried 0 of 32")
    #expect(ModeComparison(native: silent).failures == "native carried 0 of 32")
  }
}
