// SPDX-License-Identifier: Apache-2.0

import Sealing
import TestSupport
import Testing

@testable import Mesh

@Suite struct LinkRefusalTests {
  private static let header = Array("weave".utf8) + [1, 2]

  private static func session(_ password: String?) -> LinkSession {
    var random = SeededGenerator(seed: 5)
    return .made(isOutbound: false, password, "us", &random)
  }

  /// What a session says to bytes, at once and byte by byte.
  private static func refusal(_ bytes: [UInt8], password: String? = nil) -> LinkError? {
    var whole = session(password)
    var pieces = session(password)
    var errors: [LinkError?] = [nil, nil]
    do { _ = try whole.receive(bytes) } catch { errors[0] = error }
    for byte in bytes where errors[1] == nil {
      do { _ = try pieces.receive([byte]) } catch { errors[1] = error }
    }
    #expect(errors[0] == errors[1])
    return errors[0]
  }

  // MARK: Before the features

  @Test(arguments: ["GET / HTTP/1.1\r\n", "SSH-2.0-x", "wea\u{0}", "weavf", "W"])
  func otherProtocolsAreRefusedAtTheirFirstWrongByte(text: String) {
    #expect(Self.refusal(Array(text.utf8)) == .notWeave)
  }

  @Test(arguments: [(1, 1), (0, 0), (3, 3), (3, 255), (3, 1), (255, 0)] as [(UInt8, UInt8)])
  func otherVersionsAreRefused(minimum: UInt8, maximum: UInt8) {
    let header = Array("weave".utf8) + [minimum, maximum]
    #expect(Self.refusal(header) == .version(minimum: minimum, maximum: maximum))
  }

  @Test(arguments: [(2, 2), (1, 2), (0, 255), (2, 3)] as [(UInt8, UInt8)])
  func rangesWithVersionTwoAreTaken(minimum: UInt8, maximum: UInt8) {
    #expect(Self.refusal(Array("weave".utf8) + [minimum, maximum]) == nil)
  }

  @Test func passwordAtOneEndIsNoticedByBoth() {
    var pair = LinkPair(("x", nil), SeededGenerator(seed: 1))
    pair.run()
    #expect(pair.dialler.error == .passwordMismatch(isOurs: true))
    #expect(pair.acceptor.error == .passwordMismatch(isOurs: false))
    #expect(pair.dialler.bodies.isEmpty && pair.acceptor.bodies.isEmpty)
  }

  /// The first end that refuses closes the session, so that the other one may not hear enough.
  @Test(arguments: fixedSeeds)
  func wrongPasswordIsNoticed(seed: UInt64) {
    var pair = LinkPair(("x", "y"), SeededGenerator(seed: seed))
    pair.run()
    let errors = [pair.dialler.error, pair.acceptor.error]
    #expect(errors.contains(.notAuthentic(isFirst: true)), "\(pair.random)")
    #expect(errors.allSatisfy { $0 == nil || $0 == .notAuthentic(isFirst: true) })
    #expect(pair.dialler.bodies.isEmpty && pair.acceptor.bodies.isEmpty, "\(pair.random)")
  }

  @Test(arguments: UInt8(2)...8)
  func flagsThatNobodyKnowsAreRefused(flag: UInt8) {
    #expect(Self.refusal(Self.header + [flag]) == .notWeave)
    #expect(Self.refusal(Self.header + [flag], password: "x") == .notWeave)
  }

  @Test func publicKeysThatLeadToNoSecretAreRefused() {
    let zero = [UInt8](repeating: 0, count: 32)
    #expect(Self.refusal(Self.header + [1] + zero, password: "x") == .weakPublicKey)
  }

  // MARK: Lengths

  @Test func firstFrameIsShort() {
    let plain = Self.header + [0]
    #expect(Self.refusal(plain + [0, 1, 0, 0]) == nil)
    #expect(Self.refusal(plain + [0, 1, 0, 1]) == .tooLong(length: 65_537))
    #expect(Self.refusal(plain + [255, 255, 255, 255]) == .tooLong(length: 4_294_967_295))
  }

