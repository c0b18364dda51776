// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Mesh

/// Which of these numbers are taken, in this order.
private func taken(_ numbers: [UInt64]) -> [UInt64] {
  var window = ReplayWindow()
  return numbers.filter { window.insert($0) }
}

@Suite struct ReplayWindowTests {
  @Test func everyNumberIsTakenOnce() {
    let numbers = Array(0..<UInt64(1000))
    #expect(taken(numbers + numbers) == numbers)
    #expect(taken(numbers.reversed() + numbers) == numbers.reversed())
  }

  @Test func lateNumbersAreTakenWithinTheWindow() {
    let highest = 5 * ReplayWindow.length + 17
    let oldest = highest - ReplayWindow.length + 1
    #expect(
      taken([highest, oldest - 1, oldest, oldest, highest - 1, highest])
        == [highest, oldest, highest - 1])
  }

  @Test func highestNumbersAreTaken() {
    let last: UInt64 = (1 << 63) - 1
    #expect(taken([last, last, last - 1, 0]) == [last, last - 1])
  }

  @Test(arguments: fixedSeeds)
  func windowAgreesWithASetOfAllNumbers(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var window = ReplayWindow()
    var seen: Set<UInt64> = []
    var highest: UInt64 = 0
    for _ in 0..<5000 {
      let step = UInt64(
        generator.number(below: [3, 100, 20_000, 70_000][generator.number(below: 4)]))
      let number = generator.number(below: 2) == 0 ? highest + step : highest - min(highest, step)
      let isOld = number + ReplayWindow.length <= highest
      let expected = !isOld && !seen.contains(number)
      if window.insert(number) != expected { Issue.record("\(number), \(generator)") }
      if !isOld { seen.insert(number) }
      highest = max(highest, number)
    }
  }
}
