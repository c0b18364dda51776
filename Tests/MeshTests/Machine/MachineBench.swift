// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Sealing
import TestSupport
import Testing

/// One machine among peers that a test plays: they say whatever the test wants.
///
/// The machine is host 1 of `MachineNetwork`'s names and addresses.
struct MachineBench {
  /// A peer that a test plays.
  struct Player {
    let number: UInt8
    var session: Link
    /// The connection's number.
    var connectionUID: UInt64
    /// What the machine said, without what is on `topology`.
    var heard: [(tag: MessageTag, payload: [UInt8])] = []
    /// What it said on `topology`.
    var updates: [TopologyUpdate] = []
    var isClosed = false
  }

  static let name = MachineNetwork.name(1)

  let name: PeerName
  var machine: MeshMachine
  private(set) var now = MeshInstant(nanoseconds: 1_000_000_000)
  private(set) var players: [LinkIdentifier: Player] = [:]
  private(set) var notes: [MeshNote] = []
  private(set) var probes: [OverlayProbe] = []
  private(set) var dials: [(link: LinkIdentifier, address: SocketAddress)] = []
  private(set) var closed: Set<LinkIdentifier> = []
  private(set) var forgotten: [PeerName] = []
  /// Whose keys the data plane has no room for.
  var keysWithoutRoom: Set<PeerName> = []
  private(set) var sent: [LinkIdentifier: Int] = [:]
  private let password: Password?
  private var acceptedCount: UInt64 = 1 << 63

  init(
    seed: UInt64 = 1, password: String? = nil,
    _ configure: (inout MeshMachine.Options) -> Void = { _ in }
  ) {
    var options = MeshMachine.Options(name: Self.name, uid: 1, nickname: "bench")
    self.password = password.map { Password(Array($0.utf8)) }
    options.password = self.password
    configure(&options)
    name = options.name
    machine = MeshMachine(options, random: SeededGenerator(seed: seed))
  }

  var report: MeshReport { machine.report(now: now) }
  var refusals: [String: UInt64] { report.counts.refusals }

  // MARK: Inputs

  /// Gives an input to the machine, and lets the players answer.
  mutating func give(_ input: MeshInput) {
    var inputs = [input]
    while !inputs.isEmpty {
      for effect in machine.handle(inputs.removeFirst(), now: now) {
        switch effect {
        case .send(let link, let bytes):
          sent[link, default: 0] += bytes.count
          if let reply = hear(bytes, on: link) { inputs.append(.received(link, reply)) }
        case .close(let link):
          closed.insert(link)
          players[link]?.isClosed = true
        case .dial(let link, let address): dials.append((link, address))
        case .note(let note): notes.append(note)
        case .peersForgotten(let names): forgotten += names
        case .probe(let probe): probes.append(probe)
        case .keysAwaited: inputs.append(.keysRead(except: keysWithoutRoom))
        case .forwardingChanged: break
        }
      }
    }
  }

  /// Lets time pass.
  mutating func wait(_ duration: Duration) {
    let end = now.advanced(by: duration)
    while let next = machine.nextDeadline, next <= end {
      now = max(now, next)
      give(.deadline)
    }
    now = end
  }

  /// Somebody dials the machine and says nothing.
  mutating func accept(from host: UInt8) -> LinkIdentifier {
    acceptedCount += 1
    let link = LinkIdentifier(acceptedCount)
    give(
      .accepted(
        link, remote: MachineNetwork.address(host, port: 50_000), local: MachineNetwork.address(1)))
    return link
  }

  /// A player dials the machine and presents itself.
  mutating func join(
    _ number: UInt8, _ change: (inout Features) -> Void = { _ in }
  )
    -> LinkIdentifier
  {
    acceptedCount += 1
    let link = LinkIdentifier(acceptedCount)
    play(number, on: link, isOutbound: true, change)
    let remote = MachineNetwork.address(number, port: 50_000)
    give(.accepted(link, remote: remote, local: MachineNetwork.address(1)))
    return link
  }

  /// A player answers what the machine dialled.
  mutating func answer(
    _ number: UInt8, _ dial: (link: LinkIdentifier, address: SocketAddress)
  ) {
    play(number, on: dial.link, isOutbound: false)
    let local = MachineNetwork.address(1, port: 40_000)
    give(.dialed(dial.link, remote: dial.address, local: local))
  }

