// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address with the length of its subnet's prefix, as in `10.32.0.1/12`.
///
/// The host bits may be set: an interface's address is one. `network` has them cleared.
public struct IPv4Prefix: Hashable, Sendable, BitwiseCopyable {
  /// The address as given.
  public let address: IPv4Address
  /// Bits of the network part, 0 to 32.
  public let length: UInt8

  /// Pairs an address with a prefix length; nil if the length is above 32.
  public init?(_ address: IPv4Address, length: Int) {
    guard 0...32 ~= length else { return nil }
    self.address = address
    self.length = UInt8(length)
  }

  /// Ones in the network part.
  public var mask: UInt32 { length == 0 ? 0 : ~0 << UInt32(32 - length) }

  /// The subnet's own address, host bits cleared.
  public var network: IPv4Address { IPv4Address(bits: address.bits & mask) }

  /// The subnet's broadcast address, host bits set.
  public var broadcast: IPv4Address { IPv4Address(bits: address.bits | ~mask) }

  /// Whether `other` is in the subnet.
  public func contains(_ other: IPv4Address) -> Bool { other.bits & mask == network.bits }
}

extension IPv4Prefix: LosslessStringConvertible, Codable {
  /// `address/length`.
  public var description: String { "\(address)/\(length)" }

  /// Reads `address/length`; anything else is nil.
  public init?(_ description: String) {
    let parts = description.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv4Address(String(parts[0])),
      let length = decimal(parts[1], atMost: 32)
    else { return nil }
    self.init(address, length: Int(length))
  }

  /// Decodes `address/length`.
  public init(from decoder: any Decoder) throws {
    self = try decodeText(decoder, accepted: "an address with its prefix length like 10.32.0.1/12")
  }

  /// Encodes `address/length`.
  public func encode(to encoder: any Encoder) throws {
    try encodeText(self, encoder)
  }
}
