// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Logging
internal import Mesh
internal import Routing

// Links to neighbours, each by one overlay, and the keys of those that are sealed.
extension ControlPlane {
  /// Has the tables know the links there are, and no others, and the data plane their keys.
  func followLinks(of neighbours: [MeshForwarding.Neighbour]) {
    followSessions(of: neighbours)
    let wanted = Set(neighbours.flatMap(\.links))
    for (link, index) in mesh?.links ?? [:] where !wanted.contains(link) {
      model.removeEndpoint(index)
      mesh?.links[link] = nil
    }
    for link in neighbours.flatMap(\.links) where mesh?.links[link] == nil {
      guard
        let index = model.addLink(
          to: link.name, by: Overlay(link.overlay), underlayPort: ControlPlane.socketPort)
      else { return noteRoom(isShort: true) }
      mesh?.links[link] = index
    }
  }

  /// Says how a neighbour's links reach it.
  func tellLinks(of neighbour: MeshForwarding.Neighbour, shortID: ShortID?) {
    for link in neighbour.links {
      guard let index = mesh?.links[link] else { continue }
      let slot = neighbour.key == nil ? nil : mesh?.sessions[neighbour.name]?.slot
      model.setLink(
        index, shortID: shortID, path: path(to: neighbour, by: link.overlay),
        receives: (neighbour.key == nil || slot != nil, slot))
    }
  }

  /// How an overlay's packets reach a neighbour; nil if they do not.
  func path(to neighbour: MeshForwarding.Neighbour, by overlay: OverlayKind) -> EndpointPath? {
    let link = overlay == .fastdp ? neighbour.fastdp : neighbour.sleeve
    guard let link, let remote = link.remote else { return nil }
    let way = mesh?.ways[remote.address]
    var path = outerPath(
      way, to: remote, from: neighbour.local.address, network: VirtualNetwork(bits: 0),
      innerLengthMax: link.frameLengthMax)
    guard overlay == .sleeve else { return path }
    // Unsealed it must not leave because there was no room for the key.
    let session = mesh?.sessions[neighbour.name]
    guard neighbour.key == nil || session?.slot != nil else { return nil }
    // IPv4 and UDP; then names, length and perhaps number and tag.
    let payloadMax = (way?.mtu ?? 0) - 28
    let overhead = (neighbour.key == nil ? 6 : 30) + 14
    path?.innerLengthMax = min(link.frameLengthMax, payloadMax - overhead)
    path?.sleeve = EndpointPath.Sleeve(
      sourcePort: options.mesh?.port ?? 0,
      datagramLengthMax: min(link.datagramLengthMax, payloadMax),
      session: neighbour.key == nil ? nil : session?.slot, fragmentPort: ControlPlane.socketPort,
      mayFragment: link.mayFragment)
    return path
  }

  // MARK: Keys

  private func followSessions(of neighbours: [MeshForwarding.Neighbour]) {
    let uids = Dictionary(neighbours.map { ($0.name, $0.connectionUID) }) { first, _ in first }
    for (name, session) in mesh?.sessions ?? [:] where uids[name] != session.connectionUID {
      mesh?.sessions[name] = nil
      guard let slot = session.slot else { continue }
      mesh?.retiredSessions.append((slot, nil))
    }
    for neighbour in neighbours where mesh?.sessions[neighbour.name]?.slot == nil {
      guard let key = neighbour.key else { continue }
      let slot = engine.beginSession(key, isOutbound: neighbour.isOutbound)
      if slot == nil, mesh?.sessions[neighbour.name] == nil {
        logger.error(
          "no frames to a peer",
          metadata: ["peer": "\(neighbour.name)", "problem": "too many sealed connections"])
      }
      mesh?.sessions[neighbour.name] = MeshRun.Session(
        connectionUID: neighbour.connectionUID, slot: slot)
    }
  }

  /// All that was known is published: no snapshot from now on names keys that were retired before.
  func noteRetirements() {
    for index in mesh?.retiredSessions.indices ?? 0..<0
    where mesh?.retiredSessions[index].generation == nil {
      mesh?.retiredSessions[index].generation = model.generation
    }
  }

  /// Zeroes keys that no worker can come across any more.
  func endRetiredSessions() {
    guard let retired = mesh?.retiredSessions, !retired.isEmpty else { return }
    let oldest = model.oldestRead
    func isOver(_ generation: UInt64?) -> Bool { generation.map { $0 <= oldest } ?? false }
    for session in retired where isOver(session.generation) { engine.endSession(session.slot) }
    mesh?.retiredSessions.removeAll { isOver($0.generation) }
  }
}

extension MeshForwarding.Neighbour {
  /// Overlays that may be tried.
  fileprivate var links: [MeshRun.Link] {
    let overlays = [fastdp.map { _ in OverlayKind.fastdp }, sleeve.map { _ in .sleeve }]
    return overlays.compactMap(\.self).map { MeshRun.Link(name: name, overlay: $0) }
  }
}

extension Overlay {
  /// What the data plane calls an overlay.
  init(_ kind: OverlayKind) {
    self =
      switch kind {
      case .fastdp: .vxlan
      case .sleeve: .sleeve
      }
  }
}

extension OverlayKind {
  /// What the mesh calls an overlay.
  init(_ overlay: Overlay) {
    self =
      switch overlay {
      case .vxlan: .fastdp
      case .sleeve: .sleeve
      }
  }
}
