// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// How long sleeve's datagrams may be.
@Suite struct PathSearchTests {
  private static func pathMTUs(_ count: Int, seed: UInt64) -> [Int] {
    var random = SeededGenerator(seed: seed)
    return [576, 577, 613, 614, 615, 637, 638, 639, 1280, 1499, 8999, 9000]
      + (0..<count).map { _ in 576 + random.number(below: 9000 - 576 + 1) }
  }

  private func pair(underlayMTU: Int, isSealed: Bool) throws -> OverlayPair {
    try OverlayPair(key: isSealed ? testKey : nil, overlays: ["sleeve"]) {
      $0.underlayMTU = underlayMTU
    }
  }

  @Test(arguments: [false, true], [false, true])
  func searchFindsExactlyWhatThePathCarries(isSealed: Bool, hasRouters: Bool) throws {
    for pathMTU in Self.pathMTUs(30, seed: 7) {
      var pair = try pair(underlayMTU: 9000, isSealed: isSealed)
      pair.pathMTU = pathMTU
      pair.hasRouters = hasRouters
      pair.confirmBoth()
      pair.run(until: .seconds(120))
      let mtu = pathMTU - (isSealed ? 86 : 62)
      for end in pair.ends {
        let link = try #require(end.sleeveLink)
        #expect(end.attributes["mtu"] == String(mtu), "path of \(pathMTU), seed 7")
        #expect(link.frameLengthMax == mtu + 14 && link.datagramLengthMax == pathMTU - 28)
      }
      let tests = pair.probes[0].count { $0.connectionUID == nil && !$0.isFragmentable }
      #expect(tests <= (hasRouters ? 20 : 180), "path of \(pathMTU), seed 7")
    }
  }

  @Test func pathThatCarriesEverythingIsTestedOnce() throws {
    for underlayMTU in [300, 500, 576, 1500, 9000, 60_049, 60_050, 65_535, 65_536] {
      var pair = try pair(underlayMTU: underlayMTU, isSealed: false)
      pair.pathMTU = 65_535
      pair.confirmBoth()
      pair.run(until: .seconds(5))
      // A frame as long as a test of fragmentation would be taken for one.
      let expected = min(underlayMTU, 65_535) - 62 - (underlayMTU == 60_049 ? 1 : 0)
      #expect(pair.ends[0].attributes["mtu"] == String(expected), "underlay of \(underlayMTU)")
      let tests = pair.probes[0].filter { $0.connectionUID == nil && !$0.isFragmentable }
      #expect(tests.count == 1 && tests[0].frameLength == expected + 14)
      #expect(pair.controls[0].filter { $0[1] == 3 }.count == 1)
    }
  }

  @Test(arguments: [20, 50])
  func lostTestsAreRepeated(lossPercent: Int) throws {
    for seed in fixedSeeds {
      var pair = try OverlayPair(seed: seed, overlays: ["sleeve"])
      pair.pathMTU = 1400
      pair.confirmBoth()
      pair.lossPercent = lossPercent / 5
      pair.run(until: .seconds(60))
      #expect(pair.ends.map { $0.attributes["mtu"] } == ["1338", "1338"], "seed \(seed)")
    }
  }

