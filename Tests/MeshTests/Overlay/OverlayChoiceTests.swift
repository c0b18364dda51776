// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Which of two overlays carries frames when one of them fails.
@Suite struct OverlayChoiceTests {
  private func working(
    key: Bool = false, isLively: Bool = true, until: Duration = .seconds(20)
  ) throws -> OverlayPair {
    var pair = try OverlayPair(key: key ? testKey : nil, isLively: isLively)
    pair.confirmBoth()
    pair.run(until: until)
    #expect(pair.chosen == [key ? .sleeve : .fastdp, key ? .sleeve : .fastdp])
    return pair
  }

  @Test(arguments: [true, false])
  func sleeveCarriesWhileVXLANIsBlocked(isLively: Bool) throws {
    var pair = try working(isLively: isLively)
    pair.deafEnds[.fastdp] = [0, 1]
    pair.run(until: .seconds(20) + (isLively ? .seconds(10) : .seconds(61)))
    #expect(pair.chosen == [.sleeve, .sleeve])
    // Whoever notices first tells the other one, if that is a Weft peer.
    let silence = "nothing came by fastdp for \(isLively ? 8 : 60) s"
    #expect(pair.ends.contains { $0.reason == silence })
    let others = pair.ends.map(\.reason).filter { $0 != silence }
    #expect(others.allSatisfy { isLively && $0 == "the peer hears nothing by fastdp" })
    #expect(pair.ends.allSatisfy { $0.fastdpLink?.isWorking == false })
    pair.run(until: .seconds(3600))
    #expect(pair.chosen == [.sleeve, .sleeve] && pair.failures == [nil, nil])
    pair.deafEnds = [:]
    pair.run(until: .seconds(3611))
    #expect(pair.chosen == [.fastdp, .fastdp])
    #expect(pair.ends.map(\.reason) == ["fastdp gets through", "fastdp gets through"])
    for choices in pair.choices {
      #expect(choices.suffix(3).map(\.overlay) == [.fastdp, .sleeve, .fastdp])
    }
  }

  /// Who hears nothing says so, as who is heard no more cannot know.
  @Test(arguments: [0, 1])
  func bothLivelyEndsLeaveAnOverlayThatLeadsOneWay(deafEnd: Int) throws {
    var pair = try working()
    pair.deafEnds[.fastdp] = [deafEnd]
    pair.run(until: .seconds(31))
    #expect(pair.chosen == [.sleeve, .sleeve])
    #expect(pair.ends[1 - deafEnd].reason == "the peer hears nothing by fastdp")
    let count = pair.choices.map(\.count)
    pair.run(until: .seconds(1000))
    #expect(pair.choices.map(\.count) == count)
    pair.deafEnds = [:]
    pair.run(until: .seconds(1003))
    #expect(pair.chosen == [.fastdp, .fastdp])
  }

  /// A Weave router can neither be told nor tell.
  @Test func weaveRouterIsToldNothingItDoesNotKnow() throws {
    var pair = try working(isLively: false)
    pair.deafEnds[.fastdp] = [1]
    pair.run(until: .seconds(1000))
    #expect(pair.chosen == [.fastdp, .sleeve])
    #expect(pair.controls.joined().allSatisfy { $0[1] < 4 })
    #expect([0, 1].map { pair.acknowledgements($0).count } == [2, 2])
  }

  @Test func sleeveThatFailsIsNotMissedAndComesBack() throws {
    var pair = try working()
    pair.deafEnds[.sleeve] = [0, 1]
    pair.run(until: .seconds(300))
    #expect(pair.chosen == [.fastdp, .fastdp] && pair.failures == [nil, nil])
    #expect(pair.ends.allSatisfy { $0.sleeveLink?.isWorking == false })
    pair.deafEnds = [:]
    pair.run(until: .seconds(303))
    #expect(pair.ends.allSatisfy { $0.sleeveLink?.isWorking == true })
    #expect(pair.choices.allSatisfy { $0.last?.overlay == .fastdp && $0.count <= 2 })
  }

  @Test func sealedFramesTakeVXLANOnlyWithAES() throws {
    var pair = try working(key: true)
    pair.run(until: .seconds(300))
    #expect(pair.chosen == [.sleeve, .sleeve])
    #expect(pair.ends.allSatisfy { $0.fastdpLink == nil })
    #expect(pair.probes.joined().allSatisfy { $0.overlay == .sleeve })
    #expect(pair.acknowledgements(0) == [[1, 1]])
    #expect(pair.ends[0].reason == "fastdp is sealed with AES, which this processor does not have")
  }

  @Test(arguments: fixedSeeds)
  func someLossChangesNoChoice(seed: UInt64) throws {
    var pair = try OverlayPair(seed: seed, isLively: true)
    pair.lossPercent = 2
    pair.confirmBoth()
    pair.run(until: .seconds(30))
    let count = pair.choices.map(\.count)
    pair.run(until: .seconds(1800))
    #expect(pair.choices.map(\.count) == count, "seed \(seed)")
    #expect(pair.chosen == [.fastdp, .fastdp], "seed \(seed)")
  }

  @Test func pathTooNarrowForVXLANIsLeftToSleeve() throws {
    var pair = try OverlayPair(isLively: true)
    pair.pathMTU = 1400
    pair.confirmBoth()
    pair.run(until: .seconds(120))
    #expect(pair.chosen == [.sleeve, .sleeve] && pair.failures == [nil, nil])
    #expect(
      pair.ends.map(\.attributes) == [
        ["name": "sleeve", "mtu": "1338"],
        ["name": "sleeve", "mtu": "1338"],
      ])
    // After a minute there is no hurry any more.
    #expect(pair.beatCount(0, .fastdp) < 160)
  }
}