  @Test func laterFramesHaveTenMebibytes() {
    let plain = Self.header + [0, 0, 0, 0, 1, 9]
    #expect(Self.refusal(plain + [0, 0xA0, 0, 0]) == nil)
    #expect(Self.refusal(plain + [0, 0xA0, 0, 1]) == .tooLong(length: 10_485_761))
  }

  @Test func longestMessageIsCarriedAndALongerOneNotSent() throws {
    for password in [nil, "x"] {
      var pair = LinkPair((password, password), SeededGenerator(seed: 4))
      pair.run()
      let overhead = password == nil ? 0 : SecretBox.overhead
      let longest = [UInt8](repeating: 7, count: 10 * 1024 * 1024 - overhead)
      #expect(throws: LinkError.tooLong(length: 10 * 1024 * 1024 + 1)) {
        try pair.dialler.session.seal(longest + [7])
      }
      // The refusal cost no number of the nonces.
      let frame = try pair.dialler.session.seal(longest)
      #expect(try pair.acceptor.session.receive(frame).bodies == [longest])
      #expect(pair.acceptor.session.bufferedCount == 0)
    }
  }

  // MARK: After the features

  @Test func changedLostAndRepeatedMessagesAreRefused() throws {
    for fault in 0..<4 {
      var pair = LinkPair(("x", "x"), SeededGenerator(seed: 3))
      pair.run()
      var frames = [try pair.dialler.session.seal([1]), try pair.dialler.session.seal([2])]
      switch fault {
      case 0: frames[0][20] ^= 1
      case 1: frames.removeFirst()
      case 2: frames.insert(frames[0], at: 1)
      default: frames = [[0, 0, 0, 15] + [UInt8](repeating: 0, count: 15)]
      }
      #expect(throws: LinkError.notAuthentic(isFirst: false), "fault \(fault)") {
        try pair.acceptor.session.receive(frames.flatMap { $0 })
      }
    }
  }

  @Test func nothingIsSentBeforeTheFeaturesCame() throws {
    var session = Self.session(nil)
    #expect(throws: LinkError.notReady) { try session.seal([0]) }
    _ = try session.receive(Self.header + [0])
    #expect(throws: LinkError.notReady) { try session.seal([0]) }
    _ = try session.receive([0, 0, 0, 0])
    #expect(try session.seal([0]) == [0, 0, 0, 1, 0])
  }

  @Test func refusedSessionStaysRefused() {
    var session = Self.session(nil)
    #expect(throws: LinkError.notWeave) { try session.receive([0]) }
    #expect(throws: LinkError.notWeave) { try session.receive(Self.header + [0]) }
    #expect(throws: LinkError.notWeave) { try session.receive([]) }
    #expect(throws: LinkError.notWeave) { try session.seal([0]) }
    #expect(session.bufferedCount == 0)
  }

  // MARK: Words

  @Test func refusalsSayWhatToDo() {
    let errors: [LinkError] = [
      .notWeave, .version(minimum: 1, maximum: 1), .passwordMismatch(isOurs: true),
      .passwordMismatch(isOurs: false), .weakPublicKey, .notAuthentic(isFirst: true),
      .notAuthentic(isFirst: false), .tooLong(length: 5), .features("x"), .notReady,
    ]
    #expect(Set(errors.map(\.description)).count == errors.count)
    for error in errors {
      let advice = ["check", "give", "use ", "need", "wait"]
      #expect(advice.contains { error.description.contains($0) }, "\(error)")
    }
    #expect(
      "\(LinkError.notAuthentic(isFirst: true))".contains("both peers need the same password"))
    #expect("\(LinkError.passwordMismatch(isOurs: true))".contains("the other end has none"))
    #expect("\(LinkError.passwordMismatch(isOurs: false))".contains("this peer has none"))
    #expect("\(LinkError.version(minimum: 3, maximum: 4))".contains("versions 3 to 4"))
  }
}
