// SPDX-License-Identifier: Apache-2.0

import Sealing
import TestSupport
import Testing

@testable import Mesh

@Suite struct LinkSessionTests {
  private static func session(_ password: [UInt8]?, isOutbound: Bool = true) -> LinkSession {
    let options = Link.Options(
      isOutbound: isOutbound, password: password.map(Password.init),
      keyPair: KeyPair(privateKey: Array(0x01...0x20)))
    return LinkSession(options, features: Array("us".utf8))
  }

  // MARK: What is on the wire

  @Test func plainSessionBeginsWithHeaderAndFlag() throws {
    var session = Self.session(nil)
    #expect(session.start == Array("weave".utf8) + [2, 2, 0])
    let first = try session.receive(Array("weave".utf8) + [1, 2])
    #expect(first.reply.isEmpty && first.bodies.isEmpty)
    // Our features go out once the other end's flag is known.
    let second = try session.receive([0])
    #expect(second.reply == [0, 0, 0, 2] + Array("us".utf8))
    let third = try session.receive([0, 0, 0, 3, 7, 8, 9])
    #expect(third.reply.isEmpty && third.bodies == [[7, 8, 9]] && third.hasFeatures)
    #expect(session.sessionKey == nil)
    #expect(try session.seal([7, 0, 1]) == [0, 0, 0, 3, 7, 0, 1])
  }

  @Test func encryptedSessionSendsItsPublicKey() throws {
    let session = Self.session([1])
    let key = KeyPair(privateKey: Array(0x01...0x20)).publicKey
    #expect(session.start == Array("weave".utf8) + [2, 2, 1] + key)
  }

  @Test func emptyPasswordIsNone() {
    #expect(Self.session([]).start == Self.session(nil).start)
  }

  /// The vectors of another implementation: both private keys and the password are theirs.
  @Test(arguments: [
    (true, ["82da7f9d4aea54fba5948f174c08061e10", "37671e8f67f6dd81ab8856cbbfb17f7322"]),
    (false, ["ebdcfad6a677b6c2868a679b141c76ea1d"]),
  ])
  func heartbeatsAreSealedAsInTheVectors(isOutbound: Bool, boxes: [String]) throws {
    let key = try #require(
      SessionKey(
        bytes: hexadecimal("b4fdb1d78348dd0a8052444d186276e69cf9c8385fe6c43312c2a96a0f26b1a6")))
    var sender = LinkCipher(key: key, isOutbound: isOutbound)
    var receiver = LinkCipher(key: key, isOutbound: !isOutbound)
    for box in boxes {
      var output: [UInt8] = []
      sender.seal([0], appendingTo: &output)
      #expect(output == hexadecimal(box))
      #expect(receiver.open(output[...]) == [0])
    }
    // The same polarity at both ends opens nothing.
    var mirror = LinkCipher(key: key, isOutbound: isOutbound)
    #expect(mirror.open(hexadecimal(boxes[0])[...]) == nil)
  }

  // MARK: Two ends

  @Test(
    arguments: fixedSeeds,
    [nil, "x", "a password that is longer than a block of the hash function, which has 64 bytes"])
  func twoEndsUnderstandEachOtherInPiecesOfAnySize(seed: UInt64, password: String?) throws {
    var pair = LinkPair((password, password), SeededGenerator(seed: seed))
    let comment = Comment(rawValue: "\(pair.random)")
    pair.run()
    #expect(pair.dialler.bodies == [Array("acceptor".utf8)], comment)
    #expect(pair.acceptor.bodies == [Array("dialler".utf8)], comment)
    #expect((pair.dialler.session.sessionKey == nil) == (password == nil), comment)
    #expect(pair.dialler.session.sessionKey == pair.acceptor.session.sessionKey, comment)
    var said: (dialler: [[UInt8]], acceptor: [[UInt8]]) = ([], [])
    for _ in 0..<20 {
      for _ in 0..<pair.random.number(below: 4) {
        let body = pair.random.bytes(1 + pair.random.number(below: 3000))
        if pair.random.next() & 1 == 0 {
          said.dialler.append(body)
          pair.acceptor.wire += try pair.dialler.session.seal(body)
        } else {
          said.acceptor.append(body)
          pair.dialler.wire += try pair.acceptor.session.seal(body)
        }
      }
      pair.run()
    }
    #expect(pair.dialler.error == nil && pair.acceptor.error == nil, comment)
    #expect(Array(pair.acceptor.bodies.dropFirst()) == said.dialler, comment)
    #expect(Array(pair.dialler.bodies.dropFirst()) == said.acceptor, comment)
    #expect(pair.dialler.session.bufferedCount + pair.acceptor.session.bufferedCount == 0, comment)
  }

  @Test func directionsHaveNoncesOfTheirOwn() throws {
    var pair = LinkPair(("x", "x"), SeededGenerator(seed: 1))
    pair.run()
    let there = try pair.dialler.session.seal([1, 2, 3])
    let back = try pair.acceptor.session.seal([1, 2, 3])
    #expect(there != back && there.count == back.count)
    // What an end sent itself does not open, whoever sends it back.
    #expect(throws: LinkError.notAuthentic(isFirst: false)) {
      try pair.dialler.session.receive(there)
    }
  }

  @Test(arguments: [nil, "x"] as [String?])
  func bodiesWithoutBytesAreIgnored(password: String?) throws {
    var pair = LinkPair((password, password), SeededGenerator(seed: 2))
    pair.run()
    for _ in 0..<3 { pair.acceptor.wire += try pair.dialler.session.seal([]) }
    pair.acceptor.wire += try pair.dialler.session.seal([0])
    pair.run()
    #expect(pair.acceptor.error == nil)
    #expect(pair.acceptor.bodies.dropFirst() == [[0]])
  }

  @Test func messagesAreReadBehindTheFeaturesInOneRead() throws {
    var session = Self.session(nil)
    let rest: [UInt8] = [0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 2, 4, 6, 0, 0]
    let progress = try session.receive(Array("weave".utf8) + [2, 9] + rest)
    #expect(progress.hasFeatures && progress.bodies == [[5], [4, 6]])
    #expect(session.bufferedCount == 2)
  }
}
