// SPDX-License-Identifier: Apache-2.0

public import Inet
public import Sealing

/// The mesh of one peer: connections, gossip, topology, and what to dial.
///
/// Every input is dealt with to its end at once. Nothing waits in here but bytes of unfinished
/// messages, which `Link` bounds for each and `Options.unfinishedLengthMax` for all: what is to be
/// sent becomes an effect immediately.
public struct MeshMachine: Sendable {
  /// What the configuration says, and what is drawn at the start.
  public struct Options: Sendable {
    /// Our name; never unknown.
    public var name: PeerName
    /// Drawn at every start; never 0.
    public var uid: UInt64
    /// What our people call us.
    public var nickname: String
    /// The port of TCP and UDP.
    public var port: UInt16 = 6783
    /// The secrets of the whole mesh; nil: nothing is encrypted.
    public var passwords: PasswordRing?
    /// The primary one of them; setting it leaves no other one.
    public var password: Password? {
      get { passwords?.primary }
      set { passwords = PasswordRing(newValue) }
    }
    /// How frames may be sealed, best first; peers of Weave have `secretbox`.
    public var suites = CipherSuite.available
    /// Whether VXLAN may be sealed, which takes AES.
    public var canUseESP = CipherSuite.aes256gcm.isAvailable
    /// How long a key for frames is used.
    public var rekeyInterval = SealingTerms.rekeyInterval
    /// Whether peers of peers are dialled.
    public var hasDiscovery = true
    /// Connections at most; 0: no limit.
    public var connectionCountMax = 200
    /// Bytes of unfinished messages of all connections together, beyond which the connection with
    /// most of them is ended.
    public var unfinishedLengthMax = 128 << 20
    /// Paths to these need no encryption of frames.
    public var trustedSubnets: [IPv4Prefix] = []
    /// The overlays that we offer; VXLAN is always preferred.
    public var overlays = OverlayKind.allCases
    /// Whether heartbeats to other Weft peers come every 2 s, so that a death shows within 10 s.
    public var isLively = true
    /// What the underlay carries in one piece, in bytes with all headers.
    public var underlayMTU = 1500
    /// Bytes of an IP packet of our containers.
    public var overlayMTU = 1376

    /// The defaults, for a peer.
    public init(name: PeerName, uid: UInt64, nickname: String) {
      self.name = name
      self.uid = uid
      self.nickname = nickname
    }
  }

  /// What the data plane has to know now.
  public internal(set) var forwarding: MeshForwarding

  /// As given, but for lengths, which may change.
  var options: Options
  var random: any RandomNumberGenerator & Sendable
  /// The time of the input that is being dealt with.
  var now = MeshInstant(nanoseconds: 0)
  /// What has come of it so far.
  var effects: [MeshEffect] = []
  /// What is to be sent over links, after `forwarding` was told.
  var probes: [OverlayProbe] = []
  /// Overlay control messages about keys that `forwarding` has and the data plane may not use yet;
  /// at most an offer and a confirmation for each overlay of a connection.
  var heldKeyControls: [(link: LinkIdentifier, payload: [UInt8])] = []
  /// Whether one of them has come with this input.
  var areKeysAwaited = false
  var topology: Topology
  var routes: MeshRoutes
  var channel = TopologyChannel()
  /// Gossip of channels that we only pass on.
  var seen = SeenPayloads()
  /// Gossip of our channel that says nothing new as long as nobody is forgotten.
  var merged = SeenPayloads()
  var maker: ConnectionMaker
  /// Every TCP session there is.
  var connections: [LinkIdentifier: MeshConnection] = [:]
  /// Those of them that belong to the topology.
  var linkOfPeer: [PeerName: LinkIdentifier] = [:]
  var strangers = Strangers()
  var counts = MeshReport.Counts()
  var notes = NoteLimiter()
  /// When some connection has something to do, or earlier.
  var connectionsDeadline: MeshInstant?
  /// Whom each neighbour is to hear of next.
  var news: [PeerName: Set<PeerName>] = [:]
  /// When it does; nil: there is nothing to tell.
  var newsAt: MeshInstant?
  /// When everything that is known is told again; nil before the first input.
  var gossipAt: MeshInstant?
  /// Whether somebody might have to be dialled.
  var isPlanNeeded = false
  /// Whether `forwarding` might be out of date.
  var isForwardingStale = false
  /// Whether something about links to neighbours might be, and nothing else.
  var areLinksStale = false
  private var linkCount: UInt64 = 0

