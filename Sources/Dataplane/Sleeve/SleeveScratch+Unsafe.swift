// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Wire

/// Memory of a worker in which the longest datagram lies in one piece with its outer headers.
///
/// A datagram is sealed as a whole, and in a worker's frame memory a long one is in many pieces.
///
/// Proof of safety: `base` has `length` bytes as long as this value lives, and whoever gets some of
/// them borrows it.
@safe
struct SleeveScratch: ~Copyable {
  /// Outer headers and the longest UDP payload.
  static var length: Int { SleeveEnvelope.length + SleeveEnvelope.payloadLengthMax }

  private let base: UnsafeMutablePointer<UInt8>

  init() {
    unsafe base = .allocate(capacity: SleeveScratch.length)
    unsafe base.initialize(repeating: 0, count: SleeveScratch.length)
  }

  deinit { unsafe base.deallocate() }

  /// The first `count` bytes, to read.
  @_lifetime(borrow self)
  func bytes(_ count: Int) -> Span<UInt8> {
    precondition(0...SleeveScratch.length ~= count, "bytes of the scratch memory")
    let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// A range of the bytes, to write.
  @_lifetime(&self)
  mutating func mutableBytes(_ range: Range<Int>) -> MutableSpan<UInt8> {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= SleeveScratch.length,
      "bytes of the scratch memory")
    let span = unsafe MutableSpan(_unsafeStart: base + range.lowerBound, count: range.count)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// Makes the first `count` bytes zero.
  mutating func clear(_ count: Int) {
    precondition(0...SleeveScratch.length ~= count, "bytes of the scratch memory")
    unsafe _ = memset(base, 0, count)
  }
}
