// SPDX-License-Identifier: Apache-2.0

internal import CSodium

/// NaCl's secretbox: XSalsa20 and Poly1305, the tag before the text.
///
/// Why this is sound: the library reads as many bytes as the span of the text or box has, 24 of the
/// nonce and 32 of the key, and writes as many as the array has room for; all of that is checked or
/// allocated right before the call. Spans and `SecretBytes` stay valid during it.
public enum SecretBox {
  /// How much longer a sealed message is.
  public static let overhead = 16
  /// Bytes of a nonce.
  public static let nonceLength = 24

  /// Seals a message; `nonce` has 24 bytes and is never used twice with a key.
  public static func seal(_ text: [UInt8], nonce: [UInt8], key: SessionKey) -> [UInt8] {
    var box: [UInt8] = []
    seal(text.span, nonce: nonce, key: key, appendingTo: &box)
    return box
  }

  /// Seals a message to the end of `output`, which is not copied if nobody else holds it.
  public static func seal(
    _ text: Span<UInt8>, nonce: [UInt8], key: SessionKey, appendingTo output: inout [UInt8]
  ) {
    precondition(nonce.count == nonceLength, "a nonce has 24 bytes")
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: overhead + text.count))
    unsafe output.withUnsafeMutableBufferPointer { output in
      guard let box = unsafe output.baseAddress?.advanced(by: start) else { return }
      unsafe text.withUnsafeBufferPointer { text in
        unsafe key.secret.withBytes { key in
          unsafe _ = crypto_secretbox_easy(box, text.baseAddress, UInt64(text.count), nonce, key)
        }
      }
    }
  }

  /// Opens a message; nil if it is not authentic.
  public static func open(_ box: [UInt8], nonce: [UInt8], key: SessionKey) -> [UInt8]? {
    open(box.span, nonce: nonce, key: key)
  }

  /// Opens a message where it lies; nil if it is not authentic.
  public static func open(
    _ box: Span<UInt8>, nonce: [UInt8], key: SessionKey
  ) -> [UInt8]? {
    precondition(nonce.count == nonceLength, "a nonce has 24 bytes")
    guard box.count >= overhead else { return nil }
    var text = [UInt8](repeating: 0, count: box.count - overhead)
    let status = unsafe box.withUnsafeBufferPointer { box -> CInt in
      guard let address = box.baseAddress else { return -1 }
      return unsafe key.secret.withBytes { key in
        unsafe crypto_secretbox_open_easy(&text, address, UInt64(box.count), nonce, key)
      }
    }
    return status == 0 ? text : nil
  }
}