  /// A mesh with nobody in it.
  public init(_ options: Options, random: any RandomNumberGenerator & Sendable) {
    var random = random
    let shortID = ShortID(truncating: random.next())
    let own = PeerDescription(
      name: options.name, nickname: options.nickname, uid: options.uid, version: 0,
      shortID: shortID, connections: [])
    self.options = options
    self.random = random
    topology = Topology(own: own)
    routes = MeshRoutes(topology)
    maker = ConnectionMaker(port: options.port)
    forwarding = MeshForwarding(shortID: shortID, neighbours: [], peers: [], broadcast: [])
  }

  /// Takes one input; the effects are to be carried out in order.
  public mutating func handle(_ input: MeshInput, now: MeshInstant) -> [MeshEffect] {
    self.now = max(self.now, now)
    if gossipAt == nil { gossipAt = now.advanced(by: MeshTiming.gossip) }
    take(input)
    settle()
    // The data plane has to use a key before something comes that is sealed with it.
    if areKeysAwaited { effects.append(.keysAwaited) }
    // And to know a link before something is sent over it.
    for probe in probes where linkOfPeer[probe.peer] != nil { effects.append(.probe(probe)) }
    defer {
      effects = []
      probes = []
      areKeysAwaited = false
    }
    return effects
  }

  private mutating func take(_ input: MeshInput) {
    switch input {
    case .accepted(let link, let remote, let local): accept(link, remote: remote, local: local)
    case .dialed(let link, let remote, let local): dialed(link, remote: remote, local: local)
    case .dialFailed(let link, let reason): dialFailed(link, reason: reason)
    case .received(let link, let bytes): receive(bytes, on: link)
    case .closed(let link, let reason): closed(link, reason: reason)
    case .special(let special): receive(special)
    case .datagramTooLong(let destination, let pathMTU): tooLong(destination, pathMTU: pathMTU)
    case .underlayMTU(let mtu): underlayChanged(mtu)
    case .overlayMTU(let mtu): overlayChanged(mtu)
    case .keyUsed(let peer, let overlay): keyUsed(peer, overlay)
    case .keysRead(let peers): keysRead(except: peers)
    case .passwords(let passwords): passwordsChanged(passwords)
    case .deadline: advance()
    case .connect(let targets, let isReplacing):
      maker.connect(targets, isReplacing: isReplacing, now: self.now)
      isPlanNeeded = true
    case .forget(let targets):
      maker.forget(targets)
      isPlanNeeded = true
    }
  }

  /// Deals with what inputs of any kind may have left to do.
  private mutating func settle() {
    if routes.dueAt.isDue(now) { calculateRoutes() }
    if isPlanNeeded { dialWhoeverIsDue() }
    if isForwardingStale { renewForwarding() } else if areLinksStale { renewLinks() }
  }

  /// Dials what the connection maker wants to be dialled.
  private mutating func dialWhoeverIsDue() {
    isPlanNeeded = false
    for address in maker.plan(makerView(withDiscovery: true), now: now) {
      linkCount += 1
      let link = LinkIdentifier(linkCount)
      maker.dialing(address, link)
      effects.append(.dial(link, address))
    }
  }

  /// Writes a line into the log, unless whoever is the cause made us write too many.
  mutating func note(
    _ cause: NoteLimiter.Cause, _ level: MeshNote.Level, _ text: String,
    _ details: [String: String]
  ) {
    guard let suppressed = notes.admit(cause, now: now) else { return }
    var details = details.mapValues(\.forPeople)
    if suppressed > 0 { details["suppressed"] = String(suppressed) }
    effects.append(.note(MeshNote(level, text, details)))
  }
}
