// SPDX-License-Identifier: Apache-2.0

import Inet

extension MeshMachine {
  /// When `MeshInput.deadline` is due; nil: never.
  public var nextDeadline: MeshInstant? {
    let own = [
      gossipAt, newsAt, channel.nextDeadline, routes.dueAt,
      maker.nextDeadline(makerView(withDiscovery: false)),
    ]
    return (own + [connectionsDeadline]).compactMap(\.self).min()
  }

  /// A connection may have something to do earlier than before.
  ///
  /// What is to be done later than before is found out when its old time has come: so no input but
  /// `deadline` has to look at all connections.
  mutating func deadlineChanged(of link: LinkIdentifier) {
    guard let deadline = connections[link]?.nextDeadline else { return }
    connectionsDeadline = min(connectionsDeadline ?? deadline, deadline)
  }

  /// Does everything that is due.
  mutating func advance() {
    let now = now
    for link in links(where: { $0.nextDeadline <= now }) { advance(link) }
    if channel.collectAt.isDue(now) { collectGarbage() }
    if newsAt.isDue(now) { tellNews() }
    if let names = channel.takeAnnouncement(now: now) { announce(names) }
    if let due = gossipAt, due <= now {
      let next = due.advanced(by: MeshTiming.gossip)
      gossipAt = next > now ? next : now.advanced(by: MeshTiming.gossip)
      gossipEverything()
    }
    connectionsDeadline = connections.values.map(\.nextDeadline).min()
    if maker.nextDeadline(makerView(withDiscovery: false)).isDue(now) { isPlanNeeded = true }
  }

  private mutating func advance(_ link: LinkIdentifier) {
    guard let connection = connections[link] else { return }
    guard connection.silenceDeadline > now else { return endSilent(link) }
    guard let peering = connection.peering else { return }
    if peering.heartbeatAt <= now {
      connections[link]?.peering?.heartbeatAt = now.advanced(by: MeshTiming.heartbeat)
      send(.heartbeat, [], on: link)
    }
    if peering.overlay.nextDeadline.isDue(now) {
      let now = now
      withOverlay(of: link) { $0.advance(now: now) }
    }
    if peering.reauthentication?.nextDeadline.isDue(now) == true { advanceReauthentication(link) }
  }

  private mutating func endSilent(_ link: LinkIdentifier) {
    let isConnection = connections[link]?.peering != nil
    let problem =
      isConnection
      ? "nothing was heard from it for 60 s" : "it did not present itself in time: is it a peer?"
    end(link, LinkEnding(refusal: .slow, problem: problem))
  }

  /// The links of some connections, in order, so that equal inputs lead to equal outputs.
  func links(where predicate: (MeshConnection) -> Bool) -> [LinkIdentifier] {
    connections.filter { predicate($0.value) }.keys.sorted { $0.number < $1.number }
  }
}
