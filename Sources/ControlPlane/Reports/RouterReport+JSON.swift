// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Inet
internal import Mesh

extension RouterReport {
  /// What `GET /report` answers: this, and what Weave says around it.
  package var weaveReport: OrderedJSON {
    .object([
      ("Ready", .boolean(true)), ("Version", .text(Version.text)),
      (
        "VersionCheck",
        .object([
          ("Enabled", .boolean(false)), ("Success", .boolean(false)), ("NewVersion", .text("")),
          ("NextCheckAt", .text("0001-01-01T00:00:00Z")),
        ])
      ), ("Router", json),
    ])
  }

  /// The part `Router`.
  package var json: OrderedJSON {
    .object(
      identity + topology + [
        ("Connections", .unstartedList(mesh.connections.map(connection))),
        ("TerminationCount", .counter(mesh.counts.terminations)),
        ("Targets", .unstartedList(mesh.targets.map { .text($0) })),
        ("OverlayDiagnostics", .object(overlays.map { ($0, .null) })),
        ("TrustedSubnets", .list(mesh.trustedSubnets.map { .text("\($0)") })),
        ("Interface", .text(interface)),
        (
          "CaptureStats",
          .object([
            ("PacketsDropped", .counter(frames.dropped)),
            ("PacketsIfDropped", .counter(frames.kernelDropped)),
            ("PacketsReceived", .counter(frames.received)),
          ])
        ), ("MACs", .unstartedList(stations.map(station))),
      ])
  }

  private var identity: [(key: String, value: OrderedJSON)] {
    [
      ("Protocol", .text("weave")),
      ("ProtocolMinVersion", .integer(RouterReport.protocolVersion)),
      ("ProtocolMaxVersion", .integer(RouterReport.protocolVersion)),
      ("Encryption", .boolean(mesh.isEncrypted)), ("PeerDiscovery", .boolean(mesh.hasDiscovery)),
      ("Name", .text("\(name)")), ("NickName", .text(nickname)),
      ("Port", .integer(Int(mesh.port))),
    ]
  }

  private var topology: [(key: String, value: OrderedJSON)] {
    [
      ("Peers", .unstartedList(mesh.peers.map(peer))),
      (
        "UnicastRoutes",
        .unstartedList(
          mesh.unicastRoutes.map { route in
            .object([("Dest", .text("\(route.destination)")), ("Via", .text("\(route.via)"))])
          })
      ),
      (
        "BroadcastRoutes",
        .unstartedList(
          mesh.broadcastRoutes.map { route in
            .object([
              ("Source", .text("\(route.source)")),
              ("Via", .unstartedList(route.via.map { .text("\($0)") })),
            ])
          })
      ),
    ]
  }

  private func peer(_ peer: PeerDescription) -> OrderedJSON {
    let connections = peer.connections.map { connection in
      OrderedJSON.object([
        ("Name", .text("\(connection.peer)")),
        ("NickName", .text(nickname(of: connection.peer))),
        ("Address", .text(connection.address)), ("Outbound", .boolean(connection.isOutbound)),
        ("Established", .boolean(connection.isEstablished)),
      ])
    }
    return .object([
      ("Name", .text("\(peer.name)")), ("NickName", .text(peer.nickname)),
      ("UID", .counter(peer.uid)), ("ShortID", .integer(Int(peer.shortID?.number ?? 0))),
      ("Version", .counter(peer.version)), ("Connections", .unstartedList(connections)),
    ])
  }

  private func connection(_ connection: MeshReport.Connection) -> OrderedJSON {
    let attributes = connection.attributes.sorted { $0.key < $1.key }
    return .object([
      ("Address", .text(connection.address)), ("Outbound", .boolean(connection.isOutbound)),
      ("State", .text(connection.state.rawValue)), ("Info", .text(info(of: connection))),
      (
        "Attrs",
        attributes.isEmpty ? .null : .object(attributes.map { ($0.key, typed($0.value)) })
      ),
    ])
  }

  /// A number or a truth value for what looks like one: Weave's attributes have these types.
  private func typed(_ text: String) -> OrderedJSON {
    if let number = Int(text) { return .integer(number) }
    return Bool(text).map { .boolean($0) } ?? .text(text)
  }

  private func station(_ station: Station) -> OrderedJSON {
    .object([
      ("Mac", .text("\(station.mac)")), ("Name", .text("\(station.peer)")),
      ("NickName", .text(nickname(of: station.peer))),
      ("LastSeen", .text(station.lastSeen.formatted(.iso8601))),
    ])
  }

  /// The names of the overlays that connections may use, in order.
  private var overlays: [String] {
    Set(mesh.connections.compactMap(\.overlay) + OverlaySwitch.advertised).sorted()
  }
}
