// SPDX-License-Identifier: Apache-2.0

internal import Sealing

/// Seals what one end of a session sends and opens what the other end sent.
///
/// A nonce is never sent: both ends count the messages of each direction. So all messages are to be
/// opened, each once and in order. Each end seals with its own primary password, so that the two
/// directions may have different keys; which one the other end uses its first message tells.
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

  private let isOutbound: Bool
  private let sealing: SessionKey
  /// Those that the other end may use; one as soon as that is known.
  private var opening: [SessionKey]
  /// Which one of the keys at the start the other end uses, once that is known: if there are
  /// several, when its first message is opened.
  private(set) var openingIndex: Int?
  private var sent: Numbering
  private var received: Numbering

  /// Which one of the keys at the start is the session's: the one that the end which dialled uses,
  /// so that both ends say the same.
  var agreedIndex: Int? { isOutbound ? 0 : openingIndex }

  /// The session's key; nil until it is known.
  var agreedKey: SessionKey? {
    if isOutbound { return sealing }
    return openingIndex == nil ? nil : opening.first
  }

  init(key: SessionKey, isOutbound: Bool) {
    self.init(key, others: [], isOutbound: isOutbound)
  }

  /// Seals with `key`; the other end may use any.
  init(_ key: SessionKey, others: [SessionKey], isOutbound: Bool) {
    self.isOutbound = isOutbound
    sealing = key
    opening = [key] + others
    openingIndex = others.isEmpty ? 0 : nil
    sent = Numbering(isSenderOutbound: isOutbound)
    received = Numbering(isSenderOutbound: !isOutbound)
  }

  /// Seals the next message to the end of `output`.
  mutating func seal(_ body: [UInt8], appendingTo output: inout [UInt8]) {
    SecretBox.seal(body.span, nonce: sent.nextNonce(), key: sealing, appendingTo: &output)
  }

  /// Opens the next message; nil if it is not authentic.
  mutating func open(_ box: ArraySlice<UInt8>) -> [UInt8]? {
    let nonce = received.nextNonce()
    for (index, key) in opening.enumerated() {
      guard let text = SecretBox.open(box.span, nonce: nonce, key: key) else { continue }
      if openingIndex == nil {
        openingIndex = index
        opening = [key]
      }
      return text
    }
    return nil
  }
}
