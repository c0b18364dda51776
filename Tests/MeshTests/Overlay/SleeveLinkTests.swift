// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

/// The end that was dialled, confirmed and with nothing heard yet.
private func confirmed() throws -> OverlaySwitch {
  var overlay = try overlaySwitch(isOutbound: false)
  #expect(overlay.confirm(now: moment(.zero)).isEmpty)
  return overlay
}

/// A datagram of the dialler with these records.
private func datagram(_ records: [[UInt8]]) -> [UInt8] { dialler.octets + records.joined() }

private func record(_ frame: [UInt8]) -> [UInt8] {
  sleeveRecord(from: dialler, to: dialled, frame)
}

@Suite struct SleeveLinkTests {
  @Test func nothingIsSentBeforeConfirmation() throws {
    var overlay = try overlaySwitch(isOutbound: true)
    #expect(overlay.nextDeadline == nil)
    #expect(overlay.advance(now: moment(.seconds(100))).isEmpty)
    let early = heartbeat(fromDialler: false)
    #expect(overlay.receive(early, from: dialledAddress, now: moment(.zero)).isEmpty)
    #expect(overlay.counts == OverlaySwitch.Counts())
  }

  @Test func diallerSendsAHeartbeatAtOnceAndEveryHalfSecond() throws {
    var overlay = try overlaySwitch(isOutbound: true)
    let expected = OverlayEffect.datagram(
      heartbeat(fromDialler: true), to: dialledAddress, isFragmentable: false)
    #expect(overlay.confirm(now: moment(.zero)) == [expected])
    #expect(overlay.confirm(now: moment(.zero)).isEmpty)
    for number in 1...5 {
      let due = moment(.milliseconds(500 * number))
      #expect(overlay.nextDeadline == due)
      #expect(overlay.advance(now: due.advanced(by: .nanoseconds(-1))).isEmpty)
      #expect(overlay.advance(now: due) == [expected])
    }
  }

  @Test func firstHeartbeatIsReturnedAndAcknowledgedOnce() throws {
    var overlay = try confirmed()
    let bytes = heartbeat(fromDialler: true)
    let first = overlay.receive(bytes, from: diallerAddress, now: moment(.seconds(1)))
    #expect(
      first == [
        .datagram(heartbeat(fromDialler: false), to: diallerAddress, isFragmentable: false),
        .control([0, 1]),
      ])
    #expect(overlay.receive(bytes, from: diallerAddress, now: moment(.seconds(2))).isEmpty)
    #expect(!overlay.isEstablished)
    #expect(overlay.receiveControl([0, 1], now: moment(.seconds(3))) == [.established])
    #expect(overlay.isEstablished && overlay.nextDeadline == moment(.seconds(13)))
  }

  @Test func heartbeatsOfOthersAreCounted() throws {
    let other = PeerName(bits: 0x0200_0000_000C)
    let foreign: [[UInt8]] = [
      heartbeat(fromDialler: true, testUID ^ 1),
      datagram([sleeveRecord(from: other, to: dialled, heartbeatFrame())]),
      datagram([sleeveRecord(from: dialler, to: other, heartbeatFrame())]),
      datagram([sleeveRecord(from: dialled, to: dialler, heartbeatFrame())]),
      datagram([sleeveRecord(from: other, to: dialled, zeros(60_001))]),
      datagram([sleeveRecord(from: other, to: dialled, zeros(1000))]),
    ]
    var overlay = try confirmed()
    for (index, bytes) in foreign.enumerated() {
      #expect(overlay.receive(bytes, from: diallerAddress, now: moment(.seconds(9))).isEmpty)
      #expect(overlay.counts.foreignSpecials == UInt64(index + 1))
    }
    #expect(overlay.remoteAddress == nil && overlay.nextDeadline == moment(.seconds(60)))
  }

  @Test func datagramsOfOtherSendersAreMalformed() throws {
    var overlay = try confirmed()
    let bytes = PeerName(bits: 77).octets + heartbeat(fromDialler: true).dropFirst(6)
    #expect(overlay.receive(bytes, from: diallerAddress, now: moment(.zero)).isEmpty)
    #expect(overlay.counts.malformed == 1)
  }

  @Test func testsAreAnswered() throws {
    var overlay = try confirmed()
    let fragmentation = datagram([record(zeros(60_001))])
    #expect(
      overlay.receive(fragmentation, from: diallerAddress, now: moment(.zero)) == [
        .control([0, 2])
      ])
    for (length, answer) in [(1452, [5, 0x9E]), (14, [0, 0]), (60_000, [0xEA, 0x52])]
      as [(Int, [UInt8])]
    {
      let bytes = datagram([record(zeros(length))])
      let effects = overlay.receive(bytes, from: diallerAddress, now: moment(.zero))
      #expect(effects == [.control([0, 3] + answer)], "length \(length)")
    }
    let damaged = datagram([record(zeros(60_000) + [1])])
    #expect(overlay.receive(damaged, from: diallerAddress, now: moment(.zero)).isEmpty)
    #expect(overlay.counts.malformed == 1 && overlay.remoteAddress == nil)
  }

  @Test func datagramLeadsToOneAnswerOfAKind() throws {
    var overlay = try confirmed()
    let tests = [[UInt8]](repeating: record(zeros(14)), count: 2000)
    let effects = overlay.receive(datagram(tests), from: diallerAddress, now: moment(.zero))
    #expect(effects == [.control([0, 3, 0, 0])])
  }

  @Test func recordsBeforeAndAfterFramesOfContainersCount() throws {
    var overlay = try confirmed()
    let frame = FrameBuilder().arpRequest()
    let bytes = datagram([record(frame), record(heartbeatFrame()), record(frame), [1, 2, 3]])
    #expect(overlay.receive(bytes, from: diallerAddress, now: moment(.zero)).count == 2)
    #expect(overlay.counts.dataFrames == 2 && overlay.counts.malformed == 1)
    #expect(overlay.remoteAddress == diallerAddress)
  }

  @Test func cutDatagramsAreMalformed() throws {
    let bytes = heartbeat(fromDialler: true)
    for length in 0..<bytes.count where length != 6 {
      var overlay = try confirmed()
      let cut = Array(bytes.prefix(length))
      #expect(overlay.receive(cut, from: diallerAddress, now: moment(.zero)).isEmpty)
      #expect(overlay.counts.malformed == 1, "length \(length)")
    }
  }

  @Test func heartbeatThatIsLateByHoursDoesNotLeadToMany() throws {
    var overlay = try overlaySwitch(isOutbound: true)
    _ = overlay.confirm(now: moment(.zero))
    #expect(overlay.advance(now: moment(.seconds(59))).count == 1)
    #expect(overlay.advance(now: moment(.seconds(59))).isEmpty)
    guard case .failed = overlay.advance(now: moment(.seconds(7200))).first else {
      Issue.record("an hour of silence is no failure")
      return
    }
    #expect(overlay.advance(now: moment(.seconds(7201))).isEmpty)
    let late = heartbeat(fromDialler: false)
    #expect(overlay.receive(late, from: dialledAddress, now: moment(.seconds(7201))).isEmpty)
    #expect(overlay.receiveControl([0, 1], now: moment(.seconds(7201))).isEmpty)
  }
}
