// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import pktbench

@Suite("Measures")
struct MeasureTests {
  @Test("a ratio keeps its pairs")
  func aRatioKeepsItsPairs() {
    let ratio = Measure.Ratio(median: 2, min: 1, max: 3, pairs: 5)
    #expect(ratio.pairs == 5)
  }
}
