// SPDX-License-Identifier: Apache-2.0

public import Inet
public import Sealing

/// The mesh of one peer: connections, gossip, topology, and what to dial.
public struct MeshMachine: Sendable {
  /// What the configuration says, and what is drawn at the start.
  public struct Options: Sendable {
    /// Our name; never unknown.
    public var name: PeerName
    /// Drawn at every start; never 0.
    public var uid: UInt64
    /// What our people call us.
    public var nickname: String
    /// The port of TCP and UDP.
    public var port: UInt16 = 6783
    /// The secret of the whole mesh; nil: nothing is encrypted.
    public var password: Password?
    /// Whether peers of peers are dialled.
    public var hasDiscovery = true
    /// Connections at most; 0: no limit.
    public var connectionCountMax = 200
    /// Paths to these need no encryption of frames.
    public var trustedSubnets: [IPv4Prefix] = []
    /// Whether we speak VXLAN with other Weft peers.
    public var hasVXLAN = true
    /// What the underlay carries in one piece, in bytes with all headers.
    public var underlayMTU = 1500

    /// The defaults, for a peer.
    public init(name: PeerName, uid: UInt64, nickname: String) {
      self.name = name
      self.uid = uid
      self.nickname = nickname
    }
  }

  /// When `MeshInput.deadline` is due; nil: never.
  public var nextDeadline: MeshInstant? { nil }

  /// What the data plane has to know now.
  public var forwarding: MeshForwarding {
    MeshForwarding(shortID: ShortID(truncating: 0), neighbours: [], peers: [], broadcast: [])
  }

  /// A mesh with nobody in it.
  public init(_ options: Options, random: any RandomNumberGenerator & Sendable) {}

  /// What people see of it.
  public func report(now: MeshInstant) -> MeshReport { MeshReport() }

  /// Takes one input; the effects are to be carried out in order.
  public mutating func handle(_ input: MeshInput, now: MeshInstant) -> [MeshEffect] { [] }
}
