// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Who is there and who is connected with whom, as this peer knows it (wire notes, section 9).
///
/// Every connection of a peer in the picture leads to a peer in the picture, if only to a
/// placeholder: a name with UID 0 and version 0 that somebody mentioned and nobody described. Only
/// when there are as many peers as are kept, it may lead nowhere. The unknown name is never part of
/// it; what others say about it is ignored.
public struct Topology: Sendable {
  /// What an update changed.
  public struct Merge: Sendable, Equatable {
    /// Peers that are new or were replaced: what gossip passes on.
    public var changed: Set<PeerName> = []
    /// All peers of the update: what a broadcast passes on.
    public var all: Set<PeerName> = []
    /// Whether our own version or short number changed, so that the others have to hear of it.
    public var isOwnChanged = false
    /// Whether our short number changed.
    public var isRenumbered = false
    /// Descriptions and names that there was no room for.
    public var leftOutCount = 0
  }

  /// How much of what others say is kept.
  public struct Limits: Sendable, Equatable {
    /// Peers at most, with placeholders; beyond that only those that we are connected with.
    public var peerCount = 8192
    /// Connections of all peers together; beyond that descriptions with more of them than their
    /// peer's share are not taken.
    public var connectionCount = 1 << 18
    /// Connections that a peer may have in any case.
    public var peerShare = 32
    /// Connections that a peer may have in any case if we are connected with it.
    public var neighbourShare = 1024
    /// Connections of one peer at most; the rest is left out.
    public var connectionCountOfPeer = 8192
    /// The longest address in bytes of UTF-8, which any of IPv6 with a port has; a longer one is
    /// replaced by none.
    public var addressLength = 48
    /// The longest nickname in bytes of UTF-8, which any host's name has; the rest of a longer one
    /// is cut off.
    public var nicknameLength = 256

    /// The defaults.
    public init() {}
  }

  /// Ourselves.
  public var own: PeerDescription { peers[ownName] ?? placeholder }
  /// Our name.
  public let ownName: PeerName
  /// How much is kept.
  public let limits: Limits
  /// Everybody, ourselves too, by name; connections by name.
  public internal(set) var peers: [PeerName: PeerDescription] = [:]
  /// Connections of all peers together.
  public internal(set) var connectionCount = 0
  var owners = ShortIDOwners()
  private let placeholder: PeerDescription

  /// A picture with nobody but ourselves; connections of `own` are ignored.
  public init(own: PeerDescription, limits: Limits = Limits()) {
    ownName = own.name
    self.limits = limits
    var alone = own
    alone.connections = []
    placeholder = alone
    replace(alone)
  }

  /// What is known now of `names`, or of everybody, by name; names that are gone are left out.
  public func update(about names: Set<PeerName>?) -> TopologyUpdate {
    guard let names else { return TopologyUpdate(peers: peers.keys.sorted().compactMap(peer)) }
    return TopologyUpdate(peers: names.sorted().compactMap(peer))
  }

  /// Who owns a short number: of those that say so, the one with the lowest name.
  public func owner(of shortID: ShortID) -> PeerName? { owners[shortID] }

  private func peer(_ name: PeerName) -> PeerDescription? { peers[name] }

  /// Puts a peer in the place of what was known of it; `owners.refresh` is due afterwards.
  mutating func replace(_ peer: PeerDescription) {
    let known = peers.updateValue(peer, forKey: peer.name)
    connectionCount += peer.connections.count - (known?.connections.count ?? 0)
    guard known?.shortID != peer.shortID else { return }
    owners.release(known?.shortID, by: peer.name)
    owners.claim(peer.shortID, by: peer.name)
  }

  /// Counts our version up; at the very end, where only a hostile peer can bring it, it stays.
  mutating func countVersionUp(beyond version: UInt64) {
    peers[ownName]?.version = version == .max ? .max : version + 1
  }
}

// MARK: - Our own connections; each change counts our version up

extension Topology {
  /// Adds a connection of ours.
  ///
  /// A peer that is not known yet enters the picture as `remote`, though without connections.
  /// Another connection with the same peer is replaced.
  public mutating func addConnection(
    to remote: PeerDescription, address: String, isOutbound: Bool
  ) {
    guard remote.name != ownName, remote.name != .unknown else { return }
    if peers[remote.name] == nil {
      var peer = remote
      peer.connections = []
      replace(limited(peer))
    }
    let connection = PeerDescription.Connection(
      peer: remote.name, address: address, isOutbound: isOutbound, isEstablished: false)
    changeOwnConnections(with: remote.name) { connections, index, isThere in
      if isThere { connections.remove(at: index) }
      connections.insert(connection, at: index)
      return true
    }
  }

  /// An overlay works, or does not any more.
  public mutating func setEstablished(_ isEstablished: Bool, with peer: PeerName) {
    changeOwnConnections(with: peer) { connections, index, isThere in
      guard isThere, connections[index].isEstablished != isEstablished else { return false }
      connections[index].isEstablished = isEstablished
      return true
    }
  }

  /// Removes a connection of ours.
  public mutating func removeConnection(with peer: PeerName) {
    changeOwnConnections(with: peer) { connections, index, isThere in
      if isThere { connections.remove(at: index) }
      return isThere
    }
  }

  /// Has `change` look at the place of a peer in our connections; it says whether it did anything.
  private mutating func changeOwnConnections(
    with peer: PeerName,
    _ change: (inout [PeerDescription.Connection], _ index: Int, _ isThere: Bool) -> Bool
  ) {
    var own = own
    let index = own.connections.firstIndex { $0.peer >= peer } ?? own.connections.endIndex
    let isThere = index < own.connections.endIndex && own.connections[index].peer == peer
    guard change(&own.connections, index, isThere) else { return }
    replace(own)
    countVersionUp(beyond: own.version)
  }
}
