// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Sealing
import TestSupport
import Testing

@testable import Mesh

@Suite struct LinkPasswordRingTests {
  /// All rings of three passwords.
  private static func rings() throws -> [PasswordRing] {
    try (UInt8(1)...3).flatMap { primary in
      let rest = (UInt8(1)...3).filter { $0 != primary }
      return try [[], [rest[0]], [rest[1]], rest].map { try PasswordRing.made(primary, $0) }
    }
  }

  private static func session(
    _ ring: PasswordRing?, _ keyPair: KeyPair, isOutbound: Bool
  ) -> LinkSession {
    let options = Link.Options(isOutbound: isOutbound, passwords: ring, keyPair: keyPair)
    return LinkSession(options, features: Array((isOutbound ? "dialler" : "acceptor").utf8))
  }

  // MARK: Who understands whom

  /// Each end has to accept what the other one uses, and the one that dialled chooses the key.
  @Test(arguments: UInt64(1)...2)
  func endsUnderstandEachOtherIfEachAcceptsTheOthersPrimaryPassword(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let pairs = (KeyPair(random: &random), KeyPair(random: &random))
    var agreements = 0
    for dialler in try Self.rings() {
      for acceptor in try Self.rings() {
        let comment = Comment(rawValue: "\(dialler.all.count) \(acceptor.all.count) \(random)")
        var pair = LinkPair(
          Self.session(dialler, pairs.0, isOutbound: true),
          Self.session(acceptor, pairs.1, isOutbound: false), random)
        pair.run()
        if dialler.accepts(acceptor.primary) && acceptor.accepts(dialler.primary) {
          agreements += 1
          let key = SessionKey(
            pairs.0, remotePublicKey: pairs.1.publicKey, password: dialler.primary)
          try Self.expectAgreement(
            &pair, key, dialler.primary, shown: acceptor.primary, comment)
        } else {
          Self.expectRefusal(pair, comment)
        }
        random = pair.random
      }
    }
    // With the same primary password any others do; with different ones each has to name the other.
    #expect(agreements == 3 * 4 * 4 + 6 * 2 * 2)
  }

  private static func expectAgreement(
    _ pair: inout LinkPair, _ key: SessionKey?, _ password: Password, shown: Password,
    _ comment: Comment
  ) throws {
    for session in [pair.dialler.session, pair.acceptor.session] {
      #expect(session.sessionKey == key && session.authentication == password, comment)
    }
    #expect(pair.acceptor.session.shownPassword == password, comment)
    #expect(pair.dialler.session.shownPassword == shown, comment)
    for body in 0..<UInt8(3) {
      pair.acceptor.wire += try pair.dialler.session.seal([body, 1])
      pair.dialler.wire += try pair.acceptor.session.seal([body, 2])
    }
    pair.run()
    #expect(pair.dialler.error == nil && pair.acceptor.error == nil, comment)
    #expect(pair.dialler.bodies == [Array("acceptor".utf8), [0, 2], [1, 2], [2, 2]], comment)
    #expect(pair.acceptor.bodies == [Array("dialler".utf8), [0, 1], [1, 1], [2, 1]], comment)
  }

  private static func expectRefusal(_ pair: LinkPair, _ comment: Comment) {
    let ends = [pair.dialler, pair.acceptor]
    #expect(ends.contains { $0.error == .notAuthentic(isFirst: true) }, comment)
    for end in ends where end.error != nil {
      #expect(end.error == .notAuthentic(isFirst: true) && end.bodies.isEmpty, comment)
    }
  }

  @Test(arguments: [true, false])
  func ringAtOneEndIsNoticedByBoth(isOutbound: Bool) throws {
    var random = SeededGenerator(seed: 1)
    let ring = try PasswordRing.made(1, [2, 3])
    var pair = LinkPair(
      Self.session(isOutbound ? ring : nil, KeyPair(random: &random), isOutbound: true),
      Self.session(isOutbound ? nil : ring, KeyPair(random: &random), isOutbound: false), random)
    pair.run()
    #expect(pair.dialler.error == .passwordMismatch(isOurs: isOutbound))
    #expect(pair.acceptor.error == .passwordMismatch(isOurs: !isOutbound))
    #expect(pair.dialler.bodies.isEmpty && pair.acceptor.bodies.isEmpty)
  }

  // MARK: What is on the wire

