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
    } else {
      try mergeGossip(envelope.payload, channel, from: neighbour)
    }
  }

  /// Merges gossip and passes on what of it is news.
  private mutating func mergeGossip(
    _ payload: [UInt8], _ channel: GossipChannel, from neighbour: PeerName
  ) throws(GossipError) {
    switch channel {
    case .topology:
      guard !merged.contains(payload, channel: channel.name, now: now) else { return }
      let merge = try merge(payload)
      // What there was no room for may be said again.
      if merge.leftOutCount == 0 {
        _ = merged.insert(payload, channel: channel.name, now: now)
      }
      if !merge.changed.isEmpty { collectNews(merge.changed, except: neighbour) }
    case .surrogate(let name):
      guard seen.insert(payload, channel: name, now: now) else { return }
      gossip([payload], channel, except: neighbour)
    }
  }

  private mutating func receiveBroadcast(
    _ envelope: GossipEnvelope, _ channel: GossipChannel, from neighbour: PeerName
  ) throws(GossipError) {
    let onward: [[UInt8]]
    switch channel {
    case .topology: onward = messages(about: try merge(envelope.payload).all)
    case .surrogate: onward = [envelope.payload]
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
    let update = try update(payload)
    let merge = topology.merge(update, random: &random)
    if merge.leftOutCount > 0 { noteLeftOut(merge.leftOutCount) }
    channel.scheduleCollection(now: now)
    if merge.isOwnChanged { topologyChanged(about: [], isUrgent: merge.isRenumbered) }
    if !merge.changed.isEmpty { routes.invalidate(now: now) }
    return merge
  }

  /// Whoever passed on too much need not be who made it up.
  private mutating func noteLeftOut(_ count: Int) {
    counts.leftOutPeers += UInt64(count)
    note(
      .messages, .warning, "topology not taken as a whole",
      [
        "left_out": String(count), "peers": String(topology.peers.count),
        "connections": String(topology.connectionCount),
        "hint": "look for a peer that invents others, or split the mesh",
      ])
  }

  /// Reads an update, of peers that are known already not their connections.
  private func update(_ payload: [UInt8]) throws(GossipError) -> TopologyUpdate {
    do throws(GobError) {
      return try TopologyUpdate(gob: payload) { topology.isNews($0) }
    } catch {
      throw GossipError(channel: GossipChannel.topology.name, problem: error.description)
    }
  }

  // MARK: Sending

  /// Tells some neighbours; the source is always ourselves.
  mutating func gossip(_ payloads: [[UInt8]], _ channel: GossipChannel, except: PeerName?) {
    let chosen = someNeighbours(except: except)
    sendGossip(.gossip, payloads, channel, source: options.name, to: chosen)
  }

  /// What is known of `names`, or of everybody, in as many messages as it takes.
  func messages(about names: Set<PeerName>?) -> [[UInt8]] {
    topology.update(about: names).parts(lengthMax: TopologyUpdate.usualLengthMax).map(\.gob)
  }

  /// A random choice of neighbours, those that more peers are behind rather than others.
  private mutating func someNeighbours(except: PeerName?) -> [PeerName] {
    renewGossipRoutes()
    let weights = GossipSample.weights(routes.all.unicast, except: except).filter {
      linkOfPeer[$0.neighbour] != nil
    }
    return GossipSample.choose(
      GossipSample.count(peers: topology.peers.count), of: weights, random: &random)
  }

  /// Notes for some neighbours what they are to hear of, in one message with what else comes until
  /// then: in a mesh that changes much, each peer would otherwise pass on every message of all.
  private mutating func collectNews(_ names: Set<PeerName>, except: PeerName) {
    for neighbour in someNeighbours(except: except) {
      news[neighbour, default: []].formUnion(names)
    }
    if newsAt == nil, !news.isEmpty { newsAt = now.advanced(by: MeshTiming.news) }
  }

  /// Tells neighbours what was noted for them, as it is known now.
  mutating func tellNews() {
    newsAt = nil
    let waiting = news.sorted { $0.key < $1.key }
    news = [:]
    var encoded: [Set<PeerName>: [[UInt8]]] = [:]
    for (neighbour, names) in waiting {
      let payloads = encoded[names] ?? messages(about: names)
      encoded[names] = payloads
      sendGossip(.gossip, payloads, .topology, source: options.name, to: [neighbour])
    }
  }

  /// Passes on along the tree of the source.
  private mutating func broadcast(
    _ payloads: [[UInt8]], _ channel: GossipChannel, source: PeerName, except: PeerName
  ) {
    renewGossipRoutes()
    let next = routes.all.broadcast(from: source).filter { $0 != except }
    sendGossip(.gossipBroadcast, payloads, channel, source: source, to: next)
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
    _ tag: MessageTag, _ payloads: [[UInt8]], _ channel: GossipChannel, source: PeerName,
    to neighbours: [PeerName]
  ) {
    let links = neighbours.compactMap { linkOfPeer[$0] }
    guard !links.isEmpty else { return }
    for payload in payloads {
      let envelope = GossipEnvelope(
        channel: channel.name, source: source, destination: nil, payload: payload
      ).gob
      for link in links {
        counts.gossipSent += 1
        send(tag, envelope, on: link)
      }
    }
  }

  /// Everything that a channel knows; nil if it is not ours to know.
  private func state(of channel: GossipChannel) -> [[UInt8]]? {
    switch channel {
    case .topology: messages(about: nil)
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
