// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Who is there and who is connected with whom, as this peer knows it (wire notes, section 9).
public struct Topology: Sendable {
  /// What an update changed.
  public struct Merge: Sendable, Equatable {
    /// Peers that are new or were replaced: what gossip passes on.
    public var changed: Set<PeerName> = []
    /// All peers of the update: what a broadcast passes on.
    public var all: Set<PeerName> = []
    /// Whether our own version or short number changed, so that the others have to hear of it.
    public var isOwnChanged = false
  }

  /// Ourselves.
  public var own: PeerDescription { peers[ownName] ?? placeholder }
  /// Our name.
  public let ownName: PeerName
  /// Everybody, ourselves too, by name; connections by name.
  public private(set) var peers: [PeerName: PeerDescription] = [:]
  private let placeholder: PeerDescription

  /// A picture with nobody but ourselves; connections of `own` are ignored.
  public init(own: PeerDescription) {
    ownName = own.name
    placeholder = own
  }

  // MARK: Our own connections; each change counts our version up

  /// Adds a connection of ours; a peer that is not known yet enters the picture as `remote`.
  public mutating func addConnection(
    to remote: PeerDescription, address: String, isOutbound: Bool
  ) {}

  /// An overlay works, or does not any more.
  public mutating func setEstablished(_ isEstablished: Bool, with peer: PeerName) {}

  /// Removes a connection of ours.
  public mutating func removeConnection(with peer: PeerName) {}

  // MARK: What others say

  /// Takes an update; `random` draws short numbers.
  public mutating func merge(
    _ update: TopologyUpdate, random: inout some RandomNumberGenerator
  ) -> Merge { Merge() }

  /// Forgets everybody who cannot be reached over connections in any state.
  ///
  /// Returns whom, and whether our own short number changed because one became free.
  public mutating func collectGarbage(
    random: inout some RandomNumberGenerator
  ) -> (forgotten: [PeerName], isOwnChanged: Bool) { ([], false) }

  /// What is known now of `names`, or of everybody; names that are gone are left out.
  public func update(about names: Set<PeerName>?) -> TopologyUpdate { TopologyUpdate(peers: []) }

  /// Who owns a short number: of those that say so, the one with the lowest name.
  public func owner(of shortID: ShortID) -> PeerName? { nil }
}
