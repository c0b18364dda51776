// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address with a TCP or UDP port.
public struct SocketAddress: Hashable, Sendable, BitwiseCopyable {
  /// The host.
  public var address: IPv4Address
  /// The port.
  public var port: UInt16

  /// Pairs an address with a port.
  @inlinable
  public init(_ address: IPv4Address, port: UInt16) {
    self.address = address
    self.port = port
  }
}

extension SocketAddress: LosslessStringConvertible, Codable {
  /// `a.b.c.d:port`.
  public var description: String { "\(address):\(port)" }

  /// Reads `a.b.c.d:port` in decimal without leading zeros; anything else is nil.
  public init?(_ description: String) {
    let parts = description.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv4Address(String(parts[0])),
      let port = decimal(parts[1], atMost: 65_535)
    else { return nil }
    self.init(address, port: UInt16(port))
  }

  /// Decodes the textual form.
  public init(from decoder: any Decoder) throws {
    self = try decodeText(decoder, accepted: "an address like 192.0.2.1:6783")
  }

  /// Encodes the textual form.
  public func encode(to encoder: any Encoder) throws {
    try encodeText(self, encoder)
  }
}
