// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Gob
import Sealing
import TestSupport
import Testing

@testable import Mesh

/// Sessions of two Weave routers, with a `Link` in the place of one of them.
@Suite struct RecordedSessionTests {
  @Test(arguments: [RecordedSession.plain, .encrypted], [true, false])
  func linkHearsAllThatTheOtherRouterSaid(recorded: RecordedSession, isClient: Bool) throws {
    let session = try recorded.captured()
    let expected = try recorded.bodies(isFromClient: !isClient)
    for seed in fixedSeeds {
      var random = SeededGenerator(seed: seed)
      var link = Link(recorded.options(isClient: isClient), features: FeatureMap([:]))
      var events: [Link.Event] = []
      for piece in session.pieces where piece.isFromClient != isClient {
        var rest = piece.bytes[...]
        while !rest.isEmpty {
          let part = Array(rest.prefix(1 + random.number(below: 200)))
          rest = rest.dropFirst(part.count)
          events += try link.receive(part).events
        }
      }
      #expect(link.sessionKey == recorded.key, "\(random)")
      #expect(link.bufferedCount == 0, "\(random)")
      let features = try FeatureMap(gob: #require(expected.first))
      #expect(features.entries["NickName"] == (isClient ? "hostA" : "hostB"))
      let messages = try expected.dropFirst().map { body in
        let tag = try #require(body.first.flatMap(MessageTag.init))
        return Link.Event.message(tag, payload: Array(body.dropFirst()))
      }
      #expect(events == [.features(features)] + messages, "\(random)")
    }
  }

  /// With a router's keys, features and messages, the bytes are the router's own, except that we
  /// offer version 2 only.
  @Test(arguments: [RecordedSession.plain, .encrypted], [true, false])
  func linkSaysTheSameBytesAsTheRouter(recorded: RecordedSession, isClient: Bool) throws {
    let session = try recorded.captured()
    let own = isClient ? session.clientBytes : session.serverBytes
    let other = isClient ? session.serverBytes : session.clientBytes
    let bodies = try recorded.bodies(isFromClient: isClient)
    var link = LinkSession(
      recorded.options(isClient: isClient), features: try #require(bodies.first))
    var said = link.start + (try link.receive(other)).reply
    for body in bodies.dropFirst() { said += try link.seal(body) }
    #expect(own[5] == 1 && said[5] == 2)
    said[5] = 1
    #expect(said == own)
  }

  @Test func recordingsHaveTheMessagesThatWereCounted() throws {
    #expect(try RecordedSession.encrypted.bodies(isFromClient: true).count == 11)
    #expect(try RecordedSession.encrypted.bodies(isFromClient: false).count == 13)
  }

  @Test func wrongPasswordDoesNotOpenTheRecording() throws {
    var options = RecordedSession.encrypted.options(isClient: false)
    options.password = Password(Array("pb-test-passwort".utf8))
    var link = Link(options, features: FeatureMap([:]))
    let session = try RecordedSession.encrypted.captured()
    #expect(throws: LinkError.notAuthentic(isFirst: true)) {
      try link.receive(session.clientBytes)
    }
  }

  // MARK: Protocol 1, which a link refuses but whose keys and boxes are the same

  /// The features of one end, in clear, and the boxes that follow.
  private static func protocol1(_ stream: [UInt8]) throws -> (FeatureMap, boxes: [[UInt8]]) {
    var decoder = GobDecoder(Array(stream.dropFirst(7)))
    let pairs = try #require(try decoder.next()).map(at: 0)
    var features = FeatureMap([:])
    for pair in pairs {
      features.entries[try pair.key.string(at: 0)] = try pair.value.string(at: 0)
    }
    var boxes: [[UInt8]] = []
    while let value = try decoder.next() { boxes.append(try value.bytes(at: 0)) }
    return (features, boxes)
  }

  @Test(arguments: [true, false])
  func sessionsOfProtocol1HaveTheSameKeysAndBoxes(isFromClient: Bool) throws {
    let recorded = RecordedSession.encryptedProtocol1
    let session = try recorded.captured()
    let stream = isFromClient ? session.clientBytes : session.serverBytes
    let (features, boxes) = try Self.protocol1(stream)
    let password = try #require(recorded.password)
    let remote = hexadecimal(try #require(features.entries["PublicKey"]))
    #expect(remote == recorded.keyPair(isClient: isFromClient).publicKey)
    let derived = SessionKey(
      recorded.keyPair(isClient: !isFromClient), remotePublicKey: remote, password: password)
    let key = try #require(derived)
    #expect(key == recorded.key)
    #expect(boxes.count > 5)
    for (number, box) in boxes.enumerated() {
      // The features went in clear and were not counted.
      let nonce = RecordedSession.nonce(isFromClient: isFromClient, number)
      let body = try #require(SecretBox.open(box, nonce: nonce, key: key), "message \(number)")
      #expect(body.first.flatMap(MessageTag.init) != nil)
    }
  }

  @Test func sessionsOfProtocol1AreRefused() throws {
    let session = try RecordedSession.encryptedProtocol1.captured()
    for (isClient, bytes) in [(true, session.serverBytes), (false, session.clientBytes)] {
      let options = RecordedSession.encryptedProtocol1.options(isClient: isClient)
      var link = Link(options, features: FeatureMap([:]))
      let versions = (minimum: bytes[5], maximum: bytes[6])
      guard versions.maximum < 2 else { continue }
      #expect(throws: LinkError.version(minimum: versions.minimum, maximum: versions.maximum)) {
        try link.receive(bytes)
      }
    }
    #expect(session.clientBytes[6] == 1 || session.serverBytes[6] == 1)
  }
}
