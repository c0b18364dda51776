// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Logging
internal import Mesh
internal import Routing
internal import Sealing

// Links to neighbours, each by one overlay, and the keys of those that are sealed.
extension ControlPlane {
  /// Has the tables know the links there are, and no others, and the data plane their keys.
  func followLinks(of neighbours: [MeshForwarding.Neighbour]) {
    followKeys(of: neighbours)
    let wanted = Set(neighbours.flatMap(\.links))
    for (link, index) in mesh?.links ?? [:] where !wanted.contains(link) {
      model.removeEndpoint(index)
      mesh?.links[link] = nil
      mesh?.pastCounts[link] = nil
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
      model.setLink(
        index, shortID: shortID,
        path: path(to: neighbour, by: link.overlay, isForProbes: true),
        receives: reception(from: neighbour, by: link.overlay))
    }
  }

  /// How an overlay's packets reach a neighbour, those of the two ends themselves if
  /// `isForProbes`; nil if they do not.
  func path(
    to neighbour: MeshForwarding.Neighbour, by overlay: OverlayKind, isForProbes: Bool = false
  ) -> EndpointPath? {
    guard let link = neighbour.link(by: overlay), let remote = link.remote else { return nil }
    let way = mesh?.ways[remote.address]
    let lengthMax = isForProbes ? link.probeLengthMax : link.frameLengthMax
    var path = outerPath(
      way, to: remote, from: neighbour.local.address, network: VirtualNetwork(bits: 0),
      innerLengthMax: lengthMax)
    let sealing = link.security?.sealing.flatMap { mesh?.keys[$0]?.place }
    // Unsealed it must not leave because there is no key, or was no room for it.
    guard !neighbour.isSealed || sealing != nil else { return nil }
    path?.sealing = sealing
    guard overlay == .sleeve else {
      // ESP has no ports: the kernel's sockets do not carry it.
      if sealing != nil, case .kernel? = way { return nil }
      if sealing != nil, let mtu = way?.mtu {
        path?.innerLengthMax = min(
          lengthMax, ControlPlane.sealedFrameLengthMax(mtu: mtu))
      }
      return path
    }
    // IPv4 and UDP; then names, length and perhaps number and tag.
    let payloadMax = (way?.mtu ?? 0) - 28
    let overhead = (neighbour.isSealed ? 30 : 6) + 14
    path?.innerLengthMax = min(lengthMax, payloadMax - overhead)
    path?.sleeve = EndpointPath.Sleeve(
      sourcePort: options.mesh?.port ?? 0,
      datagramLengthMax: min(link.datagramLengthMax, payloadMax),
      fragmentPort: ControlPlane.socketPort, mayFragment: link.mayFragment)
    return path
  }

  /// What carries frames to a neighbour: what the mesh chose, or sleeve if that has no way at the
  /// moment, as VXLAN in ESP has none through the kernel's sockets; sleeve, too, unless both the
  /// sender and the receiver have short numbers.
  func carrier(
    of neighbour: MeshForwarding.Neighbour, isNumbered: Bool = true
  ) -> OverlayKind? {
    guard let chosen = neighbour.chosen else { return nil }
    guard chosen != .sleeve, !isNumbered || path(to: neighbour, by: chosen) == nil,
      neighbour.sleeve?.isWorking == true, path(to: neighbour, by: .sleeve) != nil
    else { return chosen }
    return .sleeve
  }

  /// What is taken from a neighbour by an overlay.
  private func reception(
    from neighbour: MeshForwarding.Neighbour, by overlay: OverlayKind
  ) -> LinkReception {
    let openings = neighbour.link(by: overlay)?.security?.openings ?? []
    let known = openings.compactMap { key in mesh?.keys[key].map { (key, $0.place) } }
    return LinkReception(
      isReceiving: !neighbour.isSealed || !known.isEmpty, opening: known.first?.1,
      formerOpening: known.dropFirst().first?.1,
      identifiers: overlay == .fastdp ? known.map(\.0.identifier) : [])
  }

  // MARK: Keys

