// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

@Suite struct SecretBoxTests {
  /// 24 bytes: the first, 15 zeros, and a number.
  private static func nonce(_ first: UInt8, _ number: UInt64) -> [UInt8] {
    [first] + [UInt8](repeating: 0, count: 15)
      + (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
  }

  private static func key(_ bytes: [UInt8]) throws -> SessionKey {
    try #require(SessionKey(bytes: bytes))
  }

  // MARK: Vectors of another implementation

  @Test(
    arguments: [
      (0xC0, 0, "82da7f9d4aea54fba5948f174c08061e10"),
      (0xC0, 1, "37671e8f67f6dd81ab8856cbbfb17f7322"),
      (0x40, 0, "ebdcfad6a677b6c2868a679b141c76ea1d"),
    ] as [(UInt8, UInt64, String)])
  func heartbeatsOfTheStreamAreThoseOfTheVectors(first: UInt8, number: UInt64, box: String) throws {
    let key = try Self.key(
      bytes("b4fdb1d78348dd0a8052444d186276e69cf9c8385fe6c43312c2a96a0f26b1a6"))
    let nonce = Self.nonce(first, number)
    #expect(SecretBox.seal([0], nonce: nonce, key: key) == bytes(box))
    #expect(SecretBox.open(bytes(box), nonce: nonce, key: key) == [0])
  }

  @Test(
    arguments: [
      (
        0x80, 0x8000_0000_0000_0000,
        "3cf25877519930702e82a4810943a2171df248f80a905e73e11fe0172e887170cc5106609f1b0ab72099ced4"
          + "58857646c9b651ee"
      ),
      (
        0x80, 0x8000_0000_0000_0001,
        "cafebbaea49883a089373621fab7b618e99f0eb6a8340e1fdcda10362d15291e9bfb2e12a8a23ab35bef78ba"
          + "ee6aaf03e8a0dc5e"
      ),
      (
        0x80, 0,
        "4c3a459aeb6a8f6602598455b1eadcc295629476ad414c141dc4daf79e3434b29621fbccdf0a71dbf1ee89f4"
          + "00e46f640e9f0063"
      ),
      (
        0x00, 0x8000_0000_0000_0000,
        "333a397d745777328db10c585173252be801c23ecdf5d24550c794bdd7ab333d6f065e231c4216af4ad7d664"
          + "4394e49e5bfcc67f"
      ),
      (
        0x00, 0,
        "9b768b5eb92dfcf384b81028362b64cd480ef04198a0bd335c5472042550bed2e43474f047e6284c6b034b8d"
          + "2debec768062a485"
      ),
    ] as [(UInt8, UInt64, String)])
  func heartbeatsOfDatagramsAreThoseOfTheVectors(
    first: UInt8, number: UInt64, box: String
  ) throws {
    let key = try Self.key(Array(0x00...0x1F))
    let text = bytes(
      "02000000000a 02000000000b 0016 0000000000000000000000000000 1122334455667788")
    let nonce = Self.nonce(first, number)
    #expect(SecretBox.seal(text, nonce: nonce, key: key) == bytes(box))
    #expect(SecretBox.open(bytes(box), nonce: nonce, key: key) == text)
  }

  // MARK: Properties

  @Test(arguments: fixedSeeds)
  func whatIsSealedOpens(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let key = try Self.key(random.bytes(32))
    for length in [0, 1, 15, 16, 17, 63, 64, 65, random.number(below: 70_000)] {
      let (text, nonce) = (random.bytes(length), random.bytes(24))
      let box = SecretBox.seal(text, nonce: nonce, key: key)
      #expect(box.count == length + SecretBox.overhead, "\(random)")
      #expect(SecretBox.open(box, nonce: nonce, key: key) == text, "\(random)")
      var output: [UInt8] = [1, 2, 3]
      SecretBox.seal(text.span, nonce: nonce, key: key, appendingTo: &output)
      #expect(output == [1, 2, 3] + box, "\(random)")
      let part = output[3...]
      let opened = SecretBox.open(part.span, nonce: nonce, key: key)
      #expect(opened == text, "\(random)")
    }
  }

  @Test func whatWasChangedDoesNotOpen() throws {
    var random = SeededGenerator(seed: 1)
    let key = try Self.key(random.bytes(32))
    let nonce = random.bytes(24)
    let box = SecretBox.seal([1, 2, 3, 4, 5], nonce: nonce, key: key)
    for index in box.indices {
      var changed = box
      changed[index] ^= 1 << UInt8(random.number(below: 8))
      #expect(SecretBox.open(changed, nonce: nonce, key: key) == nil, "byte \(index)")
      #expect(SecretBox.open(Array(box[..<index]), nonce: nonce, key: key) == nil, "\(index)")
    }
    for index in nonce.indices {
      var changed = nonce
      changed[index] ^= 1
      #expect(SecretBox.open(box, nonce: changed, key: key) == nil, "nonce \(index)")
    }
    #expect(SecretBox.open(box, nonce: nonce, key: try Self.key(random.bytes(32))) == nil)
    #expect(SecretBox.open(box + [0], nonce: nonce, key: key) == nil)
    #expect(SecretBox.open([], nonce: nonce, key: key) == nil)
  }
}
