// SPDX-License-Identifier: Apache-2.0

import Gob
import Inet

// Messages from peer to peer over others (wire notes, section 8).
extension MeshMachine {
  // MARK: Receiving

  mutating func receiveGossip(
    _ tag: MessageTag, _ payload: [UInt8], from neighbour: PeerName
  ) throws(GossipError) {
    counts.gossipReceived += 1
    let envelope: GossipEnvelope
    do throws(GobError) {
      envelope = try GossipEnvelope(gob: payload, isUnicast: tag == .gossipUnicast)
    } catch {
      throw GossipError(channel: "", problem: error.description)
    }
    let channel = GossipChannel(name: envelope.channel)
    if let destination = envelope.destination {
      guard destination == options.name else {
        return relay(payload, to: destination, from: neighbour)
      }
      try receiveUnicast(channel)
    } else if tag == .gossipBroadcast {
      try receiveBroadcast(envelope, channel, from: neighbour)
    } else if let news = try mergeGossip(envelope.payload, channel) {
      gossip(news, channel, except: neighbour)
    }
  }

  /// Merges gossip; returns what of it is to be passed on.
  private mutating func mergeGossip(
    _ payload: [UInt8], _ channel: GossipChannel
  ) throws(GossipError) -> [UInt8]? {
    switch channel {
    case .topology:
      guard !merged.contains(payload, channel: channel.name, now: now) else { return nil }
      let changed = try merge(payload).changed
      _ = merged.insert(payload, channel: channel.name, now: now)
      return changed.isEmpty ? nil : topology.update(about: changed).gob
    case .surrogate(let name):
      return seen.insert(payload, channel: name, now: now) ? payload : nil
    }
  }

  private mutating func receiveBroadcast(
    _ envelope: GossipEnvelope, _ channel: GossipChannel, from neighbour: PeerName
  ) throws(GossipError) {
    let onward: [UInt8]
    switch channel {
    case .topology: onward = topology.update(about: try merge(envelope.payload).all).gob
    case .surrogate: onward = envelope.payload
    }
    // What we said ourselves has reached everybody already.
    guard envelope.source != options.name else { return }
    broadcast(onward, channel, source: envelope.source, except: neighbour)
  }

  /// A message for ourselves alone; of a channel that we do not speak it is ignored.
  private func receiveUnicast(_ channel: GossipChannel) throws(GossipError) {
    guard channel == .topology else { return }
    throw GossipError(channel: channel.name, problem: "the channel has no unicasts")
  }

  private mutating func merge(_ payload: [UInt8]) throws(GossipError) -> Topology.Merge {
    let update: TopologyUpdate
    do throws(GobError) { update = try TopologyUpdate(gob: payload) } catch {
      throw GossipError(channel: GossipChannel.topology.name, problem: error.description)
    }
    let merge: Topology.Merge
    do throws(TopologyError) { merge = try topology.merge(update, random: &random) } catch {
      // Whoever passes it on need not be who made it up.
      note(.messages, .warning, "topology not taken", ["error": error.description])
      return Topology.Merge()
    }
    channel.scheduleCollection(now: now)
    if merge.isOwnChanged { topologyChanged(about: []) }
    if !merge.changed.isEmpty { routes.invalidate(now: now) }
    return merge
  }

  // MARK: Sending

  /// Tells some neighbours; the source is always ourselves.
  mutating func gossip(_ payload: [UInt8], _ channel: GossipChannel, except: PeerName?) {
    renewGossipRoutes()
    let weights = GossipSample.weights(routes.all.unicast, except: except).filter {
      linkOfPeer[$0.neighbour] != nil
    }
    let chosen = GossipSample.choose(
      GossipSample.count(peers: topology.peers.count), of: weights, random: &random)
    sendGossip(.gossip, payload, channel, source: options.name, to: chosen)
  }

  /// Passes on along the tree of the source.
  private mutating func broadcast(
    _ payload: [UInt8], _ channel: GossipChannel, source: PeerName, except: PeerName
  ) {
    renewGossipRoutes()
    let next = routes.all.broadcast(from: source).filter { $0 != except }
    sendGossip(.gossipBroadcast, payload, channel, source: source, to: next)
  }

  /// Passes on as it is, but never back: that would be a circle.
  private mutating func relay(_ payload: [UInt8], to destination: PeerName, from: PeerName) {
    renewGossipRoutes()
    guard let hop = routes.all.unicast[destination], hop != from, let link = linkOfPeer[hop] else {
      return note(
        .messages, .debug, "no way for a gossip message",
        ["peer": from.description, "destination": destination.description])
    }
    counts.gossipSent += 1
    send(.gossipUnicast, payload, on: link)
  }

  private mutating func sendGossip(
    _ tag: MessageTag, _ payload: [UInt8], _ channel: GossipChannel, source: PeerName,
    to neighbours: [PeerName]
  ) {
    let links = neighbours.compactMap { linkOfPeer[$0] }
    guard !links.isEmpty else { return }
    let envelope = GossipEnvelope(
      channel: channel.name, source: source, destination: nil, payload: payload
    ).gob
    for link in links {
      counts.gossipSent += 1
      send(tag, envelope, on: link)
    }
  }

  /// Everything that a channel knows; nil if it is not ours to know.
  private func state(of channel: GossipChannel) -> [UInt8]? {
    switch channel {
    case .topology: topology.update(about: nil).gob
    case .surrogate: nil
    }
  }

  /// Tells some neighbours everything.
  mutating func gossipEverything() {
    for channel in GossipChannel.spoken {
      if let state = state(of: channel) { gossip(state, channel, except: nil) }
    }
  }

  /// Tells a new neighbour everything.
  mutating func sendEverything(on link: LinkIdentifier) {
    guard let peer = connections[link]?.peering?.features.name else { return }
    for channel in GossipChannel.spoken {
      guard let state = state(of: channel) else { continue }
      sendGossip(.gossip, state, channel, source: options.name, to: [peer])
    }
  }
}
