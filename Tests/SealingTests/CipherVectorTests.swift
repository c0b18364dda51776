// SPDX-License-Identifier: Apache-2.0

import CCiphers
import CSodium
import TestSupport
import Testing

@testable import Sealing

/// Known texts and tags, and those of another implementation.
@Suite struct CipherVectorTests {
  private struct Vector {
    var cipher: RawCipher
    var text: [UInt8]
    var sealed: [UInt8]
    var tag: [UInt8]

    func check(_ location: SourceLocation = #_sourceLocation) {
      let (found, foundTag) = cipher.seal(text)
      #expect(found == sealed && foundTag == tag, sourceLocation: location)
      #expect(cipher.open(sealed, tag: tag) == text, sourceLocation: location)
      for bit in 0..<128 {
        var changed = tag
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(cipher.open(sealed, tag: changed) == nil, sourceLocation: location)
      }
    }
  }

  init() {
    #expect(sodium_init() >= 0)
    _ = cciphers_has_aes()
  }

  /// RFC 8439, 2.8.2.
  @Test(arguments: [false, true])
  func textOfTheStandardIsSealedByChaCha20(isPortable: Bool) {
    Vector(
      cipher: RawCipher(
        suite: .chacha20poly1305, isPortable: isPortable, key: Array(0x80...0x9F),
        nonce: bytes("07000000 4041424344454647"),
        associated: bytes("50515253c0c1c2c3c4c5c6c7")),
      text: Array(
        ("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
          + "future, sunscreen would be it.").utf8),
      sealed: bytes(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
          + "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
          + "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
          + "3ff4def08e4b7a9de576d26586cec64b6116"),
      tag: bytes("1ae10b594f09e26a7e902ecbd0600691")
    ).check()
  }

  /// The texts for AES-256 in the proposal of Galois/Counter mode, test cases 13 to 16.
  @Test func textsOfTheProposalAreSealedByAES() throws {
    try #require(CipherSuite.aes256gcm.isAvailable)
    let zeros = [UInt8](repeating: 0, count: 16)
    let plain = RawCipher(
      suite: .aes256gcm, key: zeros + zeros, nonce: Array(zeros[..<12]), associated: [])
    Vector(
      cipher: plain, text: [], sealed: [], tag: bytes("530f8afbc74536b9a963b4f1c4cb738b")
    ).check()
    Vector(
      cipher: plain, text: zeros, sealed: bytes("cea7403d4d606b6e074ec5d3baf39d18"),
      tag: bytes("d0d1c8a799996bf0265b98b5d48ab919")
    ).check()
    let half = bytes("feffe9928665731c6d6a8f9467308308")
    let text = bytes(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255")
    let sealed = bytes(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad")
    func cipher(_ associated: [UInt8]) -> RawCipher {
      RawCipher(
        suite: .aes256gcm, key: half + half, nonce: bytes("cafebabefacedbaddecaf888"),
        associated: associated)
    }
    Vector(
      cipher: cipher([]), text: text, sealed: sealed,
      tag: bytes("b094dac5d93471bdec1a502270e3cc6c")
    ).check()
    Vector(
      cipher: cipher(bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2")),
      text: Array(text[..<60]), sealed: Array(sealed[..<60]),
      tag: bytes("76fc6ece0f4e1768cddf8853bb2d551b")
    ).check()
  }

  /// What Weave Net's own code derives for what peer 02:00:00:00:00:0a receives by ESP.
  @Test func keyForESPIsThatOfTheVector() throws {
    let key = PacketKind.aesESP.key(isSealing: true, session: try sessionKey())
    #expect(
      key.secret
        == SecretBytes(bytes("d3dbdcb81458ef5f4ddf90da4121e8f298f0313b0952342988d5750e3e67ddab")))
    #expect(key.salt == SecretBytes(bytes("d49e8e08")))
  }

  /// What processors without AES get and what the others do open each other's texts, whatever the
  /// lengths.
  @Test func chaCha20IsTheSameWithAESAndWithout() {
    var generator = SeededGenerator(seed: 2)
    for length in Array(0...1100) + [1400, 1499, 4096, 9000, 65_477] {
      var cipher = RawCipher(
        suite: .chacha20poly1305, key: generator.bytes(32), nonce: generator.bytes(12),
        associated: generator.bytes(length % 21))
      let text = generator.bytes(length)
      let (sealed, tag) = cipher.seal(text)
      cipher.isPortable = true
      let (portable, portableTag) = cipher.seal(text)
      #expect(portable == sealed && portableTag == tag, "\(length) bytes")
      #expect(cipher.open(sealed, tag: tag) == text, "\(length) bytes")
    }
  }

  /// Every length, for which a cipher may take another way, against libsodium's one-shot calls.
  @Test(arguments: PacketKind.allCases)
  func everyLengthIsSealedAsByAnotherImplementation(kind: PacketKind) throws {
    var generator = SeededGenerator(seed: 1)
    let ends = try PacketEnds(kind)
    let flag = kind.layout == .sleeve ? unfragmentable : 0
    let lengths = Array(0...2000) + [2015, 2016, 2017, 4096, 9000, 60_000, 65_476, 65_477]
    for (index, length) in lengths.enumerated() {
      let text = generator.bytes(length)
      let number = UInt64(index) + kind.firstNumber
      let expected = try ends.reference(text, number: number | flag)
      #expect(ends.seal(text) == expected, "\(length) bytes")
      let (outcome, packet) = ends.open(expected)
      #expect(outcome == .done && kind.text(of: packet) == text, "\(length) bytes")
    }
  }
}
