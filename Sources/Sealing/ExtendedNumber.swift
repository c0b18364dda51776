// SPDX-License-Identifier: Apache-2.0

/// The 64 bits of a number of ESP of which the packet has the lower half.
enum ExtendedNumber {
  /// How far behind the newest number one may be and still be taken for late, not for one that
  /// comes 2^32 later.
  ///
  /// It is the W of RFC 4303, and much more than what the window remembers, so that what is too old
  /// is told from what was changed. Ahead of the newest there are still three times as many.
  private static let reach: UInt32 = 1 << 30

  /// Derives the higher half from the newest number that was accepted (RFC 4303, appendix A2.2).
  @inline(__always)
  static func full(low: UInt32, newest: UInt64) -> UInt64 {
    let newestLow = UInt32(truncatingIfNeeded: newest)
    let newestHigh = newest >> 32
    let bottom = newestLow &- (reach - 1)
    if newestLow >= reach - 1 {
      return (low >= bottom ? newestHigh : newestHigh &+ 1) << 32 | UInt64(low)
    }
    // What is late goes back over the border, but there is nothing before the first half.
    let isBefore = low >= bottom && newestHigh > 0
    return (isBefore ? newestHigh &- 1 : newestHigh) << 32 | UInt64(low)
  }
}
