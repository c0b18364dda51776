// SPDX-License-Identifier: Apache-2.0

package import Inet
package import Mesh

/// A peer and its connections, as the mesh knows them.
package struct MeshPeerReport: Codable, Sendable, Equatable {
  /// A connection as the peer tells of it.
  package struct Connection: Codable, Sendable, Equatable {
    /// Who is at the other end.
    package var peer: PeerReference
    /// The other end's address.
    package var address: String
    /// Whether the peer dialled.
    package var outbound: Bool
    /// Whether frames pass.
    package var established: Bool
  }

  /// Its name.
  package var name: PeerName
  /// What its people call it.
  package var nickname: String
  /// Drawn at each of its starts.
  package var uid: UInt64
  /// Its number in the network identifiers of VXLAN; nil if it has none.
  package var shortID: UInt16?
  /// Counts its changes.
  package var version: UInt64
  /// Its connections.
  package var connections: [Connection]

  /// Everybody, ourselves first.
  package static func all(in mesh: MeshReport) -> [MeshPeerReport] {
    let nicknames = Dictionary(mesh.peers.map { ($0.name, $0.nickname) }) { first, _ in first }
    return mesh.peers.map { peer in
      MeshPeerReport(
        name: peer.name, nickname: peer.nickname, uid: peer.uid, shortID: peer.shortID?.number,
        version: peer.version,
        connections: peer.connections.map { connection in
          Connection(
            peer: PeerReference(
              name: connection.peer, nickname: nicknames[connection.peer] ?? ""),
            address: connection.address, outbound: connection.isOutbound,
            established: connection.isEstablished)
        })
    }
  }

  private enum CodingKeys: String, CodingKey {
    case name, nickname, uid, version, connections
    case shortID = "short_id"
  }
}

/// The mesh in a few numbers, as a part of the status.
package struct MeshSummaryReport: Codable, Sendable, Equatable {
  /// Ourselves.
  package var peer: PeerReference
  /// The port of TCP and UDP.
  package var port: UInt16
  /// Whether a password is set.
  package var encrypted: Bool
  /// Whether peers of peers are dialled.
  package var discovery: Bool
  /// Peers that are known, ourselves too.
  package var peers: Int
  /// How many connections are in each state; states without one are left out.
  package var connections: [String: Int]
  /// Connections that ended.
  package var terminations: UInt64
  /// Sessions that ended before they were connections, by reason.
  package var refusals: [String: UInt64]

  /// Counts what there is in a mesh.
  package init(_ mesh: MeshReport) {
    peer = PeerReference(
      name: mesh.peers.first?.name ?? .unknown, nickname: mesh.peers.first?.nickname ?? "")
    port = mesh.port
    encrypted = mesh.isEncrypted
    discovery = mesh.hasDiscovery
    peers = mesh.peers.count
    connections = mesh.connections.reduce(into: [:]) { $0[$1.state.rawValue, default: 0] += 1 }
    terminations = mesh.counts.terminations
    refusals = mesh.counts.refusals
  }
}
