// SPDX-License-Identifier: Apache-2.0

package import Inet
package import Mesh

/// A peer as reports name it.
package struct PeerReference: Codable, Sendable, Hashable {
  /// Its name.
  package var name: PeerName
  /// What its people call it; empty if that is not known.
  package var nickname: String

  /// Names a peer.
  package init(name: PeerName, nickname: String) {
    self.name = name
    self.nickname = nickname
  }
}

/// How one peer is reached, or why it is not: a connection, an address that is to become one, or a
/// peer without either.
package struct ConnectionReport: Codable, Sendable, Equatable {
  /// Who dialled.
  package enum Direction: String, Codable, Sendable {
    case inbound, outbound
  }

  /// How far it is.
  package enum State: String, Codable, Sendable {
    /// There is a session, and frames cannot pass yet.
    case pending
    /// Frames pass.
    case established
    /// The last attempt failed; another follows after a while.
    case failed
    /// Is being dialled, not for the first time.
    case retrying
    /// Is being dialled for the first time.
    case connecting
    /// Will be dialled after a while.
    case waiting
    /// Is not dialled as long as there are too many connections, or one with that peer.
    case suspended
    /// There is no connection; frames go through another peer.
    case relayed
    /// There is no connection and no way through other peers.
    case unreachable
  }

  /// Who dialled; nil for a peer without a connection.
  package var direction: Direction?
  /// The other end's address; nil for a peer without a connection.
  package var address: String?
  /// How far it is.
  package var state: State
  /// Who is there; nil if that is not known.
  package var peer: PeerReference?
  /// How frames travel, `sleeve` for one; nil if none do.
  package var overlay: String?
  /// Why it is this overlay; empty if there is none.
  package var overlayReason: String
  /// How outer packets leave this host, `xdp` or `socket`; nil as long as none do.
  package var underlay: String?
  /// Why by sockets; empty if not so.
  package var underlayReason: String
  /// Whether frames are encrypted, or the session while none can pass; nil if there is none.
  package var encrypted: Bool?
  /// How frames are encrypted; nil if they are not, or none pass.
  package var security: SecurityReport?
  /// Bytes of the longest frame's payload; nil if that is not known.
  package var mtu: Int?
  /// The peer through which frames go; nil if they go directly or not at all.
  package var via: PeerReference?
  /// Why there is no connection, with what to do; empty if there is no reason to tell.
  package var problem: String
  /// Seconds until the next attempt; nil if none is planned.
  package var retrySeconds: UInt64?

  /// Describes how a peer is reached.
  package init(
    direction: Direction? = nil, address: String? = nil, state: State, peer: PeerReference? = nil,
    overlay: String? = nil, overlayReason: String = "", underlay: String? = nil,
    underlayReason: String = "", encrypted: Bool? = nil, security: SecurityReport? = nil,
    mtu: Int? = nil, via: PeerReference? = nil, problem: String = "", retrySeconds: UInt64? = nil
  ) {
    self.direction = direction
    self.address = address
    self.state = state
    self.peer = peer
    self.overlay = overlay
    self.overlayReason = overlayReason
    self.underlay = underlay
    self.underlayReason = underlayReason
    self.encrypted = encrypted
    self.security = security
    self.mtu = mtu
    self.via = via
    self.problem = problem
    self.retrySeconds = retrySeconds
  }

  private enum CodingKeys: String, CodingKey {
    case direction, address, state, peer, overlay, underlay, encrypted, security, mtu, via, problem
    case overlayReason = "overlay_reason"
    case underlayReason = "underlay_reason"
    case retrySeconds = "retry_seconds"
  }
}

extension ConnectionReport {
  /// Every connection, then every other peer that is known.
  ///
  /// `security` has the peers with whom encrypted frames are exchanged.
  package static func all(
    in mesh: MeshReport, security: [PeerName: SecurityReport] = [:]
  ) -> [ConnectionReport] {
    let ways = PeerWays(mesh)
    let connected = Set(mesh.connections.compactMap(\.peer))
    let others = mesh.peers.dropFirst().filter { !connected.contains($0.name) }
    return mesh.connections.map { ConnectionReport($0, ways, security) }
      + others.map { ConnectionReport($0.name, ways) }
  }

  private init(
    _ connection: MeshReport.Connection, _ ways: PeerWays, _ security: [PeerName: SecurityReport]
  ) {
    let attributes = connection.attributes
    let peer = connection.peer.map { ways.reference(to: $0, orElse: connection.nickname) }
    self.init(
      direction: connection.isOutbound ? .outbound : .inbound, address: connection.address,
      state: State(connection.state), peer: peer, overlay: connection.overlay,
      overlayReason: connection.overlayReason, underlay: connection.underlay,
      underlayReason: connection.underlayReason,
      encrypted: attributes.isEmpty
        ? connection.isEncrypted : attributes["encrypted"] == "true",
      // An address of a peer may be listed beside the connection with it.
      security: connection.overlay == nil ? nil : connection.peer.flatMap { security[$0] },
      mtu: attributes["mtu"].flatMap { Int($0) }, via: connection.peer.flatMap(ways.relay),
      problem: connection.problem,
      retrySeconds: connection.retryAfter.map { UInt64(clamping: $0.components.seconds) })
  }

  /// A peer without a connection of ours.
  private init(_ peer: PeerName, _ ways: PeerWays) {
    let relay = ways.relay(to: peer)
    self.init(
      state: relay == nil ? .unreachable : .relayed, peer: ways.reference(to: peer), via: relay)
  }
}

extension ConnectionReport.State {
  fileprivate init(_ state: MeshReport.Connection.State) {
    self =
      switch state {
      case .pending: .pending
      case .established: .established
      case .failed: .failed
      case .retrying: .retrying
      case .connecting: .connecting
      case .waiting: .waiting
      case .suspended: .suspended
      }
  }
}

/// Nicknames and ways of frames by peer.
private struct PeerWays {
  private let nicknames: [PeerName: String]
  private let hops: [PeerName: PeerName]

  init(_ mesh: MeshReport) {
    nicknames = Dictionary(mesh.peers.map { ($0.name, $0.nickname) }) { first, _ in first }
    hops = Dictionary(mesh.unicastRoutes.map { ($0.destination, $0.via) }) { first, _ in first }
  }

  func reference(to peer: PeerName, orElse nickname: String = "") -> PeerReference {
    PeerReference(name: peer, nickname: nicknames[peer] ?? nickname)
  }

  /// The neighbour that passes frames on to `peer`; nil if they go there directly or not at all.
  func relay(to peer: PeerName) -> PeerReference? {
    guard let hop = hops[peer], hop != peer, hop != .unknown else { return nil }
    return reference(to: hop)
  }
}
