// SPDX-License-Identifier: Apache-2.0

/// A 48-bit IEEE 802 MAC address.
public struct MACAddress: Hashable, Sendable, BitwiseCopyable {
  /// The address as a number below 2⁴⁸; the first octet on the wire is the most significant.
  public let bits: UInt64

  /// Takes the low 48 bits of `bits`.
  @inlinable
  public init(bits: UInt64) {
    self.bits = bits & 0xFFFF_FFFF_FFFF
  }

  /// ff:ff:ff:ff:ff:ff.
  @inlinable
  public static var broadcast: MACAddress { MACAddress(bits: 0xFFFF_FFFF_FFFF) }

  /// 00:00:00:00:00:00, which no station may have.
  @inlinable
  public static var zero: MACAddress { MACAddress(bits: 0) }

  /// Whether the group bit is set: multicast, and broadcast as one case of it (IEEE 802-2014,
  /// section 8.2.2).
  @inlinable
  public var isMulticast: Bool { bits & 0x0100_0000_0000 != 0 }

  /// Whether one station may have this address as its own.
  @inlinable
  public var isStation: Bool { !isMulticast && bits != 0 }
}

extension MACAddress: LosslessStringConvertible, Codable {
  /// Six octets in lower-case hexadecimal, joined by colons.
  public var description: String {
    (0..<6).map { index in
      let octet = UInt8(truncatingIfNeeded: bits >> UInt64(40 - 8 * index))
      return (octet < 16 ? "0" : "") + String(octet, radix: 16)
    }.joined(separator: ":")
  }

  /// Reads six octets of exactly two hexadecimal digits, joined by colons; anything else is nil.
  public init?(_ description: String) {
    let octets = description.split(separator: ":", omittingEmptySubsequences: false)
    guard octets.count == 6 else { return nil }
    var bits: UInt64 = 0
    for octet in octets {
      guard octet.utf8.count == 2, octet.allSatisfy(\.isHexDigit),
        let value = UInt8(octet, radix: 16)
      else { return nil }
      bits = bits << 8 | UInt64(value)
    }
    self.init(bits: bits)
  }

  /// Decodes the textual form.
  public init(from decoder: any Decoder) throws {
    self = try decodeText(decoder, accepted: "six octets like 02:00:00:00:00:0a")
  }

  /// Encodes the textual form.
  public func encode(to encoder: any Encoder) throws {
    try encodeText(self, encoder)
  }
}

/// Decodes a value from its textual form; `accepted` says what a right one looks like.
func decodeText<Value: LosslessStringConvertible>(
  _ decoder: any Decoder, accepted: String
) throws -> Value {
  let container = try decoder.singleValueContainer()
  let text = try container.decode(String.self)
  guard let value = Value(text) else {
    throw DecodingError.dataCorruptedError(
      in: container, debugDescription: "'\(text)' is not accepted: give \(accepted)")
  }
  return value
}

func encodeText(_ value: some CustomStringConvertible, _ encoder: any Encoder) throws {
  var container = encoder.singleValueContainer()
  try container.encode(value.description)
}
