// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing

// Sessions from their first byte to their end.
extension MeshMachine {
  /// Messages of this length are so short that all connections may have one unfinished.
  private static let unfinishedLengthUsual = 64 << 10

  mutating func accept(_ link: LinkIdentifier, remote: SocketAddress, local: SocketAddress) {
    guard connections[link] == nil else { return }
    if let oldest = strangers.insert(link, from: remote.address) {
      let problem = "too many sessions that nobody presented himself in"
      end(oldest, LinkEnding(refusal: .crowded, problem: problem))
    }
    begin(link, remote: remote, local: local, dialed: nil)
  }

  mutating func dialed(_ link: LinkIdentifier, remote: SocketAddress, local: SocketAddress) {
    guard connections[link] == nil, let target = maker.address(dialing: link) else {
      effects.append(.close(link))
      return
    }
    begin(link, remote: remote, local: local, dialed: target)
  }

  mutating func dialFailed(_ link: LinkIdentifier, reason: String) {
    guard connections[link] == nil, let target = maker.address(dialing: link) else { return }
    counts.refusals[Refusal.dial.rawValue, default: 0] += 1
    maker.ended(
      target, problem: reason.forPeople, isFinal: false, hasWorked: false, now: now,
      random: &random)
    isPlanNeeded = true
    note(.peers, .info, "dialling failed", ["address": target.description, "error": reason])
  }

  mutating func closed(_ link: LinkIdentifier, reason: String) {
    guard let connection = connections[link] else { return dialFailed(link, reason: reason) }
    var problem = reason
    if connection.peering == nil {
      problem = "it closed the session before presenting itself (\(reason)): its log says why"
      if options.passwords != nil, connection.hasHeader {
        problem += "; is the password the same at both ends?"
      }
    }
    end(link, LinkEnding(refusal: .closed, problem: problem, isClosed: true))
  }

  private mutating func begin(
    _ link: LinkIdentifier, remote: SocketAddress, local: SocketAddress, dialed: SocketAddress?
  ) {
    let connectionID = random.next()
    let isTrusting = options.trustedSubnets.contains { $0.contains(remote.address) }
    var features = Features(
      name: options.name, nickname: options.nickname, uid: options.uid, connectionID: connectionID,
      shortID: topology.own.shortID, isTrusting: isTrusting,
      overlays: OverlayKind.allCases.filter(options.overlays.contains).map(\.rawValue),
      extensions: options.isLively ? [FeatureWord.lively] : [])
    if options.passwords != nil {
      features.suites = options.suites.isEmpty ? nil : options.suites.map(\.name)
      features.canReauthenticate = true
    }
    let session = Link(
      Link.Options(
        isOutbound: dialed != nil, passwords: options.passwords, keyPair: KeyPair(random: &random)),
      features: features.map)
    var connection = MeshConnection(
      remote: remote, local: local, dialed: dialed, connectionID: connectionID,
      isTrusting: isTrusting, session: session, passwords: options.passwords, now: now)
    effects.append(.send(link, connection.session.start()))
    connections[link] = connection
    deadlineChanged(of: link)
  }

  mutating func receive(_ bytes: [UInt8], on link: LinkIdentifier) {
    guard connections[link] != nil else { return }
    connections[link]?.countHeader(bytes.count)
    do throws(LinkError) {
      guard let progress = try connections[link]?.session.receive(bytes) else { return }
      if !progress.reply.isEmpty { effects.append(.send(link, progress.reply)) }
      boundUnfinished(grownBy: link)
      for event in progress.events {
        // An event may have ended the session.
        guard connections[link] != nil else { return }
        connections[link]?.heard(now: now)
        take(event, on: link)
      }
    } catch {
      end(link, LinkEnding(refusal: Refusal(error), problem: error.description))
    }
  }

  /// Keeps peers from having us hold large messages that they never finish: if all of those
  /// together are too long, the one with the longest is ended.
  private mutating func boundUnfinished(grownBy link: LinkIdentifier) {
    guard let grown = connections[link]?.session.bufferedCount, grown > Self.unfinishedLengthUsual
    else { return }
    let held = connections.mapValues(\.session.bufferedCount)
    let sum = held.values.reduce(0, +)
    // Of equals the newest, so that the choice is always the same.
    guard sum > options.unfinishedLengthMax,
      let worst = held.max(by: { ($0.value, $0.key.number) < ($1.value, $1.key.number) })
    else { return }
    let problem =
      "unfinished messages of all connections have \(sum) bytes, and its \(worst.value) are the"
      + " most; look at what keeps it from sending the rest"
    end(worst.key, LinkEnding(refusal: .tooLong, problem: problem))
  }

  private mutating func take(_ event: Link.Event, on link: LinkIdentifier) {
    switch event {
    case .features(let map): register(map, on: link)
    case .message(let tag, let payload): take(tag, payload, on: link)
    case .unknownMessage(let tag):
      counts.unknownMessages += 1
      note(
        .messages, .debug, "message with an unknown tag",
        ["peer": name(of: link), "tag": String(tag)])
    }
  }

  private mutating func take(_ tag: MessageTag, _ payload: [UInt8], on link: LinkIdentifier) {
    guard let peer = connections[link]?.peering?.features.name else { return }
    switch tag {
    case .heartbeat: break
    case .legacyEstablished, .legacyFragmentationReceived, .legacyPathMTUVerified:
      counts.unknownMessages += 1
    case .gossip, .gossipUnicast, .gossipBroadcast:
      do throws(GossipError) {
        try receiveGossip(tag, payload, from: peer)
      } catch {
        end(link, LinkEnding(refusal: .closed, problem: error.description))
      }
    case .overlayControl: receiveControl(payload, on: link)
    }
  }

  /// Sends a message; one that is too long is left out, which cannot be helped by closing.
  mutating func send(_ tag: MessageTag, _ payload: [UInt8], on link: LinkIdentifier) {
    do throws(LinkError) {
      guard let bytes = try connections[link]?.session.seal(tag, payload) else { return }
      effects.append(.send(link, bytes))
    } catch {
      counts.unsentMessages += 1
      note(
        .messages, .warning, "message not sent",
        ["peer": name(of: link), "error": error.description])
    }
  }

  /// Who is at the other end, for people.
  func name(of link: LinkIdentifier) -> String {
    guard let connection = connections[link] else { return "nobody" }
    return connection.peering?.features.name.description ?? connection.remote.description
  }

  /// Ends a session, whatever it is, and tells everybody whom it concerns.
  mutating func end(_ link: LinkIdentifier, _ ending: LinkEnding) {
    guard let connection = connections.removeValue(forKey: link) else { return }
    if !ending.isClosed { effects.append(.close(link)) }
    strangers.remove(link)
    if let peering = connection.peering {
      counts.terminations += 1
      counts.overlays.add(peering.overlay.counts)
      unregister(link, peering, isReplaced: ending.isReplaced)
    } else {
      counts.refusals[ending.refusal.rawValue, default: 0] += 1
    }
    if let target = connection.dialed {
      maker.ended(
        target, problem: ending.problem.forPeople, isFinal: ending.refusal.isFinal,
        hasWorked: connection.peering?.isEstablished ?? false, now: now, random: &random)
    }
    isPlanNeeded = true
    var details = ["address": connection.remote.description, "reason": ending.problem]
    details["peer"] = connection.peering?.features.name.description
    let isStranger = connection.peering == nil && connection.dialed == nil
    note(
      isStranger ? .strangers : .peers, .info,
      connection.peering == nil ? "session refused" : "connection ended", details)
  }
}
