// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Two ends that begin with each other, and lose each other.
@Suite struct OverlayPairTests {
  @Test func bothEndsAreEstablishedWithinMilliseconds() throws {
    var pair = try OverlayPair()
    pair.confirmBoth()
    pair.run(until: .milliseconds(100))
    #expect(pair.established.allSatisfy { $0.map { $0 <= .milliseconds(20) } == true })
    #expect(pair.chosen == [.fastdp, .fastdp])
    for end in [0, 1] {
      #expect(Set(pair.acknowledgements(end)) == [[0, 0], [1, 1]])
      #expect(pair.beatCount(end) == 1 && pair.beatCount(end, .fastdp) == 1)
      #expect(pair.ends[end].fastdpLink?.isWorking == true)
      #expect(pair.ends[end].sleeveLink?.isWorking == true)
    }
    #expect(pair.ends[0].sleeveLink?.remote == dialledAddress)
    #expect(pair.ends[1].sleeveLink?.remote == diallerAddress)
  }

  @Test func sleeveAloneIsCalledZero() throws {
    var pair = try OverlayPair(overlays: ["sleeve"])
    pair.confirmBoth()
    pair.run(until: .milliseconds(100))
    #expect(pair.chosen == [.sleeve, .sleeve])
    for end in [0, 1] { #expect(pair.acknowledgements(end) == [[0, 1]]) }
    #expect(pair.ends.allSatisfy { $0.fastdpLink == nil })
  }

  @Test func establishedEndsSendAHeartbeatEveryTenSeconds() throws {
    var pair = try OverlayPair()
    pair.confirmBoth()
    pair.run(until: .seconds(601))
    #expect(pair.failures == [nil, nil])
    for overlay in OverlayKind.allCases {
      #expect([0, 1].map { pair.beatCount($0, overlay) } == [61, 61])
    }
    #expect([0, 1].map { pair.acknowledgements($0).count } == [2, 2])
    #expect(pair.choices.allSatisfy { $0.last?.overlay == .fastdp && $0.count <= 2 })
    #expect(pair.ends.map(\.counts) == [OverlaySwitch.Counts(), OverlaySwitch.Counts()])
  }

  /// The end that was dialled is confirmed when heartbeats have come and gone.
  @Test func lateConfirmationDoesNoHarm() throws {
    var pair = try OverlayPair(overlays: ["sleeve"])
    pair.confirm(0)
    pair.run(until: .milliseconds(1900))
    #expect(pair.established == [nil, nil])
    #expect([0, 1].map { pair.beatCount($0) } == [4, 0])
    pair.confirm(1)
    pair.run(until: .milliseconds(2100))
    #expect(!pair.established.contains(nil))
  }

  @Test(arguments: fixedSeeds)
  func halfOfTheDatagramsMayBeLost(seed: UInt64) throws {
    var pair = try OverlayPair(seed: seed)
    pair.lossPercent = 50
    pair.lateMillisecondsMax = 900
    pair.confirmBoth()
    pair.run(until: .seconds(40))
    #expect(pair.chosen == [.fastdp, .fastdp], "seed \(seed)")
    #expect([0, 1].map { pair.acknowledgements($0).count } == [2, 2], "seed \(seed)")
    #expect(pair.failures == [nil, nil], "seed \(seed)")
  }

  @Test(arguments: [0, 1])
  func pathThatLeadsOneWayOnlyIsNeverEstablished(deafEnd: Int) throws {
    var pair = try OverlayPair()
    pair.deafEnds = [.fastdp: [deafEnd], .sleeve: [deafEnd]]
    pair.confirmBoth()
    pair.run(until: .seconds(59))
    #expect(pair.established == [nil, nil] && pair.failures == [nil, nil])
    pair.run(until: .seconds(61))
    #expect(pair.established == [nil, nil] && pair.failures[deafEnd] != nil)
  }

  @Test func livelyEndsNoticeSilenceWithinTenSeconds() throws {
    var pair = try OverlayPair(isLively: true)
    pair.confirmBoth()
    pair.run(until: .seconds(601))
    #expect(pair.failures == [nil, nil])
    for overlay in OverlayKind.allCases {
      #expect([0, 1].allSatisfy { 300...303 ~= pair.beatCount($0, overlay) })
    }
    pair.lossPercent = 100
    pair.run(until: .seconds(606))
    #expect(pair.failures == [nil, nil])
    pair.run(until: .seconds(611))
    #expect(!pair.failures.contains(nil))
    #expect(pair.ends.allSatisfy { !$0.isEstablished && $0.nextDeadline == nil })
  }

  @Test func livelyEndThatHasNotSaidAnythingHasAMinute() throws {
    var pair = try OverlayPair(isLively: true)
    pair.lossPercent = 100
    pair.confirmBoth()
    pair.run(until: .seconds(59))
    #expect(pair.failures == [nil, nil])
    pair.lossPercent = 0
    pair.run(until: .seconds(70))
    #expect(!pair.established.contains(nil) && pair.failures == [nil, nil])
  }

  @Test func silenceFailsBothEndsAfterAMinute() throws {
    var pair = try OverlayPair()
    pair.confirmBoth()
    pair.run(until: .seconds(25))
    pair.lossPercent = 100
    pair.run(until: .seconds(79))
    #expect(pair.failures == [nil, nil])
    pair.run(until: .seconds(82))
    #expect(!pair.failures.contains(nil))
    #expect(pair.ends.allSatisfy { !$0.isEstablished && $0.nextDeadline == nil })
    let count = pair.probes.map(\.count)
    pair.run(until: .seconds(1000))
    #expect(pair.probes.map(\.count) == count)
  }

  @Test func pathThatNeverWorkedFailsAfterAMinute() throws {
    var pair = try OverlayPair()
    pair.lossPercent = 100
    pair.confirmBoth()
    pair.run(until: .seconds(59))
    #expect(pair.failures == [nil, nil])
    pair.run(until: .seconds(60))
    #expect(
      pair.failures[0]
        == "fastdp has not got through in both directions yet, sleeve has not got through in both"
        + " directions yet: let UDP pass between 10.99.0.1 and 10.99.0.2 in both directions, ports"
        + " 6783 and 6784")
    #expect(pair.failures[1]?.hasSuffix("ports 6783 and 6784") == true)
    #expect([0, 1].map { pair.beatCount($0) } == [120, 0])
  }

  @Test func sealedPathNamesTheOnePortItNeeds() throws {
    var pair = try OverlayPair(key: testKey)
    pair.lossPercent = 100
    pair.confirmBoth()
    pair.run(until: .seconds(60))
    let problem = "fastdp is sealed with AES, which this processor does not have, sleeve"
    #expect(pair.failures[0]?.hasPrefix(problem) == true)
    #expect(pair.failures[0]?.hasSuffix("in both directions, port 6783") == true)
  }

  @Test func translatedAddressMayMove() throws {
    var pair = try OverlayPair()
    let first = try #require(SocketAddress("203.0.113.7:40000"))
    let second = try #require(SocketAddress("203.0.113.7:50000"))
    pair.diallerSeenAt = first
    pair.confirmBoth()
    pair.run(until: .seconds(15))
    #expect(pair.ends[1].sleeveLink?.remote == first)
    pair.diallerSeenAt = second
    pair.run(until: .seconds(300))
    #expect(pair.ends[1].sleeveLink?.remote == second)
    #expect(pair.failures == [nil, nil])
  }
}
