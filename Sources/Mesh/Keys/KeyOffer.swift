// SPDX-License-Identifier: Apache-2.0

/// What an end that receives says of the key that it chose: 64 bytes.
///
/// Weave knows a nonce of 32 and an identifier of 4, and 28 zeros behind them. The first of these
/// is for peers of Weft: how often the connection's key, which this one is derived from, had
/// changed.
struct KeyOffer: Sendable, Equatable {
  /// Bytes of an offer.
  static let length = 64
  /// Bytes of its nonce.
  static let nonceLength = 32

  /// What the key is derived with.
  let nonce: [UInt8]
  /// By which packets name the key.
  let identifier: UInt32
  /// Of the connection's key.
  let generation: UInt8

  /// Describes a key.
  init(nonce: [UInt8], identifier: UInt32, generation: UInt8) {
    precondition(nonce.count == Self.nonceLength, "a nonce has 32 bytes")
    self.nonce = nonce
    self.identifier = identifier
    self.generation = generation
  }

  /// Reads an offer; nil if it has another length.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count == Self.length else { return nil }
    let rest = bytes.dropFirst(Self.nonceLength)
    nonce = Array(bytes.prefix(Self.nonceLength))
    identifier = UInt32(bigEndianBytes: rest.prefix(4))
    generation = rest[rest.startIndex + 4]
  }

  /// What is sent.
  var bytes: [UInt8] {
    let known = nonce + identifier.bigEndianBytes + [generation]
    return known + [UInt8](repeating: 0, count: Self.length - known.count)
  }
}

extension FixedWidthInteger {
  /// Reads bytes, the most significant first.
  init(bigEndianBytes bytes: some Sequence<UInt8>) {
    self = bytes.reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
  }

  /// The bytes, the most significant first.
  var bigEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> Self(8 * $0)) }
  }
}
