// SPDX-License-Identifier: Apache-2.0

/// What was done with a key.
public struct KeyCounts: Sendable, Equatable {
  /// Packets that were sealed.
  public var sealed: UInt64 = 0
  /// Packets that were opened.
  public var opened: UInt64 = 0
  /// Packets that were changed on the way, or sealed with another key.
  public var notAuthentic: UInt64 = 0
  /// Packets that were opened before, or were too old to tell.
  public var replayed: UInt64 = 0
  /// The highest number that was given out, or accepted, so far.
  public var newestNumber: UInt64 = 0

  /// Nothing was done.
  public init() {}

  /// Adds what was done with another key.
  public mutating func add(_ other: KeyCounts) {
    sealed &+= other.sealed
    opened &+= other.opened
    notAuthentic &+= other.notAuthentic
    replayed &+= other.replayed
    newestNumber = max(newestNumber, other.newestNumber)
  }
}
