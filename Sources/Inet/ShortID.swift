// SPDX-License-Identifier: Apache-2.0

/// A peer's short number, 12 bits, of which two fit a VXLAN network identifier.
///
/// Peers draw theirs at random; of those with the same one only the peer with the lowest name owns
/// it, and the others draw again.
public struct ShortID: Hashable, Sendable, BitwiseCopyable, Comparable {
  /// The number, from 0 to 4095.
  public let number: UInt16

  /// How many there are.
  public static let count = 4096

  /// Wraps a number; nil above 4095.
  @inlinable
  public init?(_ number: some BinaryInteger) {
    guard let number = UInt16(exactly: number), number < 4096 else { return nil }
    self.number = number
  }

  /// Takes the low 12 bits.
  @inlinable
  public init(truncating bits: UInt32) {
    number = UInt16(truncatingIfNeeded: bits & 0xFFF)
  }

  /// Orders by number.
  public static func < (left: ShortID, right: ShortID) -> Bool { left.number < right.number }
}

extension VirtualNetwork {
  /// The network identifier of frames from `source` for `destination`: destination in the high 12
  /// bits.
  @inlinable
  public init(from source: ShortID, to destination: ShortID) {
    self.init(bits: UInt32(destination.number) << 12 | UInt32(source.number))
  }

  /// The short number of the peer where the frame came in.
  @inlinable
  public var source: ShortID { ShortID(truncating: bits) }

  /// The short number of the peer that the frame is for.
  @inlinable
  public var destination: ShortID { ShortID(truncating: bits >> 12) }
}