  /// Gives the data plane the keys there are, and has it forget the others when it can.
  private func followKeys(of neighbours: [MeshForwarding.Neighbour]) {
    var wanted: [FrameKey: MeshRun.Link] = [:]
    for neighbour in neighbours {
      for link in neighbour.links {
        let security = neighbour.link(by: link.overlay)?.security
        for key in (security?.openings ?? []) + [security?.sealing].compactMap(\.self) {
          wanted[key] = link
        }
      }
    }
    for (key, known) in mesh?.keys ?? [:] where wanted[key] == nil {
      mesh?.keys[key] = nil
      mesh?.retiredKeys.append((known, nil))
    }
    var refused: PeerName?
    for (key, link) in wanted where mesh?.keys[key] == nil {
      if let place = engine.addKey(key) {
        mesh?.keys[key] = MeshRun.Key(link: link, place: place)
      } else {
        refused = link.name
      }
    }
    noteKeysMissing(to: refused)
    tellSecurityIdentifiers()
  }

  /// Has the underlay's program hand over the ESP packets that there are keys for.
  func tellSecurityIdentifiers() {
    let neighbours = mesh?.machine.forwarding.neighbours ?? []
    let identifiers = neighbours.flatMap { neighbour in
      (neighbour.fastdp?.security?.openings ?? []).map {
        SecurityIdentifier(address: neighbour.local.address, number: $0.identifier)
      }
    }
    let isTold = mesh?.areSecurityIdentifiersTold == true
    guard mesh?.securityIdentifiers != Set(identifiers) || !isTold else { return }
    mesh?.securityIdentifiers = Set(identifiers)
    // Whoever opens it tells them at once.
    mesh?.areSecurityIdentifiersTold = true
    guard underlay != nil else { return }
    do throws(EngineFailure) {
      try engine.setSecurityIdentifiers(Set(identifiers), port: ControlPlane.underlayPort)
    } catch {
      mesh?.areSecurityIdentifiersTold = false
      if isTold { logger.error("sealed packets are not taken", metadata: ["problem": "\(error)"]) }
    }
  }

  private func noteKeysMissing(to peer: PeerName?) {
    let isNews = mesh?.hasKeysMissing == false
    mesh?.hasKeysMissing = peer != nil
    guard let peer, isNews else { return }
    logger.error(
      "no frames to a peer",
      metadata: ["peer": "\(peer)", "problem": "too many sealed connections"])
  }

  /// All that was known is published: no snapshot from now on names keys that were retired before.
  func noteRetirements() {
    for index in mesh?.retiredKeys.indices ?? 0..<0
    where mesh?.retiredKeys[index].generation == nil {
      mesh?.retiredKeys[index].generation = model.generation
    }
  }

  /// Zeroes keys that no worker can come across any more.
  func removeRetiredKeys() {
    guard let retired = mesh?.retiredKeys, !retired.isEmpty else { return }
    let oldest = model.oldestRead
    func isOver(_ generation: UInt64?) -> Bool { generation.map { $0 <= oldest } ?? false }
    for (key, generation) in retired where isOver(generation) {
      // Of a link that is gone nobody asks any more.
      if mesh?.links[key.link] != nil {
        mesh?.pastCounts[key.link, default: KeyCounts()].add(engine.counts(ofKey: key.place))
      }
      engine.removeKey(key.place)
    }
    mesh?.retiredKeys.removeAll { isOver($0.generation) }
  }

  /// What was done with all keys of a link since the connection began.
  func keyCounts(of link: MeshRun.Link) -> KeyCounts {
    var counts = mesh?.pastCounts[link] ?? KeyCounts()
    let places =
      (mesh?.keys.values.filter { $0.link == link }.map(\.place) ?? [])
      + (mesh?.retiredKeys.filter { $0.key.link == link }.map(\.key.place) ?? [])
    for place in places { counts.add(engine.counts(ofKey: place)) }
    return counts
  }
}

extension MeshForwarding.Neighbour {
  /// How an overlay reaches it.
  func link(by overlay: OverlayKind) -> Link? { overlay == .fastdp ? fastdp : sleeve }

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
