// SPDX-License-Identifier: Apache-2.0

internal import Sealing

/// Seals what one end of a session sends and opens what the other end sent.
///
/// A nonce is never sent: both ends count the messages of each direction. So all messages are to be
/// opened, each once and in order.
struct LinkCipher: Sendable {
  /// How messages of one direction are numbered.
  private struct Numbering: Sendable {
    /// 0xC0 if the end that dialled is the sender, else 0x40.
    let mark: UInt8
    var count: UInt64 = 0

    init(isSenderOutbound: Bool) { mark = isSenderOutbound ? 0xC0 : 0x40 }

    mutating func nextNonce() -> [UInt8] {
      var nonce = [UInt8](repeating: 0, count: SecretBox.nonceLength)
      nonce[0] = mark
      for index in 0..<8 {
        nonce[16 + index] = UInt8(truncatingIfNeeded: count >> UInt64(56 - 8 * index))
      }
      // 2⁶⁴ messages are more than any session has.
      count &+= 1
      return nonce
    }
  }

  let key: SessionKey
  private var sent: Numbering
  private var received: Numbering

  init(key: SessionKey, isOutbound: Bool) {
    self.key = key
    sent = Numbering(isSenderOutbound: isOutbound)
    received = Numbering(isSenderOutbound: !isOutbound)
  }

  /// Seals the next message to the end of `output`.
  mutating func seal(_ body: [UInt8], appendingTo output: inout [UInt8]) {
    SecretBox.seal(body.span, nonce: sent.nextNonce(), key: key, appendingTo: &output)
  }

  /// Opens the next message; nil if it is not authentic.
  mutating func open(_ box: ArraySlice<UInt8>) -> [UInt8]? {
    SecretBox.open(box.span, nonce: received.nextNonce(), key: key)
  }
}