  @Test func pathWithoutAnyAnswerKeepsTheLeast() throws {
    var overlay = try overlaySwitch(isOutbound: true, remoteOverlays: ["sleeve"])
    _ = overlay.confirm(now: moment(.zero))
    _ = overlay.receive(heartbeat(fromDialler: false), now: moment(.zero))
    _ = overlay.receiveControl([0, 1], now: moment(.zero))
    #expect(overlay.attributes["mtu"] == "1438")
    var now = Duration.zero
    var probeCount = 0
    while now < .seconds(200) {
      now += .milliseconds(10)
      if now / .seconds(1) == (now / .seconds(1)).rounded() {
        _ = overlay.receive(heartbeat(fromDialler: false), now: moment(now))
      }
      for case .probe(let probe) in overlay.advance(now: moment(now)) where probe.frameLength > 22 {
        probeCount += 1
      }
      // The length that did not arrive is not used while shorter ones are tried.
      if now > .seconds(3) { #expect(overlay.attributes["mtu"] != "1438") }
    }
    #expect(overlay.attributes["mtu"] == "552")
    #expect(probeCount < 160)
  }

  @Test func pathThatHasBecomeWiderOrNarrowerIsFoundWithinTenMinutes() throws {
    var pair = try pair(underlayMTU: 1500, isSealed: false)
    pair.pathMTU = 1300
    pair.confirmBoth()
    pair.run(until: .seconds(60))
    for (round, pathMTU) in [1450, 1450, 1500, 1201, 1500].enumerated() {
      pair.pathMTU = pathMTU
      pair.run(until: .seconds(60 + 660 * (round + 1)))
      let expected = String(pathMTU - 62)
      #expect(pair.ends.map { $0.attributes["mtu"] } == [expected, expected])
    }
    #expect(pair.failures == [nil, nil])
  }

  @Test func routerIsBelievedAsSoonAsATestIsNotAnswered() throws {
    var pair = try pair(underlayMTU: 1500, isSealed: true)
    pair.confirmBoth()
    pair.run(until: .seconds(1))
    pair.pathMTU = 1420
    pair.hasRouters = true
    pair.at(0) { $0.tooLong(pathMTU: 1420, now: $1) }
    #expect(pair.ends[0].sleeveLink?.datagramLengthMax == 1472)
    pair.run(until: .milliseconds(1311))
    #expect(pair.ends[0].sleeveLink?.datagramLengthMax == 1392)
    pair.run(until: .seconds(10))
    #expect(pair.ends.map { $0.sleeveLink?.datagramLengthMax } == [1392, 1472])
  }

  @Test func whoeverClaimsToBeARouterChangesNothing() throws {
    var pair = try pair(underlayMTU: 1500, isSealed: false)
    pair.confirmBoth()
    pair.run(until: .seconds(1))
    let before = pair.probes[0].count
    for number in 0..<400 {
      pair.at(0) { $0.tooLong(pathMTU: 576 + number * 2, now: $1) }
      #expect(pair.ends[0].sleeveLink?.datagramLengthMax == 1472)
      pair.run(until: pair.now + .milliseconds(50))
      #expect(pair.ends[0].sleeveLink?.datagramLengthMax == 1472)
    }
    // There is one test of each claim that is heard at all.
    let tests = pair.probes[0].dropFirst(before).filter { $0.connectionUID == nil }
    #expect(200...220 ~= tests.count && tests.allSatisfy { $0.frameLength == 1452 })
  }

  @Test func underlayThatChangesIsFollowed() throws {
    var pair = try pair(underlayMTU: 1500, isSealed: false)
    pair.pathMTU = 9000
    pair.confirmBoth()
    pair.run(until: .seconds(1))
    pair.at(0) { $0.underlayChanged(9000, now: $1) }
    // What is longer than before has to be tested first.
    #expect(pair.ends[0].attributes["mtu"] == "1438")
    pair.run(until: .seconds(2))
    #expect(pair.ends[0].attributes["mtu"] == "8938")
    pair.at(0) { $0.underlayChanged(1280, now: $1) }
    #expect(pair.ends[0].attributes["mtu"] == "1218")
    pair.run(until: .seconds(3))
    #expect(pair.ends[0].attributes["mtu"] == "1218")
  }

  /// Nothing tells that the path became narrower, and heartbeats still get through.
  @Test(arguments: [false, true], [9000, 1300])
  func pathThatBecomesNarrowerInSilenceIsFoundSoon(isLively: Bool, before: Int) throws {
    var pair = try OverlayPair(key: testKey, isLively: isLively, overlays: ["sleeve"]) {
      $0.underlayMTU = 9000
    }
    pair.pathMTU = before
    pair.confirmBoth()
    pair.run(until: .seconds(100))
    try #require(pair.ends.map { $0.attributes["mtu"] }.allSatisfy { $0 == String(before - 86) })
    pair.pathMTU = 1200
    pair.run(until: .seconds(100 + 15 + 7 + 3))
    // What does not arrive is not used any more, whether the search is over or not.
    for end in pair.ends { #expect(try #require(end.sleeveLink).datagramLengthMax <= 1172) }
    pair.run(until: .seconds(160))
    #expect(pair.ends.map { $0.attributes["mtu"] } == ["1114", "1114"])
    #expect(pair.failures == [nil, nil])
  }

  @Test func pathAtRestIsCheckedFourTimesAMinute() throws {
    var pair = try pair(underlayMTU: 1500, isSealed: false)
    pair.confirmBoth()
    pair.run(until: .seconds(10))
    let before = pair.probes[0].count
    pair.run(until: .seconds(10 + 240))
    let checks = pair.probes[0].dropFirst(before).filter { $0.connectionUID == nil }
    #expect(checks.count == 16 && checks.allSatisfy { $0.frameLength == 1452 })
    #expect(pair.ends.map { $0.attributes["mtu"] } == ["1438", "1438"])
  }

  @Test func checksThatAreLostNowAndThenChangeNothing() throws {
    for seed in fixedSeeds {
      var pair = try OverlayPair(seed: seed, overlays: ["sleeve"])
      pair.pathMTU = 1400
      pair.confirmBoth()
      pair.run(until: .seconds(60))
      pair.lossPercent = 10
      while pair.now < .seconds(560) {
        pair.run(until: pair.now + .milliseconds(500))
        #expect(pair.ends.map { $0.attributes["mtu"] } == ["1338", "1338"], "seed \(seed)")
      }
    }
  }

  @Test func routerThatAnswersACheckIsBelieved() throws {
    var pair = try pair(underlayMTU: 1500, isSealed: false)
    pair.hasRouters = true
    pair.confirmBoth()
    pair.run(until: .seconds(60))
    pair.pathMTU = 1300
    pair.run(until: .seconds(60 + 16))
    #expect(pair.ends.map { $0.attributes["mtu"] } == ["1238", "1238"])
  }

  @Test func fragmentsAreTestedEveryFiveMinutes() throws {
    var pair = try pair(underlayMTU: 1500, isSealed: true)
    pair.carriesFragments = false
    pair.confirmBoth()
    pair.run(until: .seconds(299))
    #expect(pair.ends.allSatisfy { $0.sleeveLink?.mayFragment == false })
    pair.carriesFragments = true
    pair.run(until: .seconds(301))
    #expect(pair.ends.allSatisfy { $0.sleeveLink?.mayFragment == true })
    pair.carriesFragments = false
    pair.run(until: .seconds(614))
    #expect(pair.ends.allSatisfy { $0.sleeveLink?.mayFragment == true })
    pair.run(until: .seconds(616))
    #expect(pair.ends.allSatisfy { $0.sleeveLink?.mayFragment == false })
    let tests = pair.probes[0].filter(\.isFragmentable)
    #expect(tests.count == 9 && tests.allSatisfy { $0.frameLength == 60_001 })
  }

  @Test func testOfFragmentsThatIsLostIsRepeated() throws {
    var pair = try pair(underlayMTU: 1500, isSealed: false)
    pair.confirmBoth()
    pair.run(until: .seconds(200))
    #expect(pair.probes[0].count(where: \.isFragmentable) == 1)
    pair.carriesFragments = false
    // Tests are at 300, 301 and 303 seconds; that of 307 arrives.
    for second in 300...306 {
      pair.run(until: .seconds(second))
      #expect(pair.ends.allSatisfy { $0.sleeveLink?.mayFragment == true })
    }
    pair.carriesFragments = true
    pair.run(until: .seconds(590))
    #expect(pair.ends.allSatisfy { $0.sleeveLink?.mayFragment == true })
    #expect(pair.probes[0].count(where: \.isFragmentable) == 5)
    pair.run(until: .seconds(620))
    #expect(pair.probes[0].count(where: \.isFragmentable) == 6)
  }
}
