// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing

extension MeshMachine {
  /// What people see of it.
  public func report(now: MeshInstant) -> MeshReport {
    var report = MeshReport()
    report.peers = [topology.own]
    report.peers += topology.peers.values.filter { $0.name != options.name }
      .sorted { $0.name < $1.name }
    report.unicastRoutes = [(destination: options.name, via: .unknown)]
    report.broadcastRoutes = [(source: options.name, via: forwarding.broadcast)]
    for peer in forwarding.peers {
      guard let hop = peer.nextHop else { continue }
      report.unicastRoutes.append((destination: peer.name, via: hop))
      report.broadcastRoutes.append((source: peer.name, via: peer.broadcast))
    }
    report.connections =
      linkOfPeer.sorted { $0.key < $1.key }.compactMap { line($0.value) }
      + maker.report(makerView(withDiscovery: false), now: now)
    report.targets = maker.targets.map(\.text)
    report.counts = countsSoFar
    report.isEncrypted = options.passwords != nil
    report.hasDiscovery = options.hasDiscovery
    report.port = options.port
    report.trustedSubnets = options.trustedSubnets
    return report
  }

  private var countsSoFar: MeshReport.Counts {
    connections.values.reduce(into: counts) { sum, connection in
      if let overlay = connection.peering?.overlay { sum.overlays.add(overlay.counts) }
    }
  }

  private func line(_ link: LinkIdentifier) -> MeshReport.Connection? {
    guard let connection = connections[link], let peering = connection.peering else { return nil }
    var line = MeshReport.Connection(
      address: connection.remote.description, isOutbound: connection.isOutbound,
      state: peering.isEstablished ? .established : .pending)
    line.isEncrypted = connection.session.sessionKey != nil
    line.suite = peering.overlay.suite?.name
    line.peer = peering.features.name
    line.nickname = peering.features.nickname
    line.overlay = peering.overlay.best.rawValue
    line.attributes = peering.overlay.attributes
    line.overlayReason = peering.overlay.reason
    return line
  }
}
