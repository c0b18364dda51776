// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Inet

extension MetricsText {
  /// States of a connection in Weave's words, in its order.
  private static let connectionStates: [ConnectionReport.State] = [
    .pending, .waiting, .connecting, .failed, .retrying, .suspended, .established,
  ]

  /// The mesh as a whole.
  mutating func write(_ mesh: MeshSummaryReport, _ connections: [ConnectionReport]) {
    gauge(
      "weave_connections", "Connections with other peers, by state, overlay and encryption.",
      Self.connectionStates.flatMap { Self.samples(of: $0, connections) })
    counter(
      "weave_connection_terminations_total", "Connections that ended.",
      [Sample(mesh.terminations)])
    gauge("weft_peers", "Peers that are known, this one too.", [Sample(UInt64(mesh.peers))])
    counter(
      "weft_sessions_refused_total", "Sessions that ended before they were connections, by why.",
      mesh.refusals.sorted { $0.key < $1.key }.map { Sample($0.value, [("reason", $0.key)]) })
  }

  /// At least one for each state, so that a graph has no gaps.
  private static func samples(
    of state: ConnectionReport.State, _ connections: [ConnectionReport]
  ) -> [Sample] {
    let inState = connections.filter { $0.state == state }
    let groups = Dictionary(grouping: inState) { connection in
      [connection.overlay ?? "", connection.encrypted == true ? "yes" : ""]
    }
    return (groups.isEmpty ? [["", ""]: []] : groups).sorted {
      $0.key.lexicographicallyPrecedes($1.key)
    }.map { group, members in
      Sample(
        UInt64(members.count),
        [("state", state.rawValue), ("type", group[0]), ("encryption", group[1])])
    }
  }

  /// What is encrypted, by peer.
  mutating func writeSecurity(of connections: [ConnectionReport]) {
    let secured = connections.compactMap(Secured.init)
    gauge(
      "weft_connection_cipher_info", "How frames to and from the peer are encrypted.",
      secured.map { Sample(1 as UInt64, $0.labels([("suite", $0.security.suite)])) })
    gauge(
      "weft_connection_key_age_seconds", "Age of the key with which frames are sealed.",
      secured.map { Sample(UInt64(clamping: $0.security.keyAgeSeconds), $0.labels()) })
    counter(
      "weft_connection_sealed_packets_total", "Packets that were sealed for the peer.",
      secured.map { Sample($0.security.sealed, $0.labels()) })
    counter(
      "weft_connection_opened_packets_total", "Packets of the peer that were opened.",
      secured.map { Sample($0.security.opened, $0.labels()) })
    counter(
      "weft_connection_refused_packets_total", "Packets that were not opened, by why.",
      secured.flatMap { one in
        let refused = one.security.refused
        return [
          Sample(refused.notAuthentic, one.labels([("reason", "not_authentic")])),
          Sample(refused.replayed, one.labels([("reason", "replayed")])),
        ]
      })
  }
}

/// A connection of which frames are encrypted.
private struct Secured {
  let peer: PeerName
  let security: SecurityReport

  init?(_ connection: ConnectionReport) {
    guard let peer = connection.peer?.name, let security = connection.security else { return nil }
    self.peer = peer
    self.security = security
  }

  /// Whose it is, and what else is said.
  func labels(
    _ others: [(name: String, value: String)] = []
  ) -> [(name: String, value: String)] {
    [("peer", "\(peer)")] + others + [("protocol", security.packets.rawValue)]
  }
}
