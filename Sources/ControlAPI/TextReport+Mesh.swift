// SPDX-License-Identifier: Apache-2.0

package import ControlPlane
import Inet

/// The mesh for terminals.
extension TextReport {
  /// `weft status connections`: how each peer is reached, or why it is not.
  package static func text(_ connections: [ConnectionReport]) -> String {
    var table = TextTable(columns: [
      ("", .left), ("ADDRESS", .left), ("STATE", .left), ("OVERLAY", .left), ("ENCRYPTED", .left),
      ("KEY AGE", .right), ("MTU", .right), ("PEER", .left), ("REMARK", .left),
    ])
    for connection in connections {
      let arrow =
        switch connection.direction {
        case .inbound: "<-"
        case .outbound: "->"
        case nil: ""
        }
      table.append([
        arrow, connection.address ?? "-", connection.state.rawValue, connection.overlay ?? "-",
        encryption(connection),
        connection.security.map { duration(UInt64(clamping: $0.keyAgeSeconds)) } ?? "-",
        connection.mtu.map { "\($0)" } ?? "-", connection.peer.map(label) ?? "-",
        remark(connection),
      ])
      if let refusals = refusals(connection.security) {
        table.append(Array(repeating: "", count: table.columnCount - 1) + [refusals])
      }
    }
    return lines(table.lines())
  }

  /// The suite; of frames that do not pass yet, whether they will be encrypted.
  private static func encryption(_ connection: ConnectionReport) -> String {
    connection.security?.suite ?? connection.encrypted.map { $0 ? "yes" : "no" } ?? "-"
  }

  /// Packets that were refused; nil if none were.
  private static func refusals(_ security: SecurityReport?) -> String? {
    guard let refused = security?.refused, refused.total > 0 else { return nil }
    return "refused \(refused.notAuthentic) not authentic, \(refused.replayed) replayed"
  }

  private static func label(_ peer: PeerReference) -> String { "\(peer.name)(\(peer.nickname))" }

  private static func remark(_ connection: ConnectionReport) -> String {
    var parts: [String] = []
    if let via = connection.via { parts.append("via \(label(via))") }
    if !connection.problem.isEmpty { parts.append(connection.problem) }
    if !connection.overlayReason.isEmpty { parts.append(connection.overlayReason) }
    if !connection.underlayReason.isEmpty {
      parts.append("by the kernel's sockets: \(connection.underlayReason)")
    }
    if let seconds = connection.retrySeconds { parts.append("retry in \(duration(seconds))") }
    return parts.joined(separator: "; ")
  }

  /// The mesh's lines in `weft status`.
  static func mesh(_ mesh: MeshSummaryReport?) -> [(String, String)] {
    guard let mesh else { return [] }
    let counts = mesh.connections.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    return [
      (
        "Mesh",
        "\(label(mesh.peer)), TCP and UDP port \(mesh.port), "
          + (mesh.encrypted ? "encrypted" : "not encrypted")
      ),
      (
        "Peers",
        "\(mesh.peers), connections: " + (counts.isEmpty ? "none" : counts.joined(separator: ", "))
      ), ("", ""),
    ]
  }
}
