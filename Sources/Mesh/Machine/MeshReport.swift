// SPDX-License-Identifier: Apache-2.0

public import Inet

/// The mesh as its people see it.
public struct MeshReport: Sendable, Equatable {
  /// A connection, or an address that is to become one.
  public struct Connection: Sendable, Equatable {
    /// The words of `weft status connections`.
    public enum State: String, Sendable {
      case pending, established, failed, retrying, connecting, waiting, suspended
    }

    /// The other end's address.
    public var address: String
    /// Whether we dial.
    public var isOutbound: Bool
    /// How far it is.
    public var state: State
    /// Whether its TCP session is encrypted; nil if there is no session.
    public var isEncrypted: Bool?
    /// How its frames are sealed, by the name of the suite; nil if they are not.
    public var suite: String?
    /// Who is at the other end; nil if that is not known.
    public var peer: PeerName?
    /// What the other end's people call it.
    public var nickname: String = ""
    /// The overlay that carries frames, or may; nil if there is none yet.
    public var overlay: String?
    /// Why that one, and not the one before or a better one; empty before the first.
    public var overlayReason = ""
    /// How outer packets leave this host, `xdp` or `socket`; nil as long as none do.
    public var underlay: String?
    /// Why by sockets; empty if not so.
    public var underlayReason = ""
    /// Why it failed, with what to do; empty if it did not.
    public var problem = ""
    /// Until the next attempt; nil: none is planned.
    public var retryAfter: Duration?
    /// The overlay's own words: `name`, `mtu`, `encrypted`.
    public var attributes: [String: String] = [:]

    /// Describes a connection.
    public init(address: String, isOutbound: Bool, state: State) {
      self.address = address
      self.isOutbound = isOutbound
      self.state = state
    }
  }

  /// What happened since the start.
  public struct Counts: Sendable, Equatable {
    /// Connections that ended.
    public var terminations: UInt64 = 0
    /// Sessions that ended before they were connections, by reason.
    public var refusals: [String: UInt64] = [:]
    /// Gossip messages received.
    public var gossipReceived: UInt64 = 0
    /// Gossip messages sent or passed on, once for each neighbour.
    public var gossipSent: UInt64 = 0
    /// Messages that were too long to be sent.
    public var unsentMessages: UInt64 = 0
    /// Descriptions and names of peers that were not taken, as there was no room for more.
    public var leftOutPeers: UInt64 = 0
    /// Messages with a tag that is unknown, or known only from old peers.
    public var unknownMessages: UInt64 = 0
    /// Special frames that name nobody we are connected with.
    public var unknownDatagrams: UInt64 = 0
    /// The overlays' counts of all connections so far.
    public var overlays = OverlaySwitch.Counts()

    /// Nothing happened.
    public init() {}
  }

  /// Everybody, ourselves first.
  public var peers: [PeerDescription] = []
  /// The way of frames to each peer: destination and neighbour; for ourselves the unknown name.
  public var unicastRoutes: [(destination: PeerName, via: PeerName)] = []
  /// Of floods, by source: the neighbours they are passed on to.
  public var broadcastRoutes: [(source: PeerName, via: [PeerName])] = []
  /// Every connection, and every address that is to become one.
  public var connections: [Connection] = []
  /// What the user asked to be connected with, as typed.
  public var targets: [String] = []
  /// What happened so far.
  public var counts = Counts()
  /// Whether a password is set.
  public var isEncrypted = false
  /// Whether peers of peers are dialled.
  public var hasDiscovery = true
  /// The port of TCP and UDP.
  public var port: UInt16 = 6783
  /// Paths that need no encryption of frames.
  public var trustedSubnets: [IPv4Prefix] = []

  /// Nothing.
  public init() {}

  /// Compares everything.
  public static func == (left: MeshReport, right: MeshReport) -> Bool {
    left.peers == right.peers && left.connections == right.connections
      && left.targets == right.targets && left.counts == right.counts
      && left.unicastRoutes.elementsEqual(right.unicastRoutes, by: ==)
      && left.broadcastRoutes.elementsEqual(right.broadcastRoutes, by: ==)
      && left.isEncrypted == right.isEncrypted && left.hasDiscovery == right.hasDiscovery
      && left.port == right.port && left.trustedSubnets == right.trustedSubnets
  }
}
