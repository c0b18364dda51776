// SPDX-License-Identifier: Apache-2.0

package import FoundationEssentials
package import Inet
package import Mesh

/// The mesh and the data plane in the words of Weave Net's router.
///
/// `json` has the fields and the order of the part `Router` of Weave's report; what Weave prints as
/// text is made from the same values.
package struct RouterReport: Sendable {
  /// A learned MAC address and the peer behind which it is.
  package struct Station: Sendable, Equatable {
    /// The station's address.
    package var mac: MACAddress
    /// The peer; unknown if it is behind an endpoint that is none.
    package var peer: PeerName
    /// When a frame of it was last seen.
    package var lastSeen: Date
  }

  /// The mesh.
  package let mesh: MeshReport
  /// Where frames to other hosts leave, and how.
  package let interface: String
  /// What the workers received, what they dropped, and what the kernel dropped.
  package let frames: (received: UInt64, dropped: UInt64, kernelDropped: UInt64)
  /// Every learned address.
  package let stations: [Station]
  /// When all of this was so.
  package let now: Date
  private let nicknames: [PeerName: String]

  /// The version of the protocol that we speak.
  package static let protocolVersion = 2

  /// Puts the parts together.
  package init(_ mesh: MeshReport, status: StatusReport, macs: [MACReport], now: Date) {
    self.mesh = mesh
    self.now = now
    let underlay = status.underlay
    let means = underlay.method == .xdp ? "AF_XDP" : "UDP sockets"
    interface = "\(underlay.interface ?? "all interfaces") (via \(means))"
    frames = (
      status.frames.received, status.frames.dropped,
      status.ports.reduce(0) { $0 &+ $1.kernelDrops.total }
    )
    nicknames = Dictionary(mesh.peers.map { ($0.name, $0.nickname) }) { first, _ in first }
    let own = mesh.peers.first?.name ?? .unknown
    stations = macs.map { entry in
      Station(
        mac: entry.mac, peer: entry.isOurs ? own : entry.peer ?? .unknown,
        lastSeen: now - TimeInterval(entry.ageSeconds))
    }
  }

  /// Our own name.
  package var name: PeerName { mesh.peers.first?.name ?? .unknown }

  /// What our people call us.
  package var nickname: String { mesh.peers.first?.nickname ?? "" }

  /// What the people of `peer` call it; empty if it is not known.
  package func nickname(of peer: PeerName) -> String {
    nicknames[peer] ?? ""
  }

  /// `name(nickname)`.
  package func label(of peer: PeerName) -> String { "\(peer)(\(nickname(of: peer)))" }

  /// What stands behind a connection's state: how frames travel, or what went wrong.
  package func info(of connection: MeshReport.Connection) -> String {
    switch connection.state {
    case .pending, .established:
      guard let peer = connection.peer else { return "" }
      let known = nickname(of: peer)
      let nickname = known.isEmpty ? connection.nickname : known
      let carrier = RouterReport.padded(connection.overlay ?? "none", to: 6)
      let text = "\(carrier) \(peer)(\(nickname))"
      guard mesh.isEncrypted else { return text }
      let sealing = isSealed(connection) ? "encrypted" : "unencrypted"
      return "\(RouterReport.padded(sealing, to: 11)) \(text)"
    case .failed: return "\(connection.problem), retry: \(retryTime(of: connection))"
    case .waiting: return "until: \(retryTime(of: connection))"
    case .retrying: return connection.problem
    case .connecting, .suspended: return ""
    }
  }

  /// Text with blanks behind it up to a width.
  package static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
  }

  /// Whether frames are encrypted, or while that is open, the session.
  private func isSealed(_ connection: MeshReport.Connection) -> Bool {
    connection.attributes.isEmpty
      ? connection.isEncrypted == true : connection.attributes["encrypted"] == "true"
  }

  /// A moment as Go prints one, or "never".
  private func retryTime(of connection: MeshReport.Connection) -> String {
    guard let wait = connection.retryAfter else { return "never" }
    let parts = wait.components
    let seconds = TimeInterval(parts.seconds) + TimeInterval(parts.attoseconds) / 1e18
    let text = (now + seconds).formatted(.iso8601)
    return text.replacing("T", with: " ").replacing("Z", with: " +0000 UTC")
  }
}

extension MACReport {
  /// Whether the station is behind a port of ours.
  fileprivate var isOurs: Bool { location.hasPrefix("port ") }

  /// The peer behind which the station is; nil if it is behind none.
  fileprivate var peer: PeerName? {
    location.hasPrefix("peer ") ? PeerName(String(location.dropFirst(5))) : nil
  }
}
