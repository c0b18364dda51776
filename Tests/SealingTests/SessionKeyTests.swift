// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Sealing

@Suite struct SessionKeyTests {
  private static let first = KeyPair(privateKey: Array(0x01...0x20))
  private static let second = KeyPair(privateKey: Array(0x80...0x9F))
  private static let password = Password(Array("wfvAwt7sj".utf8))

  // MARK: Vectors of another implementation

  @Test func publicKeysAreThoseOfTheVectors() {
    #expect(
      Self.first.publicKey
        == bytes("07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"))
    #expect(
      Self.second.publicKey
        == bytes("493e82fc74464a59268817623d2053c5eb8e2cc4a988b4fee179ec6b010d531d"))
  }

  @Test func precomputedKeyIsThatOfTheVectors() {
    let shared = Self.first.privateKey.shared(with: Self.second.publicKey)
    #expect(
      shared
        == SecretBytes(bytes("baba246eb13dcd2f83d6dfe5e6d254d9f96c7705d141a7719b62685d90405e03")))
  }

  @Test func bothEndsDeriveTheKeyOfTheVectors() {
    let expected = SessionKey(
      bytes: bytes("b4fdb1d78348dd0a8052444d186276e69cf9c8385fe6c43312c2a96a0f26b1a6"))
    let here = SessionKey(
      Self.first, remotePublicKey: Self.second.publicKey, password: Self.password)
    let there = SessionKey(
      Self.second, remotePublicKey: Self.first.publicKey, password: Self.password)
    #expect(expected != nil && here == expected && there == expected)
  }

  @Test func anotherPasswordIsAnotherKey() {
    let keys = ["wfvAwt7sj", "wfvAwt7sk", "wfvAwt7s", ""].map { text in
      SessionKey(
        Self.first, remotePublicKey: Self.second.publicKey, password: Password(Array(text.utf8)))
    }
    for (index, key) in keys.enumerated() {
      #expect(key != nil && keys[(index + 1)...].allSatisfy { $0 != key })
    }
  }

  // MARK: What is refused

  /// Points of small order, for which X25519 gives zero whatever the private key is.
  @Test(arguments: [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ])
  func pointsThatLeadToNoSecretAreRefused(point: String) {
    #expect(
      SessionKey(Self.first, remotePublicKey: bytes(point), password: Self.password) == nil)
  }

  @Test(arguments: [0, 1, 31, 33, 64])
  func keysOfAnotherLengthAreRefused(length: Int) {
    let other = [UInt8](repeating: 9, count: length)
    #expect(SessionKey(bytes: other) == nil)
    #expect(SessionKey(Self.first, remotePublicKey: other, password: Self.password) == nil)
  }

  // MARK: Drawing

  @Test(arguments: fixedSeeds)
  func drawnPairsAgreeOnAKey(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let (here, there) = (KeyPair(random: &random), KeyPair(random: &random))
    let password = Password(random.bytes(random.number(below: 40)))
    let key = SessionKey(here, remotePublicKey: there.publicKey, password: password)
    #expect(here.publicKey != there.publicKey && here.publicKey.count == 32, "\(random)")
    #expect(key != nil, "\(random)")
    #expect(
      key == SessionKey(there, remotePublicKey: here.publicKey, password: password), "\(random)")
    var again = SeededGenerator(seed: seed)
    #expect(KeyPair(random: &again).publicKey == here.publicKey, "\(random)")
  }

  // MARK: What is made of a key

  /// RFC 4231 has no key of 32 bytes; this is of another implementation.
  @Test func authenticatorIsHMAC() throws {
    let key = try #require(SessionKey(bytes: Array(0..<32)))
    #expect(
      key.authenticator(of: Array("what do ya want for nothing?".utf8))
        == bytes("099805f4ac310786968565c098db515cc50862b420ae31e20238312344bed36a"))
    #expect(
      key.authenticator(of: [])
        == bytes("d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb"))
  }

  @Test func mixedKeyIsHMACOfThePassword() throws {
    let key = try #require(SessionKey(bytes: Array(0..<32)))
    let mixed = key.mixed(with: Password(Array("sesame".utf8)), nonce: Array(100..<116))
    #expect(
      mixed
        == SessionKey(
          bytes: bytes("75a39d4102118e58864dd3de22a68d1333cf2124acc0f65457330fbdbe2baf6d")))
    #expect(mixed != key.mixed(with: Password(Array("sesama".utf8)), nonce: Array(100..<116)))
    #expect(mixed != key.mixed(with: Password(Array("sesame".utf8)), nonce: Array(101..<117)))
    #expect("\(mixed)" == "SessionKey(hidden)")
  }
}
