// SPDX-License-Identifier: Apache-2.0

/// The checksum of IPv4, ICMP, UDP and TCP (RFC 1071).
///
/// A sum is first kept wide and unfolded, so that parts can be added up in any order; `fold` makes
/// the 16-bit one's-complement sum of it. The field in a header holds the complement of that. A
/// block that contains its own correct checksum has the sum 0xFFFF.
public enum InternetChecksum {
  /// The sum of `bytes` as big-endian 16-bit words, not folded; an odd last byte is padded with 0.
  ///
  /// Cannot overflow below 2³² bytes. A block that follows others must start at an even distance
  /// from the first (RFC 1071, section 2).
  @inlinable
  public static func sum(_ bytes: Span<UInt8>) -> UInt64 {
    var sum: UInt64 = 0
    var rest = bytes
    // Shortening the span keeps the offsets constant, and with that the loop free of checks.
    while rest.count >= 8 {
      sum &+= UInt64(rest.loadUInt32(at: 0)) &+ UInt64(rest.loadUInt32(at: 4))
      rest = rest.extracting(droppingFirst: 8)
    }
    while rest.count >= 2 {
      sum &+= UInt64(rest.loadUInt16(at: 0))
      rest = rest.extracting(droppingFirst: 2)
    }
    return rest.count == 1 ? sum &+ UInt64(rest[0]) << 8 : sum
  }

  /// The one's-complement sum of two wide sums: a carry out of 64 bits is added back in.
  @inlinable
  @inline(__always)
  static func add(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, isCarrying) = left.addingReportingOverflow(right)
    return sum &+ (isCarrying ? 1 : 0)
  }

  /// Adds carries back in until 16 bits are left; 0 comes only of 0.
  @inlinable
  @inline(__always)
  public static func fold(_ sum: UInt64) -> UInt16 {
    var folded = (sum >> 32) &+ (sum & 0xFFFF_FFFF)
    folded = (folded >> 16) &+ (folded & 0xFFFF)
    folded = (folded >> 16) &+ (folded & 0xFFFF)
    folded = (folded >> 16) &+ (folded & 0xFFFF)
    return UInt16(truncatingIfNeeded: folded)
  }

  /// The checksum after one 16-bit word of what it covers has changed (RFC 1624, equation 3).
  @inlinable
  @inline(__always)
  public static func updated(
    _ checksum: UInt16, replacing oldWord: UInt16, with newWord: UInt16
  ) -> UInt16 {
    ~fold(UInt64(~checksum) &+ UInt64(~oldWord) &+ UInt64(newWord))
  }
}
