// SPDX-License-Identifier: Apache-2.0

package import ControlPlane
import Inet
import Mesh

/// The mesh as Weave prints it, byte for byte: people have scripts that read it.
///
/// Each line ends in a line break. What others say of themselves cannot steer the terminal.
package enum WeaveText {
  /// `status`: the version, then the router.
  static func status(_ report: RouterReport, version: String) -> String {
    let mesh = report.mesh
    let subnets = mesh.trustedSubnets.map(\.description).joined(separator: ", ")
    let rows = [
      ("Version", "\(version) (version check update disabled)"), ("", ""),
      ("Service", "router"), ("Protocol", "weave \(RouterReport.protocolVersion)"),
      ("Name", report.label(of: report.name)),
      ("Encryption", mesh.isEncrypted ? "enabled" : "disabled"),
      ("PeerDiscovery", mesh.hasDiscovery ? "enabled" : "disabled"),
      ("Targets", "\(mesh.targets.count)"), ("Connections", connectionCounts(mesh)),
      ("Peers", peerCounts(mesh)), ("TrustedSubnets", subnets.isEmpty ? "none" : subnets),
    ]
    return lines(
      rows.map { label, value in
        let blanks = String(repeating: " ", count: 15 - label.count)
        return label.isEmpty ? "" : "\(blanks)\(label): \(value)"
      })
  }

  /// `status targets`: one on each line, as typed.
  package static func targets(_ targets: [String]) -> String { lines(targets) }

  /// `status connections`; attributes follow each other without a blank, as with Weave.
  static func connections(_ report: RouterReport) -> String {
    lines(
      report.mesh.connections.map { connection in
        let attributes = connection.attributes.filter { $0.key != "name" }
          .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined()
        return [
          arrow(connection.isOutbound), RouterReport.padded(connection.address, to: 21),
          RouterReport.padded(connection.state.rawValue, to: 11), report.info(of: connection),
          attributes,
        ].joined(separator: " ")
      })
  }

  /// `status peers`: each peer, and its connections below it.
  package static func peers(_ peers: [MeshPeerReport]) -> String {
    lines(
      peers.flatMap { peer in
        ["\(peer.name)(\(peer.nickname))"]
          + peer.connections.map { connection in
            let name = "\(connection.peer.name)(\(connection.peer.nickname))"
            return [
              "   " + arrow(connection.outbound), RouterReport.padded(connection.address, to: 21),
              RouterReport.padded(name, to: 37),
              connection.established ? "established" : "pending",
            ].joined(separator: " ")
          }
      })
  }

  private static func arrow(_ isOutbound: Bool) -> String { isOutbound ? "->" : "<-" }

  /// The states that Weave counts, in its order; the others are only in the total.
  private static func connectionCounts(_ mesh: MeshReport) -> String {
    let states: [MeshReport.Connection.State] = [
      .established, .pending, .retrying, .failed, .connecting,
    ]
    let counts = states.compactMap { state in
      let count = mesh.connections.count { $0.state == state }
      return count == 0 ? nil : "\(count) \(state.rawValue)"
    }
    let total = "\(mesh.connections.count)"
    return counts.isEmpty ? total : "\(total) (\(counts.joined(separator: ", ")))"
  }

  private static func peerCounts(_ mesh: MeshReport) -> String {
    let connections = mesh.peers.flatMap(\.connections)
    let established = connections.count { $0.isEstablished }
    let counts = [(established, "established"), (connections.count - established, "pending")]
      .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    let total = "\(mesh.peers.count)"
    return counts.isEmpty
      ? total : "\(total) (with \(counts.joined(separator: ", ")) connections)"
  }

  private static func lines(_ lines: [String]) -> String {
    lines.map { TextTable.printable($0) + "\n" }.joined()
  }
}
