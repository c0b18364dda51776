// SPDX-License-Identifier: Apache-2.0

public import Gob
public import Inet

/// A peer and its connections, as one peer tells another.
public struct PeerDescription: Sendable, Equatable {
  /// A connection as the peer sees it.
  public struct Connection: Sendable, Equatable {
    /// Who is at the other end.
    public var peer: PeerName
    /// The other end's TCP address, as text that need not be an address.
    public var address: String
    /// Whether the peer dialled.
    public var isOutbound: Bool
    /// Whether an overlay works over it.
    public var isEstablished: Bool

    /// Describes a connection.
    public init(peer: PeerName, address: String, isOutbound: Bool, isEstablished: Bool) {
      self.peer = peer
      self.address = address
      self.isOutbound = isOutbound
      self.isEstablished = isEstablished
    }
  }

  /// Its name.
  public var name: PeerName
  /// What its people call it.
  public var nickname: String
  /// Drawn at its start; 0 for a peer that is only known by name.
  public var uid: UInt64
  /// Counts its changes.
  public var version: UInt64
  /// Its short number, if it has one.
  public var shortID: ShortID?
  /// Its connections, by name.
  public var connections: [Connection]

  /// Describes a peer.
  public init(
    name: PeerName, nickname: String, uid: UInt64, version: UInt64, shortID: ShortID?,
    connections: [Connection]
  ) {
    self.name = name
    self.nickname = nickname
    self.uid = uid
    self.version = version
    self.shortID = shortID
    self.connections = connections
  }
}

/// What travels on the channel `topology`.
public struct TopologyUpdate: Sendable, Equatable {
  /// The peers that it is about.
  public var peers: [PeerDescription]

  /// Wraps peers.
  public init(peers: [PeerDescription]) { self.peers = peers }

  /// Reads an update to its end.
  public init(gob: [UInt8]) throws(GobError) { throw GobError(.truncated, offset: 0) }

  /// The update on the wire.
  public var gob: [UInt8] { [] }
}
