// SPDX-License-Identifier: Apache-2.0

internal import CSodium

/// Keys made of other keys.
///
/// Why this is sound: every call of the library is given memory of exactly the lengths that it
/// reads and writes; `SecretBytes` lends its bytes for the time of the call.
extension SecretBytes {
  /// The subkey of XSalsa20 for what one end of a connection seals in sleeve: HSalsa20 of the key
  /// and the first 16 bytes of the nonce, which say only who sends.
  func subkey(isSenderOutbound: Bool) -> SecretBytes {
    precondition(count == SessionKey.length, "a session's key has 32 bytes")
    var nonce = [UInt8](repeating: 0, count: 16)
    nonce[0] = isSenderOutbound ? 0x80 : 0
    return unsafe withBytes { key in
      unsafe SecretBytes(count: 32) { output in
        unsafe _ = crypto_core_hsalsa20(output, nonce, key, nil)
      }
    }
  }

  /// A key of 32 bytes and 4 more, by HKDF-SHA256 (RFC 5869).
  func derived(salt: [UInt8], info: [UInt8]) -> (key: SecretBytes, salt: SecretBytes) {
    let pseudorandom = SecretBytes.authenticator(of: self, by: salt)
    let first = pseudorandom.authenticator(of: info + [1])
    let second = first.authenticated(by: pseudorandom, before: info + [2])
    return (first, second.prefix(4))
  }

  /// HMAC-SHA256 of a message with these bytes as the key.
  func authenticator(of message: [UInt8]) -> SecretBytes {
    unsafe withBytes { key in
      unsafe hmac(key, count) { state in
        unsafe _ = crypto_auth_hmacsha256_update(&state, message, UInt64(message.count))
      }
    }
  }

  /// HMAC-SHA256 of a message and then secret bytes, with these bytes as the key.
  func authenticator(of message: [UInt8], followedBy tail: SecretBytes) -> SecretBytes {
    unsafe withBytes { key in
      unsafe hmac(key, count) { state in
        unsafe _ = crypto_auth_hmacsha256_update(&state, message, UInt64(message.count))
        unsafe tail.withBytes { bytes in
          unsafe _ = crypto_auth_hmacsha256_update(&state, bytes, UInt64(tail.count))
        }
      }
    }
  }

  /// A copy of the bytes of something that may be known.
  func disclosed() -> [UInt8] {
    unsafe withBytes { bytes in unsafe Array(UnsafeBufferPointer(start: bytes, count: count)) }
  }

  /// HMAC-SHA256 of these bytes and then others.
  private func authenticated(by key: SecretBytes, before tail: [UInt8]) -> SecretBytes {
    unsafe key.withBytes { bytes in
      unsafe hmac(bytes, key.count) { state in
        unsafe withBytes { text in
          unsafe _ = crypto_auth_hmacsha256_update(&state, text, UInt64(count))
        }
        unsafe _ = crypto_auth_hmacsha256_update(&state, tail, UInt64(tail.count))
      }
    }
  }

  /// HMAC-SHA256 of secret bytes with a key that is none.
  private static func authenticator(of text: SecretBytes, by key: [UInt8]) -> SecretBytes {
    unsafe text.hmac(key, key.count) { state in
      unsafe text.withBytes { bytes in
        unsafe _ = crypto_auth_hmacsha256_update(&state, bytes, UInt64(text.count))
      }
    }
  }

  @unsafe
  private func hmac(
    _ key: UnsafePointer<UInt8>, _ keyCount: Int,
    _ update: (inout crypto_auth_hmacsha256_state) -> Void
  ) -> SecretBytes {
    var state = crypto_auth_hmacsha256_state()
    unsafe crypto_auth_hmacsha256_init(&state, key, keyCount)
    update(&state)
    let result = unsafe SecretBytes(count: 32) { output in
      unsafe _ = crypto_auth_hmacsha256_final(&state, output)
    }
    unsafe sodium_memzero(&state, MemoryLayout<crypto_auth_hmacsha256_state>.size)
    return result
  }

  /// A copy of the first bytes.
  func prefix(_ length: Int) -> SecretBytes {
    unsafe withBytes { bytes in
      unsafe SecretBytes(count: length) { output in
        unsafe output.update(from: bytes, count: length)
      }
    }
  }
}
