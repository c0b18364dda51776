// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Sealing

/// The length of what precedes the records, and where the number and the tag begin.
let offset = SleeveSessions.plaintextOffset

/// Set in the number of a datagram that must not be fragmented.
let unfragmentable: UInt64 = 1 << 63

/// Both ends of a connection, in one table.
struct SleeveEnds: Sendable {
  /// 00 01 … 1f.
  static let keyBytes = [UInt8](0..<32)

  let sessions: SleeveSessions
  let dialler: UInt16
  let dialled: UInt16

  init(
    sessions: SleeveSessions = SleeveSessions(), key bytes: [UInt8] = keyBytes,
    firstNumbers: SleeveSessions.FirstNumbers = .init()
  ) throws {
    let key = try #require(SessionKey(bytes: bytes))
    self.sessions = sessions
    dialler = try #require(
      sessions.begin(key, isOutbound: true, firstNumbers: firstNumbers))
    dialled = try #require(
      sessions.begin(key, isOutbound: false, firstNumbers: firstNumbers))
  }

  /// A datagram that the dialling end sends; nil if it cannot.
  func seal(_ records: [UInt8], isFragmentable: Bool = false) -> [UInt8]? {
    sessions.seal(records, isFragmentable: isFragmentable, session: dialler)
  }

  /// What the dialled end makes of it.
  func open(_ datagram: [UInt8]) -> (SleeveSessions.Opening, [UInt8]) {
    sessions.open(datagram, session: dialled)
  }
}

extension SleeveSessions {
  /// The datagram of peer 02:00:00:00:00:0a with these records; nil if it cannot be sealed.
  func seal(_ records: [UInt8], isFragmentable: Bool, session: UInt16) -> [UInt8]? {
    var datagram = name + [UInt8](repeating: 0xEE, count: 24) + records
    var span = datagram.mutableSpan
    return seal(&span, isFragmentable: isFragmentable, session: session) ? datagram : nil
  }

  /// What comes of opening a datagram, and what it then is.
  func open(_ datagram: [UInt8], session: UInt16) -> (Opening, [UInt8]) {
    var datagram = datagram
    var span = datagram.mutableSpan
    let opening = open(&span, session: session)
    return (opening, datagram)
  }
}

/// The sequence number of a datagram as it was sent.
func number(of datagram: [UInt8]) -> UInt64 {
  datagram[6..<14].reduce(0) { $0 << 8 | UInt64($1) }
}

/// What libsodium's secretbox makes of the records, with a name and a number before it.
func referenceDatagram(
  _ records: [UInt8], number: UInt64, isFromDialler: Bool, key bytes: [UInt8] = SleeveEnds.keyBytes
) throws -> [UInt8] {
  let key = try #require(SessionKey(bytes: bytes))
  let bits = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
  let nonce = [isFromDialler ? 0x80 : 0] + [UInt8](repeating: 0, count: 15) + bits
  return name + bits + SecretBox.seal(records, nonce: nonce, key: key)
}

/// The peer that sends in these tests.
let name = bytes("02000000000a")
