// SPDX-License-Identifier: Apache-2.0

public import Inet

/// What the data plane has to know of the mesh.
///
/// Routes are those over connections that both ends call established. Every neighbour that a route
/// names is in `neighbours` and established.
public struct MeshForwarding: Sendable, Equatable {
  /// A peer we are connected with, from the moment on that overlays may be tried.
  public struct Neighbour: Sendable, Equatable {
    /// How one overlay reaches it.
    public struct Link: Sendable, Equatable {
      /// Where its datagrams go; nil: that is not known yet.
      public var remote: SocketAddress?
      /// Our UDP port that its datagrams come to.
      public var localPort: UInt16
      /// Whether it may carry frames.
      public var isWorking: Bool
      /// Longest inner frame, in bytes with its Ethernet header, that goes in one piece which the
      /// underlay may not fragment.
      public var frameLengthMax: Int
      /// The same of heartbeats and tests, whatever the other end's containers may send: if it is
      /// less, the other end would hear nothing of us.
      public var probeLengthMax: Int
      /// Longest UDP payload of sleeve that goes in one piece; 0 of VXLAN.
      public var datagramLengthMax: Int
      /// Whether longer datagrams arrive in fragments; proven by a test.
      public var mayFragment: Bool
      /// Its keys; nil if nothing is sealed.
      public var security: LinkSecurity?

      /// Describes a link.
      public init(
        remote: SocketAddress?, localPort: UInt16, isWorking: Bool, frameLengthMax: Int,
        datagramLengthMax: Int, mayFragment: Bool, probeLengthMax: Int? = nil,
        security: LinkSecurity? = nil
      ) {
        self.remote = remote
        self.localPort = localPort
        self.isWorking = isWorking
        self.frameLengthMax = frameLengthMax
        self.probeLengthMax = probeLengthMax ?? frameLengthMax
        self.datagramLengthMax = datagramLengthMax
        self.mayFragment = mayFragment
        self.security = security
      }
    }

    /// Who it is.
    public var name: PeerName
    /// The connection's number, the same at both ends; a new connection has a new one.
    public var connectionUID: UInt64
    /// Our end of the TCP session, whose address datagrams are sent from.
    public var local: SocketAddress
    /// Whether frames have to be sealed, by whichever overlay.
    public var isSealed: Bool
    /// VXLAN; nil: not common to both ends, or given up.
    public var fastdp: Link?
    /// Sleeve; nil: not common to both ends, or given up.
    public var sleeve: Link?
    /// What carries frames now; nil: the connection is not established.
    public var chosen: OverlayKind?

    /// Whether frames can be sent to it.
    public var isEstablished: Bool { chosen != nil }

    /// Describes a neighbour.
    public init(
      name: PeerName, connectionUID: UInt64, local: SocketAddress, isSealed: Bool,
      fastdp: Link?, sleeve: Link?, chosen: OverlayKind?
    ) {
      self.name = name
      self.connectionUID = connectionUID
      self.local = local
      self.isSealed = isSealed
      self.fastdp = fastdp
      self.sleeve = sleeve
      self.chosen = chosen
    }
  }

  /// A peer frames can be sent to.
  public struct Peer: Sendable, Equatable {
    /// Who it is.
    public var name: PeerName
    /// Its short number, if it owns one; without one it is reached by sleeve alone.
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

  /// Our own short number, if we own it; without one nothing goes or comes by VXLAN.
  public var shortID: ShortID?
  /// Everybody we are connected with, by name.
  public var neighbours: [Neighbour]
  /// Every other peer, by name.
  public var peers: [Peer]
  /// The neighbours that our own floods go to, by name.
  public var broadcast: [PeerName]

  /// Puts a picture together.
  public init(
    shortID: ShortID?, neighbours: [Neighbour], peers: [Peer], broadcast: [PeerName]
  ) {
    self.shortID = shortID
    self.neighbours = neighbours
    self.peers = peers
    self.broadcast = broadcast
  }
}
