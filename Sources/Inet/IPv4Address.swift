// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, BitwiseCopyable {
  /// The address as a number; the first octet is the most significant.
  public let bits: UInt32

  /// Makes an address of its number.
  @inlinable
  public init(bits: UInt32) {
    self.bits = bits
  }

  /// 224.0.0.0/4 (RFC 5771).
  @inlinable
  public var isMulticast: Bool { bits >> 28 == 0xE }

  /// Whether one host may have this address: not 0.0.0.0/8, 127.0.0.0/8, multicast or reserved.
  public var isUnicast: Bool {
    let first = bits >> 24
    return first != 0 && first != 127 && first < 224
  }
}

extension IPv4Address: LosslessStringConvertible, Codable, Comparable {
  /// Dotted decimal.
  public var description: String {
    [24, 16, 8, 0].map { String(bits >> UInt32($0) & 0xFF) }.joined(separator: ".")
  }

  /// Reads four decimal octets without leading zeros; anything else is nil.
  public init?(_ description: String) {
    let octets = description.split(separator: ".", omittingEmptySubsequences: false)
    guard octets.count == 4 else { return nil }
    var bits: UInt32 = 0
    for octet in octets {
      guard let value = decimal(octet, atMost: 255) else { return nil }
      bits = bits << 8 | value
    }
    self.init(bits: bits)
  }

  /// Orders addresses as numbers.
  public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }

  /// Decodes dotted decimal.
  public init(from decoder: any Decoder) throws {
    self = try decodeText(decoder, accepted: "an IPv4 address like 192.0.2.1")
  }

  /// Encodes dotted decimal.
  public func encode(to encoder: any Encoder) throws {
    try encodeText(self, encoder)
  }
}

/// A decimal number without sign or leading zeros, at most `limit`.
func decimal(_ text: Substring, atMost limit: UInt32) -> UInt32? {
  guard !text.isEmpty, text.utf8.count <= 10, text.utf8.allSatisfy({ 48...57 ~= $0 }),
    text.utf8.count == 1 || text.utf8.first != 48, let value = UInt32(text), value <= limit
  else { return nil }
  return value
}
