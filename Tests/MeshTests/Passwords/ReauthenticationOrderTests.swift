// SPDX-License-Identifier: Apache-2.0

import Sealing
import Testing

@testable import Mesh

/// Everything that can happen in every order that is possible.
@Suite struct ReauthenticationOrderTests {
  /// Passwords of both ends at the start and after it, the primary one first.
  struct Plan: CustomTestStringConvertible {
    let testDescription: String
    let start: [[UInt8]]
    let steps: [[[UInt8]]]
    /// Whether on some way proofs of both ends are under way at once.
    let hasCrossings: Bool
    /// The password in the end; nil: one that both accept.
    var result: UInt8?
  }

  static let plans = [
    Plan(
      testDescription: "one end changes", start: [[1, 2], [1, 2]], steps: [[[2, 1]], []],
      hasCrossings: false, result: 2),
    Plan(
      testDescription: "both ends change to the same", start: [[1, 2], [1, 2]],
      steps: [[[2, 1]], [[2, 1]]], hasCrossings: true, result: 2),
    Plan(
      testDescription: "both ends change to different ones", start: [[1, 2, 3], [1, 2, 3]],
      steps: [[[2, 1, 3]], [[3, 1, 2]]], hasCrossings: true),
    Plan(
      testDescription: "both ends change their minds", start: [[1, 2, 3], [1, 2, 3]],
      steps: [[[2, 1, 3], [3, 1, 2]], [[3, 1, 2], [2, 1, 3]]], hasCrossings: true),
    Plan(
      testDescription: "both ends return", start: [[1, 2], [1, 2]],
      steps: [[[2, 1], [1, 2]], [[2, 1], [1, 2]]], hasCrossings: true),
    Plan(
      testDescription: "the password is known too late", start: [[1], [1]],
      steps: [[[2, 1]], [[1, 2]]], hasCrossings: false, result: 2),
    Plan(
      testDescription: "each learns the other's too late", start: [[1], [1]],
      steps: [[[2, 1], [2, 1, 3]], [[3, 1], [3, 1, 2]]], hasCrossings: true),
    Plan(
      testDescription: "the password is never known", start: [[1], [1]],
      steps: [[[2, 1], [1]], []], hasCrossings: false, result: 1),
    Plan(
      testDescription: "both do all steps", start: [[1], [1]],
      steps: [[[1, 2], [2, 1]], [[1, 2], [2, 1]]], hasCrossings: true, result: 2),
    Plan(
      testDescription: "the old password is removed", start: [[2, 1], [2, 1]],
      steps: [[[2]], [[2]]], hasCrossings: true, result: 2),
    Plan(
      testDescription: "all is removed but the newest", start: [[2, 1, 3], [2, 1, 3]],
      steps: [[[3, 2], [3]], [[3, 2]]], hasCrossings: true, result: 3),
  ]

  /// What was seen on all ways.
  private struct Exploration {
    let plan: Plan
    var endCount = 0
    var crossings = 0
    var stepCount = 0
    /// Far above what any plan takes, and without it a conversation that never ends would be
    /// followed for ever.
    let stepCountMax = 40_000
    /// How often time may pass while messages are on their way.
    let hurriesMax = 1
    let waitsMax = 4

    mutating func explore(_ pair: ReauthenticationPair, hurries: Int, waits: Int) {
      stepCount += 1
      guard stepCount < stepCountMax else { return }
      let actions = pair.actions
      if actions.isEmpty {
        guard waits < waitsMax, pair.nextDeadline != nil else { return end(pair) }
        var next = pair
        next.take(.wait)
        return explore(next, hurries: hurries, waits: waits + 1)
      }
      if pair.ends.allSatisfy({ end in end.wire.contains { $0.subTag == 0x83 } }) {
        crossings += 1
      }
      for action in actions {
        var next = pair
        let makesSense = next.take(action)
        #expect(makesSense, "\(plan.testDescription)")
        #expect(next.ends.allSatisfy { $0.wire.count <= 3 }, "\(plan.testDescription)")
        explore(next, hurries: hurries, waits: waits)
      }
      let mayFail = pair.ends.contains { $0.machine.failsAt != nil }
      if hurries < hurriesMax, pair.nextDeadline != nil, !mayFail {
        var next = pair
        next.take(.wait)
        explore(next, hurries: hurries + 1, waits: waits)
      }
    }

    private mutating func end(_ pair: ReauthenticationPair) {
      endCount += 1
      pair.expectAgreement("\(plan.testDescription)")
      if let result = plan.result {
        #expect(pair.ends[0].machine.authentication == Password([result]))
      }
    }
  }

  @Test(arguments: plans, [false, true])
  func endsAgreeInEveryOrder(plan: Plan, isSwapped: Bool) throws {
    let order = isSwapped ? [1, 0] : [0, 1]
    let rings = try order.map { try Self.ring(plan.start[$0]) }
    var pair = try ReauthenticationPair(rings, authentication: 1)
    for (end, index) in order.enumerated() {
      pair.ends[end].configurations = try plan.steps[index].map(Self.ring)
    }
    var exploration = Exploration(plan: plan)
    exploration.explore(pair, hurries: 0, waits: 0)
    #expect(exploration.endCount > 0 && exploration.stepCount < exploration.stepCountMax)
    #expect(plan.hasCrossings == (exploration.crossings > 0))
  }

  private static func ring(_ passwords: [UInt8]) throws -> PasswordRing {
    try .made(passwords[0], Array(passwords.dropFirst()))
  }
}