  @Test(arguments: [true, false])
  func otherPasswordsDoNotShowInWhatIsSent(isOutbound: Bool) throws {
    let pair = KeyPair(privateKey: Array(1...32))
    let heard =
      Array("weave".utf8) + [2, 2, 1] + KeyPair(privateKey: Array(33...64)).publicKey
    var one = Self.session(try .made(1, []), pair, isOutbound: isOutbound)
    var more = Self.session(try .made(1, [2, 3, 4]), pair, isOutbound: isOutbound)
    #expect(one.start == more.start)
    let replies = [try one.receive(heard).reply, try more.receive(heard).reply]
    #expect(replies[0] == replies[1] && !replies[0].isEmpty)
  }

  @Test func keyIsKnownWithTheFeaturesIfOnlyThoseTellIt() throws {
    let pair = KeyPair(privateKey: Array(1...32))
    let other = KeyPair(privateKey: Array(33...64))
    let heard = Array("weave".utf8) + [2, 2, 1] + other.publicKey
    let rings = try [PasswordRing.made(1, []), .made(1, [2])]
    for (ring, isOutbound) in [(0, true), (0, false), (1, true), (1, false)] {
      var session = Self.session(rings[ring], pair, isOutbound: isOutbound)
      #expect(session.sessionKey == nil && session.authentication == nil)
      _ = try session.receive(heard)
      let isKnown = ring == 0 || isOutbound
      #expect((session.sessionKey != nil) == isKnown)
      #expect((session.authentication == Password([1])) == isKnown)
      #expect((session.shownPassword == Password([1])) == (ring == 0))
    }
  }

  @Test(arguments: [RecordedSession.encrypted], [true, false])
  func ringHearsAllThatARouterSaid(recorded: RecordedSession, isClient: Bool) throws {
    var options = recorded.options(isClient: isClient)
    let password = try #require(recorded.password)
    options.passwords = PasswordRing(
      Password([1]), others: [Password([2]), Password([3]), password])
    var link = LinkSession(options, features: [])
    let captured = try recorded.captured()
    let bytes = isClient ? captured.serverBytes : captured.clientBytes
    #expect(try link.receive(bytes).bodies == recorded.bodies(isFromClient: !isClient))
    #expect((link.sessionKey == recorded.key) == !isClient)
    #expect(link.authentication == (isClient ? Password([1]) : password))
    // Whatever we dialled with, it is not what the router showed.
    #expect(link.shownPassword == password)
  }

  // MARK: After the first message

  @Test func passwordOfTheFirstMessageIsThatOfAllOthers() throws {
    let keys = try (UInt8(1)...3).map {
      try #require(SessionKey(bytes: [UInt8](repeating: $0, count: 32)))
    }
    for (index, key) in keys.enumerated() {
      var receiver = LinkCipher(keys[0], others: Array(keys.dropFirst()), isOutbound: false)
      #expect(receiver.agreedKey == nil && receiver.agreedIndex == nil)
      var sender = LinkCipher(key: key, isOutbound: true)
      var first: [UInt8] = []
      sender.seal([7], appendingTo: &first)
      #expect(receiver.open(first[...]) == [7])
      #expect(receiver.agreedKey == key && receiver.agreedIndex == index)
      for other in keys where other != key {
        var change = LinkCipher(key: other, isOutbound: true)
        var later: [UInt8] = []
        change.seal([7], appendingTo: &later)
        later = []
        // As the second message, whose nonce is right.
        change.seal([8], appendingTo: &later)
        var copy = receiver
        #expect(copy.open(later[...]) == nil)
      }
      var second: [UInt8] = []
      sender.seal([8], appendingTo: &second)
      #expect(receiver.open(second[...]) == [8])
    }
  }

  @Test(arguments: fixedSeeds)
  func noiseOpensWithNoPassword(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let ring = try PasswordRing.made(1, [2, 3, 4])
    let pair = KeyPair(random: &random)
    let heard = Array("weave".utf8) + [2, 2, 1] + KeyPair(random: &random).publicKey
    for _ in 0..<50 {
      var session = Self.session(ring, pair, isOutbound: random.next() & 1 == 0)
      _ = try session.receive(heard)
      let body = random.bytes(random.number(below: 200))
      #expect(throws: LinkError.notAuthentic(isFirst: true), "\(random)") {
        try session.receive([0, 0, 0, UInt8(body.count)] + body)
      }
      #expect(session.bufferedCount == 0)
    }
  }
}
