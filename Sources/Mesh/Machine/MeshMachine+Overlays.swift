// SPDX-License-Identifier: Apache-2.0

import Inet

// What overlays want done, and what they are told.
extension MeshMachine {
  // MARK: Inputs

  /// A special frame came.
  mutating func receive(_ special: OverlaySpecial) {
    guard let link = linkOfPeer[special.peer] else {
      counts.unknownDatagrams += 1
      return
    }
    let now = now
    withOverlay(of: link) { $0.receive(special, now: now) }
  }

  /// A router says what the path to some address carries; all who are there hear of it.
  mutating func tooLong(_ destination: SocketAddress, pathMTU: Int) {
    let now = now
    for link in links(where: { $0.isReached(at: destination.address) }) {
      withOverlay(of: link) { $0.tooLong(pathMTU: pathMTU, now: now) }
    }
  }

  mutating func underlayChanged(_ mtu: Int) {
    guard mtu > 0, mtu != options.underlayMTU else { return }
    options.underlayMTU = mtu
    let now = now
    for link in links(where: { $0.peering != nil }) {
      withOverlay(of: link) { $0.underlayChanged(mtu, now: now) }
    }
  }

  mutating func overlayChanged(_ mtu: Int) {
    // A heartbeat has room for what it says, and says its length in 16 bits.
    let mtu = min(max(mtu, 68), 65_000)
    options.overlayMTU = mtu
    for link in links(where: { $0.peering != nil }) {
      withOverlay(of: link) {
        $0.overlayChanged(mtu)
        return []
      }
    }
  }

  // MARK: Effects

  /// Lets overlays do something, and does what they want done.
  mutating func withOverlay(
    of link: LinkIdentifier, _ work: (inout OverlaySwitch) -> [OverlayEffect]
  ) {
    guard let wanted = connections[link]?.peering?.letOverlay(work) else { return }
    if wanted.isNews { areLinksStale = true }
    for effect in wanted.effects { carryOut(effect, on: link) }
    deadlineChanged(of: link)
  }

  private mutating func carryOut(_ effect: OverlayEffect, on link: LinkIdentifier) {
    switch effect {
    case .probe(let probe): probes.append(probe)
    case .control(let payload): send(.overlayControl, payload, on: link)
    case .keyControl(let payload): hold(payload, on: link)
    case .keyUnconfirmed(let overlay):
      note(
        .messages, .warning, "key not confirmed",
        [
          "peer": name(of: link), "overlay": overlay.rawValue,
          "problem": "it did not take the key that we offered; another one is offered",
        ])
    case .chosen(let overlay, let former, let reason):
      if former == nil {
        establish(link, overlay, reason)
      } else {
        noteChoice(link, overlay, former, reason)
      }
    case .failed(let problem): end(link, LinkEnding(refusal: .overlay, problem: problem))
    }
  }

  private mutating func establish(_ link: LinkIdentifier, _ overlay: OverlayKind, _ reason: String)
  {
    guard let peering = connections[link]?.peering, !peering.isEstablished else { return }
    connections[link]?.peering?.isEstablished = true
    topology.setEstablished(true, with: peering.features.name)
    topologyChanged(about: [peering.features.name])
    note(
      .peers, .info, "connection established",
      [
        "peer": peering.features.name.description, "overlay": overlay.rawValue, "reason": reason,
      ])
  }

  /// Every change is written down: a budget for each connection bounds what one peer can cause.
  private mutating func noteChoice(
    _ link: LinkIdentifier, _ overlay: OverlayKind, _ former: OverlayKind?, _ reason: String
  ) {
    guard var peering = connections[link]?.peering else { return }
    if peering.choiceNotes.take(now: now) {
      var details = [
        "peer": peering.features.name.description, "from": former?.rawValue ?? "nothing",
        "to": overlay.rawValue, "reason": reason,
      ]
      if peering.suppressedChoices > 0 { details["suppressed"] = "\(peering.suppressedChoices)" }
      peering.suppressedChoices = 0
      effects.append(.note(MeshNote(.info, "overlay changed", details)))
    } else {
      peering.suppressedChoices += 1
    }
    connections[link]?.peering = peering
  }
}

extension MeshConnection {
  /// Whether datagrams of an overlay go to this host.
  fileprivate func isReached(at address: IPv4Address) -> Bool {
    guard let overlay = peering?.overlay else { return false }
    return [overlay.sleeveLink, overlay.fastdpLink].contains { $0?.remote?.address == address }
  }
}

extension MeshMachine {
  /// How long keys for frames are used, of connections that are made from now on.
  public mutating func setRekeyInterval(_ interval: Duration) { options.rekeyInterval = interval }
}
