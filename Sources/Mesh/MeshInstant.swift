// SPDX-License-Identifier: Apache-2.0

/// A moment of a clock that never goes back.
public struct MeshInstant: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Nanoseconds since some moment before the start.
  public let nanoseconds: UInt64

  /// Wraps a clock's reading.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// The moment `duration` later; a negative one leads back, at most to the clock's zero.
  public func advanced(by duration: Duration) -> MeshInstant {
    let parts = duration.components
    let change = parts.seconds &* 1_000_000_000 &+ parts.attoseconds / 1_000_000_000
    let sum = Int64(clamping: nanoseconds).addingReportingOverflow(change)
    return MeshInstant(nanoseconds: UInt64(clamping: sum.overflow ? .max : sum.partialValue))
  }

  /// How much later `other` is; negative if it is earlier.
  public func duration(to other: MeshInstant) -> Duration {
    .nanoseconds(Int64(clamping: other.nanoseconds) - Int64(clamping: nanoseconds))
  }

  /// Orders by time.
  public static func < (left: MeshInstant, right: MeshInstant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}
