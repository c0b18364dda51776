// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

@Suite struct OverlayPairTests {
  @Test func bothEndsAreEstablishedWithinMilliseconds() throws {
    var pair = try OverlayPair()
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .milliseconds(100))
    #expect(pair.established.allSatisfy { $0.map { $0 <= .milliseconds(20) } == true })
    #expect(pair.controls == [[[0, 1]], [[0, 1]]])
    #expect(pair.datagramCounts == [1, 1])
    #expect(pair.ends[0].remoteAddress == dialledAddress)
    #expect(pair.ends[1].remoteAddress == diallerAddress)
  }

  @Test func establishedEndsSendAHeartbeatEveryTenSeconds() throws {
    var pair = try OverlayPair()
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(601))
    #expect(pair.failures == [nil, nil])
    #expect(pair.datagramCounts == [61, 61])
    #expect(pair.controls == [[[0, 1]], [[0, 1]]])
    #expect(pair.ends.map(\.counts) == [OverlaySwitch.Counts(), OverlaySwitch.Counts()])
  }

  /// The end that was dialled is confirmed when heartbeats have come and gone.
  @Test func lateConfirmationDoesNoHarm() throws {
    var pair = try OverlayPair()
    pair.confirm(0)
    pair.run(until: .milliseconds(1900))
    #expect(pair.established == [nil, nil] && pair.datagramCounts == [4, 0])
    pair.confirm(1)
    pair.run(until: .milliseconds(2100))
    #expect(!pair.established.contains(nil))
  }

  @Test(arguments: fixedSeeds)
  func halfOfTheDatagramsMayBeLost(seed: UInt64) throws {
    var pair = try OverlayPair(seed: seed)
    pair.lossPercent = 50
    pair.lateMillisecondsMax = 900
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(40))
    #expect(!pair.established.contains(nil), "seed \(seed)")
    #expect(pair.controls == [[[0, 1]], [[0, 1]]], "seed \(seed)")
    #expect(pair.failures == [nil, nil], "seed \(seed)")
  }

  @Test(arguments: [0, 1])
  func pathThatLeadsOneWayOnlyIsNeverEstablished(deafEnd: Int) throws {
    var pair = try OverlayPair()
    pair.deafEnd = deafEnd
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(59))
    #expect(pair.established == [nil, nil] && pair.failures == [nil, nil])
    pair.run(until: .seconds(61))
    #expect(pair.established == [nil, nil] && pair.failures[deafEnd] != nil)
  }

  @Test func livelyEndsNoticeSilenceWithinHalfAMinute() throws {
    var pair = try OverlayPair(isLively: true)
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(601))
    #expect(pair.failures == [nil, nil])
    #expect(pair.datagramCounts.allSatisfy { 200...203 ~= $0 })
    pair.lossPercent = 100
    pair.run(until: .seconds(620))
    #expect(pair.failures == [nil, nil])
    pair.run(until: .seconds(626))
    #expect(!pair.failures.contains(nil))
  }

  @Test func livelyEndThatHasNotSaidAnythingHasAMinute() throws {
    var pair = try OverlayPair(isLively: true)
    pair.lossPercent = 100
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(59))
    #expect(pair.failures == [nil, nil])
    pair.lossPercent = 0
    pair.run(until: .seconds(70))
    #expect(!pair.established.contains(nil) && pair.failures == [nil, nil])
  }

  @Test func silenceFailsBothEndsAfterAMinute() throws {
    var pair = try OverlayPair()
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(25))
    pair.lossPercent = 100
    pair.run(until: .seconds(79))
    #expect(pair.failures == [nil, nil])
    pair.run(until: .seconds(82))
    #expect(!pair.failures.contains(nil))
    #expect(pair.ends.allSatisfy { !$0.isEstablished && $0.nextDeadline == nil })
    let count = pair.datagramCounts
    pair.run(until: .seconds(1000))
    #expect(pair.datagramCounts == count)
  }

  @Test func pathThatNeverWorkedFailsAfterAMinute() throws {
    var pair = try OverlayPair()
    pair.lossPercent = 100
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(59))
    #expect(pair.failures == [nil, nil])
    pair.run(until: .seconds(60))
    #expect(
      pair.failures == [
        "sleeve heard nothing from 10.99.0.1 for 60 s: let UDP pass between it and 10.99.0.2 in "
          + "both directions, port 6783",
        "sleeve heard nothing from 10.99.0.2 for 60 s: let UDP pass between it and 10.99.0.1 in "
          + "both directions, port 6783",
      ])
    #expect(pair.datagramCounts == [120, 0])
  }

  @Test func translatedAddressMayMove() throws {
    var pair = try OverlayPair()
    let first = try #require(SocketAddress("203.0.113.7:40000"))
    let second = try #require(SocketAddress("203.0.113.7:50000"))
    pair.diallerSeenAt = first
    pair.confirm(0)
    pair.confirm(1)
    pair.run(until: .seconds(15))
    #expect(pair.ends[1].remoteAddress == first)
    pair.diallerSeenAt = second
    pair.run(until: .seconds(300))
    #expect(pair.ends[1].remoteAddress == second)
    #expect(pair.failures == [nil, nil])
    #expect(pair.controls == [[[0, 1]], [[0, 1]]])
  }
}
