// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Forwarding

/// Drop reasons, counters and the account made of them.
struct CounterTests {
  @Test func everyDropReasonHasItsOwnSentenceAndIdentifier() {
    let reasons = DropReason.allCases
    #expect(Set(reasons.map(\.sentence)).count == reasons.count)
    #expect(Set(reasons.map(\.identifier)).count == reasons.count)
    #expect(reasons.allSatisfy { !$0.sentence.isEmpty && !$0.identifier.isEmpty })
    #expect(DropReason.portGone.identifier == "portGone")
  }

  @Test func rawValuesCountFromZero() {
    #expect(DropReason.allCases.map { Int($0.rawValue) } == Array(DropReason.allCases.indices))
    #expect(WorkerCounter.allCases.map(\.rawValue) == Array(WorkerCounter.allCases.indices))
    #expect(PortCounter.allCases.map(\.rawValue) == Array(PortCounter.allCases.indices))
  }

  @Test func dropCountersFollowTheWorkersOwn() {
    #expect(WorkerCounter.dropBase == WorkerCounter.allCases.count)
    let indices = DropReason.allCases.map { WorkerCounter.index(of: $0) }
    #expect(indices == Array(WorkerCounter.allCases.count..<WorkerCounter.blockCount))
  }

  @Test func accountBalancesExactlyWhenEveryFrameHasAnEnd() {
    var values = [UInt64](repeating: 0, count: WorkerCounter.blockCount)
    values[WorkerCounter.received.rawValue] = 10
    values[WorkerCounter.copied.rawValue] = 3
    values[WorkerCounter.sent.rawValue] = 11
    values[WorkerCounter.breaths.rawValue] = 1000
    values[WorkerCounter.index(of: .samePort)] = 1
    #expect(!FrameAccount(values: values).isBalanced)
    values[WorkerCounter.index(of: .noFrameForCopy)] = 1
    let account = FrameAccount(values: values)
    #expect(account.isBalanced)
    #expect(account.dropped(.samePort) == 1)
    #expect(account.dropped(.portGone) == 0)
    let sum = account + account
    #expect(sum.isBalanced)
    #expect(sum.sources == 26)
    #expect(sum.dropped(.noFrameForCopy) == 2)
  }
}
