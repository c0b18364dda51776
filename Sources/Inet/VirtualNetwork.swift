// SPDX-License-Identifier: Apache-2.0

/// A VXLAN network identifier, 24 bits (RFC 7348, section 5).
public struct VirtualNetwork: Hashable, Sendable, BitwiseCopyable {
  /// The identifier, below 2²⁴.
  public let bits: UInt32

  /// Takes the low 24 bits of `bits`.
  @inlinable
  public init(bits: UInt32) {
    self.bits = bits & 0xFF_FFFF
  }
}

extension VirtualNetwork: CustomStringConvertible {
  /// The identifier in decimal.
  public var description: String { String(bits) }
}
