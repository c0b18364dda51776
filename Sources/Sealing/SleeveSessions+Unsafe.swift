// SPDX-License-Identifier: Apache-2.0

/// Keys, counters and replay windows of sleeve's connections, shared by all workers without locks.
///
/// One thread begins and ends sessions; any thread seals and opens, several of them at the same
/// time for one session. No number is given out twice, and nothing is opened twice.
@safe
public final class SleeveSessions: @unchecked Sendable {
  /// Sessions at a time.
  public static let capacity = 2048

  /// What came of opening a datagram.
  public enum Opening: UInt8, BitwiseCopyable, Sendable {
    /// Its records are in their place, from `plaintextOffset` on.
    case opened
    /// It is too short, changed on the way, or sealed with another key.
    case notAuthentic
    /// It was opened before, or is too old to tell.
    case replayed
  }

  /// Bytes before the records: the sender's name, the sequence number, the box's tag.
  public static let plaintextOffset = 30

  /// Maps the table.
  public init() {}

  /// Begins a session; nil if there are too many.
  ///
  /// `isOutbound` says whether we dialled the connection's TCP session.
  public func begin(_ key: SessionKey, isOutbound: Bool) -> UInt16? { nil }

  /// Ends a session and zeroes its key; to be called when no worker can come across it any more.
  public func end(_ session: UInt16) {}

  /// Seals a datagram in place: writes the sequence number and the tag and encrypts the rest.
  ///
  /// `datagram` has the sender's name, room for number and tag, and from `plaintextOffset` on the
  /// records. False if there is no such session.
  @_lifetime(datagram: copy datagram)
  public func seal(
    _ datagram: inout MutableSpan<UInt8>, isFragmentable: Bool, session: UInt16
  ) -> Bool { false }

  /// Opens a datagram in place, each once.
  @_lifetime(datagram: copy datagram)
  public func open(_ datagram: inout MutableSpan<UInt8>, session: UInt16) -> Opening {
    .notAuthentic
  }
}
