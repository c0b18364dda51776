// SPDX-License-Identifier: Apache-2.0

import CCiphers
import CSodium
import Testing

@testable import Sealing

/// Packets as libsodium's one-shot calls make them, which share no code with what is tested.
extension PacketEnds {
  /// The packet with a text and a number; that of a datagram is as it is sent, without identifier.
  func reference(_ text: [UInt8], number: UInt64) throws -> [UInt8] {
    let salt = key.salt.disclosed()
    switch kind.layout {
    case .sleeve where kind.suite == .secretbox:
      let nonce = [0x80] + [UInt8](repeating: 0, count: 15) + bigEndian(number)
      return name + bigEndian(number)
        + SecretBox.seal(text, nonce: nonce, key: try sessionKey())
    case .sleeve:
      let bits = bigEndian(number | UInt64(key.identifier) << 56)
      let (sealed, tag) = oneShot(text, nonce: salt + bits, associated: name)
      return name + bits + tag + sealed
    case .esp:
      let vector = bigEndian(number)
      let index = bigEndian(key.identifier)
      let (sealed, tag) = oneShot(text, nonce: salt + vector, associated: index + vector)
      return index + vector[4...] + vector + sealed + tag
    }
  }

  private func oneShot(
    _ text: [UInt8], nonce: [UInt8], associated: [UInt8]
  ) -> (sealed: [UInt8], tag: [UInt8]) {
    var output = [UInt8](repeating: 0, count: text.count + 16)
    let seal =
      kind.suite == .aes256gcm
      ? unsafe crypto_aead_aes256gcm_encrypt : unsafe crypto_aead_chacha20poly1305_ietf_encrypt
    unsafe _ = seal(
      &output, nil, text, UInt64(text.count), associated, UInt64(associated.count), nil, nonce,
      key.secret.disclosed())
    return (Array(output[..<text.count]), Array(output[text.count...]))
  }
}

/// The library's functions, called as `PacketCipher` does.
struct RawCipher {
  let suite: CipherSuite
  /// Whether ChaCha20-Poly1305 is what processors without AES get.
  var isPortable = false
  let key: [UInt8]
  let nonce: [UInt8]
  let associated: [UInt8]

  func seal(_ text: [UInt8]) -> (sealed: [UInt8], tag: [UInt8]) {
    var (text, tag) = (text, [UInt8](repeating: 0, count: 16))
    let (length, associatedLength) = (UInt64(text.count), UInt64(associated.count))
    if suite == .aes256gcm {
      unsafe withExpandedKey { expanded in
        unsafe cciphers_aes256gcm_seal(
          expanded, nonce, associated, associatedLength, &text, length, &tag)
      }
    } else {
      let seal =
        isPortable
        ? unsafe cciphers_portable_chacha20poly1305_seal : unsafe cciphers_chacha20poly1305_seal
      unsafe seal(key, nonce, associated, associatedLength, &text, length, &tag)
    }
    return (text, tag)
  }

  func open(_ sealed: [UInt8], tag: [UInt8]) -> [UInt8]? {
    var text = sealed
    let (length, associatedLength) = (UInt64(text.count), UInt64(associated.count))
    let openChaCha =
      isPortable
      ? unsafe cciphers_portable_chacha20poly1305_open : unsafe cciphers_chacha20poly1305_open
    let isAuthentic =
      if suite == .aes256gcm {
        unsafe withExpandedKey { expanded in
          unsafe cciphers_aes256gcm_open(
            expanded, nonce, associated, associatedLength, &text, length, tag)
        }
      } else {
        unsafe openChaCha(key, nonce, associated, associatedLength, &text, length, tag)
      }
    return isAuthentic ? text : nil
  }

  private func withExpandedKey<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
    unsafe withUnsafeTemporaryAllocation(
      byteCount: Int(CCIPHERS_AES256GCM_KEY_LENGTH), alignment: 64
    ) { memory in
      let expanded = unsafe memory.baseAddress.unsafelyUnwrapped
      unsafe cciphers_aes256gcm_expand(key, expanded)
      return unsafe body(expanded)
    }
  }
}
