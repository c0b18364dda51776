// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// An end that both ends' lists allow sleeve only, confirmed and with nothing heard yet.
private func confirmed(isOutbound: Bool = false) throws -> OverlaySwitch {
  var overlay = try overlaySwitch(isOutbound: isOutbound, remoteOverlays: ["sleeve"])
  let count = overlay.confirm(now: moment(.zero)).count
  #expect(count == (isOutbound ? 1 : 0))
  return overlay
}

/// What the dialler sends.
private func test(_ content: OverlaySpecial.Content, length: Int) -> OverlaySpecial {
  special(.sleeve, fromDialler: true, content, length: length)
}

@Suite struct SleeveLinkTests {
  @Test func nothingIsSentBeforeConfirmation() throws {
    var overlay = try overlaySwitch(isOutbound: true, remoteOverlays: ["sleeve"])
    #expect(overlay.nextDeadline == nil)
    #expect(overlay.advance(now: moment(.seconds(100))).isEmpty)
    let early = heartbeat(fromDialler: false)
    #expect(overlay.receive(early, now: moment(.zero)).isEmpty)
    #expect(overlay.counts == OverlaySwitch.Counts())
  }

  @Test func diallerSendsAHeartbeatAtOnceAndEveryHalfSecond() throws {
    var overlay = try overlaySwitch(isOutbound: true, remoteOverlays: ["sleeve"])
    let expected = heartbeatProbe(fromDialler: true)
    #expect(overlay.confirm(now: moment(.zero)) == [expected])
    for number in 1...5 {
      let due = moment(.milliseconds(500 * number))
      #expect(overlay.nextDeadline == due)
      #expect(overlay.advance(now: due.advanced(by: .nanoseconds(-1))).isEmpty)
      #expect(overlay.advance(now: due) == [expected])
    }
  }

  @Test func firstHeartbeatIsReturnedAndAcknowledgedOnce() throws {
    var overlay = try confirmed()
    #expect(overlay.sleeveLink?.remote == nil)
    let beat = heartbeat(fromDialler: true)
    let first = overlay.receive(beat, now: moment(.seconds(1)))
    #expect(first == [heartbeatProbe(fromDialler: false), .control([0, 1])])
    #expect(overlay.sleeveLink?.remote == diallerAddress)
    #expect(overlay.receive(beat, now: moment(.seconds(2))).isEmpty)
    #expect(!overlay.isEstablished)
  }

  @Test func establishedEndTestsThePath() throws {
    var overlay = try confirmed()
    _ = overlay.receive(heartbeat(fromDialler: true), now: moment(.seconds(1)))
    let effects = overlay.receiveControl([0, 1], now: moment(.seconds(3)))
    let probes = [(60_001, true), (1452, false)].map { length, isFragmentable in
      OverlayEffect.probe(
        OverlayProbe(
          overlay: .sleeve, peer: dialler, frameLength: length, isFragmentable: isFragmentable))
    }
    #expect(
      effects == probes + [.chosen(.sleeve, from: nil, reason: "sleeve gets through")])
    #expect(overlay.sleeveLink?.mayFragment == false)
    #expect(overlay.receiveControl([0, 2], now: moment(.seconds(3))).isEmpty)
    #expect(overlay.sleeveLink?.mayFragment == true)
    #expect(overlay.receiveControl([0, 3, 5, 0x9E], now: moment(.seconds(3))).isEmpty)
    #expect(overlay.nextDeadline == moment(.seconds(13)))
    let link = try #require(overlay.sleeveLink)
    #expect(link.frameLengthMax == 1452 && link.datagramLengthMax == 1472)
  }

  @Test func answerToNoTestProvesNothing() throws {
    var overlay = try confirmed()
    #expect(overlay.receiveControl([0, 2], now: moment(.zero)).isEmpty)
    #expect(overlay.receiveControl([0, 3, 5, 0x9E], now: moment(.zero)).isEmpty)
    #expect(overlay.sleeveLink?.mayFragment == false)
    #expect(overlay.counts == OverlaySwitch.Counts())
  }

  @Test func heartbeatsOfOthersAreCounted() throws {
    var overlay = try confirmed()
    let foreign = heartbeat(fromDialler: true, testUID ^ 1)
    #expect(overlay.receive(foreign, now: moment(.seconds(9))).isEmpty)
    #expect(overlay.counts.foreignSpecials == 1)
    #expect(overlay.sleeveLink?.remote == nil && overlay.nextDeadline == moment(.seconds(60)))
  }

  @Test func testsAreAnswered() throws {
    var overlay = try confirmed()
    let fragmentation = test(.fragmentationTest, length: 60_001)
    #expect(overlay.receive(fragmentation, now: moment(.zero)) == [.control([0, 2])])
    for (length, answer): (Int, [UInt8]) in [
      (1452, [5, 0x9E]), (14, [0, 0]), (60_000, [0xEA, 0x52]), (99_999, [0xFF, 0xFF]), (0, [0, 0]),
    ] {
      let effects = overlay.receive(test(.lengthTest, length: length), now: moment(.zero))
      #expect(effects == [.control([0, 3] + answer)], "length \(length)")
    }
    let damaged = test(.damagedFragmentationTest, length: 60_001)
    #expect(overlay.receive(damaged, now: moment(.zero)).isEmpty)
    #expect(overlay.counts.malformed == 1 && overlay.sleeveLink?.remote == nil)
  }

  @Test func floodOfTestsLeadsToFiftyAnswersASecond() throws {
    var overlay = try confirmed()
    var count = 0
    for number in 0..<10_000 {
      let now = moment(.microseconds(500 * number))
      count += overlay.receive(test(.lengthTest, length: 14), now: now).count
    }
    #expect(290...300 ~= count)
    #expect(overlay.counts.unansweredTests == UInt64(10_000 - count))
  }

  @Test func changedAddressIsFollowedOnceASecond() throws {
    var overlay = try confirmed()
    for port: UInt16 in 1000..<1011 {
      let source = SocketAddress(diallerAddress.address, port: port)
      _ = overlay.receive(heartbeat(fromDialler: true, source: source), now: moment(.seconds(1)))
    }
    #expect(overlay.sleeveLink?.remote?.port == 1001)
    #expect(overlay.counts.unfollowedAddresses == 9)
  }

  @Test func hoursOfSilenceLeadToOneFailure() throws {
    var overlay = try confirmed(isOutbound: true)
    #expect(overlay.advance(now: moment(.seconds(59))).count == 1)
    #expect(overlay.advance(now: moment(.seconds(59))).isEmpty)
    guard case .failed = overlay.advance(now: moment(.seconds(7200))).last else {
      Issue.record("an hour of silence is no failure")
      return
    }
    #expect(overlay.advance(now: moment(.seconds(7201))).isEmpty)
    let late = heartbeat(fromDialler: false)
    #expect(overlay.receive(late, now: moment(.seconds(7201))).isEmpty)
    #expect(overlay.receiveControl([0, 1], now: moment(.seconds(7201))).isEmpty)
    #expect(overlay.nextDeadline == nil)
  }
}
