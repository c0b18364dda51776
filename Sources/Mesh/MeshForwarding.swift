// SPDX-License-Identifier: Apache-2.0

public import Inet

/// What the data plane has to know of the mesh.
///
/// Routes are those over connections that both ends call established. Every neighbour that a route
/// names is in `neighbours` and established.
public struct MeshForwarding: Sendable, Equatable {
  /// A peer we are connected with.
  public struct Neighbour: Sendable, Equatable {
    /// Who it is.
    public var name: PeerName
    /// Where its overlay receives: its underlay address, and the port of its mesh.
    public var address: SocketAddress
    /// Our end's address.
    public var local: SocketAddress
    /// Whether both ends speak VXLAN as Weft peers do.
    public var hasVXLAN: Bool
    /// Whether the overlay works.
    public var isEstablished: Bool
    /// Whether frames to it have to be encrypted.
    public var isEncrypted: Bool

    /// Describes a neighbour.
    public init(
      name: PeerName, address: SocketAddress, local: SocketAddress, hasVXLAN: Bool,
      isEstablished: Bool, isEncrypted: Bool
    ) {
      self.name = name
      self.address = address
      self.local = local
      self.hasVXLAN = hasVXLAN
      self.isEstablished = isEstablished
      self.isEncrypted = isEncrypted
    }
  }

  /// A peer frames can be sent to.
  public struct Peer: Sendable, Equatable {
    /// Who it is.
    public var name: PeerName
    /// Its short number, if it owns one.
    public var shortID: ShortID?
    /// The neighbour that frames for it go to; nil if there is no way.
    public var nextHop: PeerName?
    /// The neighbours that a flood from this peer is passed on to.
    public var broadcast: [PeerName]

    /// Describes a peer.
    public init(name: PeerName, shortID: ShortID?, nextHop: PeerName?, broadcast: [PeerName]) {
      self.name = name
      self.shortID = shortID
      self.nextHop = nextHop
      self.broadcast = broadcast
    }
  }

  /// Our own short number.
  public var shortID: ShortID
  /// Everybody we are connected with whose overlay's address is known, by name.
  public var neighbours: [Neighbour]
  /// Every other peer, by name.
  public var peers: [Peer]
  /// The neighbours that our own floods go to, by name.
  public var broadcast: [PeerName]

  /// Puts a picture together.
  public init(
    shortID: ShortID, neighbours: [Neighbour], peers: [Peer], broadcast: [PeerName]
  ) {
    self.shortID = shortID
    self.neighbours = neighbours
    self.peers = peers
    self.broadcast = broadcast
  }
}
