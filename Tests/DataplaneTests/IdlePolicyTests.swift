// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Dataplane

/// When a worker spins, pauses and sleeps.
struct IdlePolicyTests {
  @Test(arguments: IdleMode.allCases)
  func workIsFollowedByTheNextBreathAtOnce(mode: IdleMode) {
    var policy = IdlePolicy(mode: mode)
    for drawn in [1, 64, 1000] { #expect(policy.step(after: drawn) == .again) }
  }

  @Test(arguments: IdleMode.allCases)
  func pausesGrowUpToTheirLimit(mode: IdleMode) {
    var policy = IdlePolicy(mode: mode)
    for empty in 1...IdlePolicy.emptyBreathsMax {
      #expect(policy.step(after: 0) == .pause(min(empty, IdlePolicy.pausesMax)))
    }
  }

  @Test func adaptiveWorkerSleepsAfterItsEmptyBreathsAndThenStartsOver() {
    var policy = IdlePolicy(mode: .adaptive)
    for _ in 0..<3 {
      for _ in 0..<IdlePolicy.emptyBreathsMax { #expect(policy.step(after: 0) != .sleep) }
      #expect(policy.step(after: 0) == .sleep)
    }
    #expect(policy.step(after: 0) == .pause(1))
  }

  @Test func spinningWorkerNeverSleeps() {
    var policy = IdlePolicy(mode: .spin)
    for _ in 0..<(10 * IdlePolicy.emptyBreathsMax) { #expect(policy.step(after: 0) != .sleep) }
  }

  @Test func oneFrameStartsTheCountOver() {
    var policy = IdlePolicy(mode: .adaptive)
    for _ in 0..<IdlePolicy.emptyBreathsMax { _ = policy.step(after: 0) }
    #expect(policy.step(after: 1) == .again)
    #expect(policy.step(after: 0) == .pause(1))
  }
}
