// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

@Suite struct SleeveSessionsTests {
  private let ends: SleeveEnds

  init() throws { ends = try SleeveEnds() }

  // MARK: Numbers

  @Test func bothKindsAreNumberedByThemselves() throws {
    for expected in UInt64(0)..<40 {
      #expect(try number(of: #require(ends.seal([1]))) == expected | unfragmentable)
      let fragmentable = try #require(ends.seal([1], isFragmentable: true))
      #expect(number(of: fragmentable) == expected)
      #expect(ends.open(fragmentable).0 == .opened)
    }
  }

  @Test func nothingIsSealedWhenTheNumbersAreUsedUp() throws {
    let last = SharedReplayWindow.numberLimit - 1
    let ends = try SleeveEnds(firstNumbers: .init(unfragmentable: last, fragmentable: last - 1))
    let datagram = try #require(ends.seal([1, 2]))
    #expect(number(of: datagram) == last | unfragmentable && ends.open(datagram).0 == .opened)
    #expect(ends.seal([1, 2]) == nil && ends.seal([1, 2]) == nil)
    #expect(ends.seal([1, 2], isFragmentable: true) != nil)
    #expect(ends.seal([1, 2], isFragmentable: true) != nil)
    #expect(ends.seal([1, 2], isFragmentable: true) == nil)
    var bytes = [UInt8](repeating: 7, count: 40)
    var span = bytes.mutableSpan
    #expect(!ends.sessions.seal(&span, isFragmentable: false, session: ends.dialler))
    #expect(bytes == [UInt8](repeating: 7, count: 40))
  }

  @Test(arguments: [SharedReplayWindow.numberLimit, 1 << 62, UInt64.max >> 1])
  func authenticNumbersBeyondTheLimitAreRefused(number: UInt64) throws {
    for bits in [number, number | unfragmentable] {
      let datagram = try referenceDatagram([1, 2, 3], number: bits, isFromDialler: true)
      let (opening, after) = ends.open(datagram)
      #expect(opening == .replayed && after == datagram)
    }
    #expect(try ends.open(#require(ends.seal([1]))).0 == .opened)
  }

  @Test func numbersMayJumpAheadByAnyDistance() throws {
    for number in [5, 20_000, 1 << 32, 1 << 61, SharedReplayWindow.numberLimit - 1] as [UInt64] {
      let datagram = try referenceDatagram([1], number: number, isFromDialler: true)
      #expect(ends.open(datagram).0 == .opened && ends.open(datagram).0 == .replayed)
    }
  }

  // MARK: What is not authentic

  @Test func changedBitsAreFoundEverywhereButInTheName() throws {
    let datagram = try #require(ends.seal(Array(0..<100)))
    for bit in 48..<datagram.count * 8 {
      var changed = datagram
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      let (opening, after) = ends.open(changed)
      #expect(opening == .notAuthentic && after == changed, "bit \(bit)")
    }
    // None of these has moved the window.
    #expect(ends.open(datagram).0 == .opened)
  }

  @Test(arguments: [0, 1, 40, 223, 224, 225, 480, 481, 1400])
  func shortenedDatagramsAreRefusedAtEveryLength(length: Int) throws {
    let datagram = try #require(ends.seal([UInt8](repeating: 5, count: length)))
    for count in 0..<datagram.count {
      #expect(ends.open(Array(datagram[..<count])).0 == .notAuthentic, "\(count) bytes")
    }
    #expect(ends.open(datagram + [0]).0 == .notAuthentic)
    #expect(ends.open(datagram).0 == .opened)
  }

  @Test func anotherKeyAndTheOtherDirectionDoNotOpen() throws {
    let datagram = try #require(ends.seal([1, 2, 3]))
    #expect(ends.sessions.open(datagram, session: ends.dialler).0 == .notAuthentic)
    let others = try SleeveEnds(sessions: ends.sessions, key: [1] + SleeveEnds.keyBytes.dropFirst())
    #expect(ends.sessions.open(datagram, session: others.dialled).0 == .notAuthentic)
    #expect(ends.open(datagram).0 == .opened)
  }

  @Test func tooShortDatagramsAreNotSealed() {
    for count in 0..<offset {
      var bytes = [UInt8](repeating: 1, count: count)
      var span = bytes.mutableSpan
      #expect(!ends.sessions.seal(&span, isFragmentable: false, session: ends.dialler))
    }
    #expect(ends.seal([]).map { ends.open($0).0 } == .opened)
  }

  // MARK: Life

  @Test(arguments: [2, 2047, 2048, 65_535] as [UInt16])
  func sessionsThatAreNoneSealAndOpenNothing(session: UInt16) throws {
    let datagram = try #require(ends.seal([1]))
    #expect(ends.sessions.seal([1], isFragmentable: false, session: session) == nil)
    #expect(ends.sessions.open(datagram, session: session).0 == .notAuthentic)
    ends.sessions.end(session)
    #expect(ends.open(datagram).0 == .opened)
  }

  @Test func tableHasRoomForItsCapacityAndSlotsAreUsedAgain() throws {
    let sessions = SleeveSessions()
    let key = try #require(SessionKey(bytes: SleeveEnds.keyBytes))
    let all = (0..<SleeveSessions.capacity).compactMap { _ in
      sessions.begin(key, isOutbound: true)
    }
    #expect(Set(all).count == SleeveSessions.capacity)
    #expect(sessions.begin(key, isOutbound: true) == nil)
    sessions.end(1234)
    sessions.end(1234)
    #expect(sessions.begin(key, isOutbound: false) == 1234)
    #expect(sessions.begin(key, isOutbound: false) == nil)
    let last = UInt16(SleeveSessions.capacity - 1)
    #expect(sessions.seal([1], isFragmentable: false, session: last) != nil)
  }

  @Test func slotBeginsAnewAfterItsEnd() throws {
    let datagram = try #require(ends.seal([1]))
    #expect(ends.open(datagram).0 == .opened && ends.open(datagram).0 == .replayed)
    ends.sessions.end(ends.dialler)
    ends.sessions.end(ends.dialled)
    #expect(ends.seal([1]) == nil && ends.open(datagram).0 == .notAuthentic)
    let again = try SleeveEnds(sessions: ends.sessions)
    #expect(Set([again.dialler, again.dialled]) == Set([ends.dialler, ends.dialled]))
    #expect(again.seal([1]) == datagram && again.open(datagram).0 == .opened)
  }

  // MARK: Secrets

  @Test func keysAreZeroAfterTheEnd() throws {
    let slot = try #require(ends.sessions.slot(at: ends.dialler))
    #expect(slot.hasSecrets)
    ends.sessions.end(ends.dialler)
    #expect(!slot.hasSecrets && ends.sessions.slot(at: ends.dialled)?.hasSecrets == true)
  }

  @Test func nothingIsShown() {
    var text = "\(ends.sessions) \(String(reflecting: ends.sessions)) "
    dump(ends.sessions, to: &text)
    #expect(Mirror(reflecting: ends.sessions).children.isEmpty)
    #expect(!text.contains("memory") && !text.contains("places"), "\(text)")
  }

  @Test func sessionTakesLittleMemory() {
    #expect(SleeveSessions.sessionLength <= 32 << 10)
  }
}
