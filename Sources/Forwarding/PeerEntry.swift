// SPDX-License-Identifier: Apache-2.0

/// What the snapshot stores under a short number: its peer, and whom the peer's floods go on to.
public struct PeerEntry: BitwiseCopyable, Sendable, Equatable {
  /// The number of the peer's endpoint, or `nobody`.
  public var endpoint: UInt16
  /// Neighbours that floods from the peer are passed on to.
  public var relayCount: UInt16
  /// Where the list of them begins in the snapshot's `relays`.
  public var firstRelay: UInt32

  /// Stands for a number that nobody has; no endpoint and no short number.
  @inlinable public static var nobody: UInt16 { .max }

  /// The entry of a number that nobody has.
  public static var empty: PeerEntry {
    PeerEntry(endpoint: nobody, relayCount: 0, firstRelay: 0)
  }

  /// Pairs an endpoint's number with its list.
  public init(endpoint: UInt16, relayCount: UInt16, firstRelay: UInt32) {
    self.endpoint = endpoint
    self.relayCount = relayCount
    self.firstRelay = firstRelay
  }

  /// The list's places in `relays`, as far as there are `count` of them.
  @inlinable
  public func relayPlaces(of count: Int) -> Range<Int> {
    let first = min(Int(firstRelay), count)
    return first..<min(first &+ Int(relayCount), count)
  }
}
