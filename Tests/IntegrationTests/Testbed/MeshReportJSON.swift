// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the tests read of a report, ours or a Weave router's: the names are Weave's.
struct MeshReportJSON: Decodable {
  struct Router: Decodable {
    struct Peer: Decodable {
      struct Connection: Decodable {
        let Name: String
        let Address: String
        let Outbound: Bool
        let Established: Bool
      }

      let Name: String
      let NickName: String
      let UID: UInt64
      let ShortID: UInt16
      let Version: UInt64
      let Connections: [Connection]?
    }

    struct Unicast: Decodable, Hashable {
      let Dest: String
      let Via: String
    }

    struct Broadcast: Decodable {
      let Source: String
      let Via: [String]?
    }

    struct Connection: Decodable {
      struct Attributes: Decodable {
        let name: String?
      }

      let Address: String
      let Outbound: Bool
      let State: String
      let Info: String
      let Attrs: Attributes?
    }

    let Name: String
    let Encryption: Bool
    let Peers: [Peer]
    let UnicastRoutes: [Unicast]
    let BroadcastRoutes: [Broadcast]
    let Connections: [Connection]?
    let Targets: [String]?
    let TerminationCount: UInt64

    /// Whether frames for a peer, by number, go to another one.
    func reaches(_ peer: Int, via other: Int) -> Bool {
      UnicastRoutes.contains(Unicast(Dest: MeshBed.name(peer), Via: MeshBed.name(other)))
    }

    /// Names of the peers with whom there is an established connection.
    var establishedPeers: Set<String> {
      let own = Peers.first { $0.Name == Name }
      return Set((own?.Connections ?? []).filter(\.Established).map(\.Name))
    }
  }

  let router: Router

  private enum CodingKeys: String, CodingKey {
    case router = "Router"
  }
}