  private mutating func play(
    _ number: UInt8, on link: LinkIdentifier, isOutbound: Bool,
    _ change: (inout Features) -> Void = { _ in }
  ) {
    var features = Features(
      name: MachineNetwork.name(number), nickname: "player", uid: UInt64(number),
      connectionID: UInt64(number) << 32, shortID: ShortID(number), isTrusting: false,
      overlays: ["sleeve"], extensions: [])
    change(&features)
    var random = SeededGenerator(seed: UInt64(number))
    let options = Link.Options(
      isOutbound: isOutbound, password: password, keyPair: KeyPair(random: &random))
    players[link] = Player(
      number: number, session: Link(options, features: features.map),
      connectionUID: features.connectionID)
  }

  /// Takes bytes for a player; returns what it answers.
  private mutating func hear(_ bytes: [UInt8], on link: LinkIdentifier) -> [UInt8]? {
    guard players[link] != nil else { return nil }
    let isFirst = sent[link] == bytes.count
    let greeting = isFirst ? players[link]?.session.start() ?? [] : []
    do throws(LinkError) {
      guard let progress = try players[link]?.session.receive(bytes) else { return nil }
      for event in progress.events {
        if case .message(let tag, let payload) = event { take(tag, payload, on: link) }
        if case .features(let map) = event, let features = try? Features(map) {
          players[link]?.connectionUID ^= features.connectionID
        }
      }
      let reply = greeting + progress.reply
      return reply.isEmpty ? nil : reply
    } catch {
      return nil
    }
  }

  private mutating func take(_ tag: MessageTag, _ payload: [UInt8], on link: LinkIdentifier) {
    if tag == .gossip, let envelope = try? GossipEnvelope(gob: payload, isUnicast: false),
      envelope.channel == "topology", let update = try? TopologyUpdate(gob: envelope.payload)
    {
      #expect(envelope.source == name)
      players[link]?.updates.append(update)
    } else {
      players[link]?.heard.append((tag, payload))
    }
  }

  // MARK: What players say

  /// A player sends a message.
  mutating func say(_ tag: MessageTag, _ payload: [UInt8], on link: LinkIdentifier) throws {
    let bytes = try players[link]?.session.seal(tag, payload) ?? []
    give(.received(link, bytes))
  }

  /// A player sends a heartbeat of an overlay.
  mutating func beat(_ overlay: OverlayKind = .sleeve, on link: LinkIdentifier) {
    guard let player = players[link] else { return }
    give(
      .special(
        OverlaySpecial(
          overlay: overlay, peer: MachineNetwork.name(player.number),
          source: MachineNetwork.address(player.number),
          frameLength: overlay == .fastdp ? 1390 : 22,
          content: .heartbeat(
            connectionUID: player.connectionUID, announcedLength: overlay == .fastdp ? 1390 : 0))))
  }

  /// A player sends gossip; `source` is its number, or who is to be named instead.
  mutating func say(
    _ tag: MessageTag, _ channel: String, _ payload: [UInt8], source: UInt8? = nil,
    destination: UInt8? = nil, on link: LinkIdentifier
  ) throws {
    let number = try #require(source ?? players[link]?.number)
    let envelope = GossipEnvelope(
      channel: channel, source: MachineNetwork.name(number),
      destination: destination.map { MachineNetwork.name($0) }, payload: payload)
    try say(tag, envelope.gob, on: link)
  }

  /// A player describes a peer, mostly itself.
  mutating func describe(
    _ number: UInt8, version: UInt64 = 1, connections: [PeerDescription.Connection],
    on link: LinkIdentifier
  ) throws {
    let peer = PeerDescription(
      name: MachineNetwork.name(number), nickname: "player", uid: UInt64(number), version: version,
      shortID: ShortID(number), connections: connections)
    try say(.gossip, "topology", TopologyUpdate(peers: [peer]).gob, on: link)
  }

  /// A connection as a player describes it.
  static func connection(
    to number: UInt8, address: String = "10.0.0.1:6783", isOutbound: Bool = true
  ) -> PeerDescription.Connection {
    PeerDescription.Connection(
      peer: MachineNetwork.name(number), address: address, isOutbound: isOutbound,
      isEstablished: true)
  }

  /// What a player heard besides heartbeats and overlay control, and forgets.
  mutating func takeHeard(on link: LinkIdentifier) -> [(tag: MessageTag, payload: [UInt8])] {
    defer { players[link]?.heard = [] }
    return (players[link]?.heard ?? []).filter { $0.tag != .heartbeat && $0.tag != .overlayControl }
  }

  /// The topology updates a player heard, and forgets.
  mutating func takeUpdates(on link: LinkIdentifier) -> [TopologyUpdate] {
    defer { players[link]?.updates = [] }
    return players[link]?.updates ?? []
  }
}
