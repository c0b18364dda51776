// SPDX-License-Identifier: Apache-2.0

import CProbe
import Sealing
import Wire

/// How frames are sealed in a measure of `seal`.
enum SealedForm: String, CaseIterable, Sendable {
  /// In sleeve's datagrams.
  case secretbox
  case aes256gcm
  case chacha20poly1305
  /// VXLAN in ESP.
  case esp

  var suite: CipherSuite {
    switch self {
    case .secretbox: .secretbox
    case .aes256gcm, .esp: .aes256gcm
    case .chacha20poly1305: .chacha20poly1305
    }
  }

  /// The competitor's cipher.
  var sodiumCipher: cprobe_cipher {
    switch self {
    case .secretbox: CPROBE_SECRETBOX
    case .aes256gcm, .esp: CPROBE_AES256GCM
    case .chacha20poly1305: CPROBE_CHACHA20POLY1305
    }
  }

  /// Bytes of a packet before its text.
  var textOffset: Int {
    self == .esp ? FrameKey.Layout.espTextOffset : FrameKey.Layout.sleeveTextOffset
  }

  /// Bytes of the text before the frame: a record's header, or those of UDP and VXLAN.
  var headerLength: Int { self == .esp ? 8 + 8 : 14 }

  /// Bytes of the text behind a frame: ESP's padding, its length, and what the text is.
  func trailerLength(frame size: Int) -> Int {
    self == .esp ? ESPEnvelope.trailerLength(innerLength: size) : 0
  }

  /// Bytes of the text, which is what is encrypted.
  func textLength(frame size: Int) -> Int {
    headerLength + size + trailerLength(frame: size)
  }

  /// Bytes of a packet.
  func packetLength(frame size: Int) -> Int {
    textOffset + textLength(frame: size) + (self == .esp ? FrameKey.Layout.espTagLength : 0)
  }

  /// The keys to seal and to open with of what goes to peer number `peer`, at most 64; nil if there
  /// is no memory for them.
  func keys(peer: Int) -> (sealing: FrameKey, opening: FrameKey)? {
    // Any will do: it is not secret here.
    guard let base = SessionKey(bytes: (0..<32).map { UInt8($0 + peer) }) else { return nil }
    let key = { (isSealing: Bool) in
      self == .secretbox
        ? FrameKey(secretbox: base, isSenderOutbound: true, isSealing: isSealing)
        : FrameKey(
          suite, layout: self == .esp ? .esp : .sleeve, isSealing: isSealing,
          identifier: self == .esp ? 0x1000 + UInt32(peer) : UInt32(peer), from: base,
          nonce: Array(repeating: 7, count: 32), info: Array(repeating: UInt8(peer), count: 8))
    }
    return (key(true), key(false))
  }
}
