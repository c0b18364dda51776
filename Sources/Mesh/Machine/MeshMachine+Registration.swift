// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing

// How a session becomes a connection, and how that leaves (wire notes, section 6).
extension MeshMachine {
  /// The other end has presented itself.
  mutating func register(_ map: FeatureMap, on link: LinkIdentifier) {
    guard let connection = connections[link], connection.peering == nil else { return }
    do throws(RegistrationError) {
      let features = try check(map, connection)
      if let target = connection.dialed { maker.answered(target, peer: features.name) }
      let peering = try prepare(features, connection)
      try makeRoom(for: peering)
      add(peering, connection, link)
    } catch {
      end(link, LinkEnding(refusal: error.refusal, problem: error.problem))
    }
  }

  /// Why a session cannot become a connection.
  private struct RegistrationError: Error {
    var refusal: Refusal
    var problem: String

    init(_ refusal: Refusal, _ problem: String) {
      self.refusal = refusal
      self.problem = problem
    }
  }

  /// Whether we want to be connected with who is there.
  private func check(
    _ map: FeatureMap, _ connection: MeshConnection
  ) throws(RegistrationError) -> Features {
    let features: Features
    do throws(FeatureError) { features = try Features(map) } catch {
      throw RegistrationError(.features, error.description)
    }
    if features.name == options.name {
      throw features.uid == options.uid
        ? RegistrationError(.selfConnection, "this is ourselves: remove the target")
        : RegistrationError(
          .nameCollision, "its name is ours, \(features.name): give one of the peers another name")
    }
    guard features.name != .unknown, features.uid != 0 else {
      throw RegistrationError(.features, "its name and UID may not be 0")
    }
    // Anybody may be where the user sent us; where other peers did, only somebody they know.
    if let target = connection.dialed, maker.candidates[target]?.isUserMade != true,
      topology.peers[features.name] == nil
    {
      throw RegistrationError(.unknownPeer, "no peer knows \(features.name), who answers there")
    }
    return features
  }

  private mutating func prepare(
    _ features: Features, _ connection: MeshConnection
  ) throws(RegistrationError) -> MeshConnection.Peering {
    let uid = connection.connectionID ^ features.connectionID
    let isTrusted = connection.isTrusting && features.isTrusting
    var overlayOptions = OverlaySwitch.Options(
      own: options.name, remote: features.name, connectionUID: uid,
      isOutbound: connection.isOutbound, remoteAddress: connection.remote,
      localAddress: connection.local, key: isTrusted ? nil : connection.session.sessionKey,
      underlayMTU: options.underlayMTU)
    overlayOptions.terms = overlayOptions.key == nil ? nil : try terms(features, connection)
    overlayOptions.port = options.port
    overlayOptions.overlayMTU = options.overlayMTU
    overlayOptions.isLively = options.isLively && features.extensions.contains(FeatureWord.lively)
    overlayOptions.hasShortIDs = features.shortID != nil
    let overlay: OverlaySwitch
    do throws(OverlayError) {
      overlay = try OverlaySwitch(
        overlayOptions, ownOverlays: options.overlays, remoteOverlays: features.overlays)
    } catch {
      throw RegistrationError(.overlay, error.description)
    }
    return MeshConnection.Peering(
      features: features, uid: uid, overlay: overlay,
      reauthentication: reauthentication(features, connection),
      heartbeatAt: now.advanced(by: MeshTiming.heartbeat))
  }

  /// How frames are sealed.
  private mutating func terms(
    _ features: Features, _ connection: MeshConnection
  ) throws(RegistrationError) -> SealingTerms {
    guard let prefix = freeIdentifierPrefix() else {
      throw RegistrationError(.limit, "no SPI is left for another sealed connection")
    }
    var terms = SealingTerms(seed: drawnSeed(), identifierPrefix: prefix)
    terms.canUseESP = options.canUseESP
    terms.rekeyInterval = max(options.rekeyInterval, MeshTiming.rekeyIntervalMin)
    do throws(OverlayError) {
      try terms.agree(
        ours: options.suites, theirs: features.suites, isOutbound: connection.isOutbound)
    } catch {
      throw RegistrationError(.overlay, error.description)
    }
    return terms
  }

  /// Of two connections with the same peer, both ends keep the one with the lower number.
  private mutating func makeRoom(
    for peering: MeshConnection.Peering
  ) throws(RegistrationError) {
    let name = peering.features.name
    guard let rival = linkOfPeer[name], let other = connections[rival]?.peering else {
      let countMax = options.connectionCountMax
      guard countMax <= 0 || linkOfPeer.count < countMax else {
        throw RegistrationError(.limit, "there are \(countMax) connections, as many as allowed")
      }
      return
    }
    let duplicate = "another connection with \(name) is kept"
    guard other.uid >= peering.uid else { throw RegistrationError(.duplicate, duplicate) }
    let isTie = other.uid == peering.uid
    end(rival, LinkEnding(refusal: .duplicate, problem: duplicate, isReplaced: !isTie))
    if isTie {
      throw RegistrationError(.duplicate, "two connections with \(name) have the same number")
    }
  }

  private mutating func add(
    _ peering: MeshConnection.Peering, _ connection: MeshConnection, _ link: LinkIdentifier
  ) {
    let features = peering.features
    if routes.dueAt != nil { calculateRoutes() }
    let known = topology.peers[features.name]
    let isNews = known?.uid != features.uid || routes.established.unicast[features.name] == nil
    strangers.remove(link)
    connections[link]?.peering = peering
    linkOfPeer[features.name] = link
    if let target = connection.dialed { maker.connected(target, link) }
    topology.addConnection(
      to: PeerDescription(
        name: features.name, nickname: features.nickname, uid: features.uid, version: 0,
        shortID: features.shortID, connections: []),
      address: connection.remote.description, isOutbound: connection.isOutbound)
    topologyChanged(about: [features.name])
    isForwardingStale = true
    isPlanNeeded = true
    note(
      .peers, .info, "connection added",
      [
        "peer": features.name.description, "nickname": features.nickname,
        "address": connection.remote.description,
        "direction": connection.isOutbound ? "outbound" : "inbound",
        "encrypted": connection.session.sessionKey == nil ? "false" : "true",
      ])
    if isNews { sendEverything(on: link) }
    let now = now
    withOverlay(of: link) { $0.confirm(now: now) }
    // Our passwords may have changed since the session began.
    if connection.passwords != options.passwords { followPasswords(link) }
  }

  /// A connection is gone; `isReplaced`: another one with the same peer follows at once.
  mutating func unregister(
    _ link: LinkIdentifier, _ peering: MeshConnection.Peering, isReplaced: Bool
  ) {
    let name = peering.features.name
    guard linkOfPeer[name] == link else { return }
    linkOfPeer[name] = nil
    news[name] = nil
    topology.removeConnection(with: name)
    topologyChanged(about: [name])
    isForwardingStale = true
    if isReplaced { channel.scheduleCollection(now: now) } else { collectGarbage() }
  }
}
