// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing

// Passwords that change, and keys of frames that follow them.
extension MeshMachine {
  // MARK: Inputs

  /// What opens a neighbour's frames is nearly used up.
  mutating func keyUsed(_ peer: PeerName, _ overlay: OverlayKind) {
    guard let link = linkOfPeer[peer] else { return }
    let now = now
    withOverlay(of: link) { $0.keyUsed(overlay, now: now) }
  }

  /// New sessions use these; connections that there are follow if they can, and live on.
  mutating func passwordsChanged(_ passwords: PasswordRing) {
    guard passwords != options.passwords else { return }
    options.passwords = passwords
    for link in links(where: { $0.peering != nil }) { followPasswords(link) }
  }

  /// Has a connection show our password of now, or ends it if it cannot and shows one that is not
  /// ours any more.
  mutating func followPasswords(_ link: LinkIdentifier) {
    guard let connection = connections[link], let passwords = options.passwords else { return }
    if connection.peering?.reauthentication != nil {
      let now = now
      withReauthentication(of: link) { $0.setRing(passwords, now: now) }
    } else if connection.session.authentication.map(passwords.accepts) != true
      || connection.session.shownPassword.map(passwords.accepts) != true
    {
      let problem =
        connection.session.authentication == nil
        ? "this peer has a password now, and the connection has none; give both the same password"
        : "this peer does not accept the password of the connection any more, and the other end"
          + " cannot take another one while it lasts; give that peer the new password"
      end(link, LinkEnding(refusal: .password, problem: problem))
    }
  }

  /// An overlay control message came: about passwords, or to an overlay.
  mutating func receiveControl(_ payload: [UInt8], on link: LinkIdentifier) {
    let now = now
    guard payload.count >= 2, Reauthentication.prove...Reauthentication.unknown ~= payload[1],
      connections[link]?.peering?.reauthentication != nil
    else { return withOverlay(of: link) { $0.receiveControl(payload, now: now) } }
    var isUnderstood = true
    withReauthentication(of: link) { reauthentication in
      let effects = reauthentication.receive(payload[1], Array(payload.dropFirst(2)), now: now)
      isUnderstood = effects != nil
      return effects ?? []
    }
    if !isUnderstood { counts.overlays.badControls += 1 }
  }

  /// Its time has come.
  mutating func advanceReauthentication(_ link: LinkIdentifier) {
    let now = now
    withReauthentication(of: link) { $0.advance(now: now) }
  }

  // MARK: Messages about keys

  /// Keeps what is to be said about a key until the data plane uses it.
  mutating func hold(_ payload: [UInt8], on link: LinkIdentifier) {
    // Of two offers, or two confirmations, of one overlay only the later one matters.
    heldKeyControls.removeAll { $0.link == link && $0.payload.prefix(2) == payload.prefix(2) }
    heldKeyControls.append((link, payload))
    areKeysAwaited = true
  }

  /// The data plane uses the keys that `forwarding` has, but has no room for some of `except`.
  mutating func keysRead(except: Set<PeerName>) {
    let held = heldKeyControls
    heldKeyControls = []
    for (link, payload) in held {
      let peer = connections[link]?.peering?.features.name
      // What the other end chose we do not use without room for it, so that it may be confirmed.
      if payload[1] != OverlaySubTag.keyConfirmed, peer.map(except.contains) == true {
        heldKeyControls.append((link, payload))
      } else {
        send(.overlayControl, payload, on: link)
      }
    }
  }

  // MARK: Effects

  private mutating func withReauthentication(
    of link: LinkIdentifier, _ work: (inout Reauthentication) -> [Reauthentication.Effect]
  ) {
    guard var reauthentication = connections[link]?.peering?.reauthentication else { return }
    let effects = work(&reauthentication)
    connections[link]?.peering?.reauthentication = reauthentication
    for effect in effects {
      switch effect {
      case .send(let subTag, let data):
        // There always is an overlay with the index 0.
        send(.overlayControl, [0, subTag] + data, on: link)
      case .rekeyed(let key, let generation):
        let now = now
        withOverlay(of: link) { $0.rebase(key, generation: generation, now: now) }
      case .failed(let problem): end(link, LinkEnding(refusal: .password, problem: problem))
      }
    }
    deadlineChanged(of: link)
  }

  // MARK: New connections

  /// What moves a connection to another password; nil if the other end knows nothing of that.
  mutating func reauthentication(
    _ features: Features, _ connection: MeshConnection
  ) -> Reauthentication? {
    guard features.canReauthenticate, let key = connection.session.sessionKey,
      let password = connection.session.authentication, let passwords = connection.passwords
    else { return nil }
    return Reauthentication(
      sessionKey: key, own: options.name, remote: features.name, isOutbound: connection.isOutbound,
      ring: passwords, authentication: password, shown: connection.session.shownPassword,
      seed: drawnSeed())
  }

  /// 32 bytes that nobody can guess.
  mutating func drawnSeed() -> [UInt8] {
    (0..<4).flatMap { _ in random.next().bigEndianBytes }
  }

  /// The high half of SPIs that no connection of ours has; nil if there is none.
  mutating func freeIdentifierPrefix() -> UInt16? {
    let taken = Set(connections.values.compactMap { $0.peering?.overlay.identifierPrefix })
    guard taken.count < Int(UInt16.max) else { return nil }
    var prefix = UInt16(truncatingIfNeeded: random.next())
    while prefix == 0 || taken.contains(prefix) { prefix &+= 1 }
    return prefix
  }
}
