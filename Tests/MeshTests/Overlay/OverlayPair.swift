// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import Sealing
import TestSupport
import Testing

/// The peer that is dialled, at 10.99.0.1, and the one that dials, at 10.99.0.2.
let dialled = PeerName(bits: 0x0200_0000_000A)
let dialler = PeerName(bits: 0x0200_0000_000B)
let dialledAddress = SocketAddress(IPv4Address(bits: 0x0A63_0001), port: 6783)
let diallerAddress = SocketAddress(IPv4Address(bits: 0x0A63_0002), port: 6783)
let testUID: UInt64 = 0x1122_3344_5566_7788

/// The key 00 01 … 1f of the wire notes' vectors.
let testKey = SessionKey(bytes: Array(0..<32))

/// One end's view of the connection; who dials has a TCP port of its own.
func overlayOptions(isOutbound: Bool, key: SessionKey? = nil) -> OverlaySwitch.Options {
  let session = SocketAddress(diallerAddress.address, port: 41_234)
  return OverlaySwitch.Options(
    own: isOutbound ? dialler : dialled, remote: isOutbound ? dialled : dialler,
    connectionUID: testUID, isOutbound: isOutbound,
    remoteAddress: isOutbound ? dialledAddress : session,
    localAddress: isOutbound ? session : dialledAddress, key: key, underlayMTU: 1500)
}

/// One end that both ends' lists allow.
func overlaySwitch(
  isOutbound: Bool, key: SessionKey? = nil, remoteOverlays: [String] = ["fastdp", "sleeve"]
) throws -> OverlaySwitch {
  try OverlaySwitch(
    overlayOptions(isOutbound: isOutbound, key: key), remoteOverlays: remoteOverlays)
}

/// A moment of the tests' clock.
func moment(_ duration: Duration) -> MeshInstant {
  MeshInstant(nanoseconds: 1_000_000_000_000).advanced(by: duration)
}

/// A special frame that one of the two ends hears of the other.
func special(
  _ overlay: OverlayKind, fromDialler: Bool, _ content: OverlaySpecial.Content, length: Int = 22,
  source: SocketAddress? = nil
) -> OverlaySpecial {
  OverlaySpecial(
    overlay: overlay, peer: fromDialler ? dialler : dialled,
    source: source ?? (fromDialler ? diallerAddress : dialledAddress), frameLength: length,
    content: content)
}

/// A heartbeat that one of the two ends hears of the other.
func heartbeat(
  _ overlay: OverlayKind = .sleeve, fromDialler: Bool, _ connectionUID: UInt64 = testUID,
  source: SocketAddress? = nil
) -> OverlaySpecial {
  let length = overlay == .fastdp ? 1390 : 22
  return special(
    overlay, fromDialler: fromDialler,
    .heartbeat(
      connectionUID: connectionUID, announcedLength: overlay == .fastdp ? length : 0),
    length: length, source: source)
}

/// A heartbeat that one of the two ends sends.
func heartbeatProbe(_ overlay: OverlayKind = .sleeve, fromDialler: Bool) -> OverlayEffect {
  .probe(
    OverlayProbe(
      overlay: overlay, peer: fromDialler ? dialled : dialler,
      frameLength: overlay == .fastdp ? 1390 : 22, connectionUID: testUID))
}

extension OverlayProbe {
  /// Bytes of the IP packet that carries it.
  func packetLength(isSealed: Bool) -> Int {
    if overlay == .fastdp { return frameLength + (isSealed ? sealedOverhead : 36) }
    return frameLength + 14 + (isSealed ? 30 : 6) + 28
  }

  /// IPv4, SPI and number, IV, UDP, VXLAN, trailer with what fills up to 4 bytes, tag.
  private var sealedOverhead: Int { 20 + 16 + 8 + 8 + 2 + (-(18 + frameLength) & 3) + 16 }

  /// What the other end hears of it.
  func heard(from peer: PeerName, at source: SocketAddress) -> OverlaySpecial {
    let content: OverlaySpecial.Content =
      if let connectionUID {
        .heartbeat(
          connectionUID: connectionUID, announcedLength: overlay == .fastdp ? frameLength : 0)
      } else if frameLength == 60_001 { .fragmentationTest } else { .lengthTest }
    return OverlaySpecial(
      overlay: overlay, peer: peer, source: source, frameLength: frameLength, content: content)
  }
}

extension OverlaySwitch {
  /// Whether what was sealed with a key is opened; what was not is taken if nothing is sealed.
  fileprivate func opens(_ key: FrameKey?, _ overlay: OverlayKind) -> Bool {
    let security = overlay == .fastdp ? fastdpLink?.security : sleeveLink?.security
    guard let key else { return security == nil }
    return security?.openings.contains { $0.isSame(as: key) } ?? false
  }
}

/// Both ends of a connection in virtual time; datagrams may be lost, late and out of order, control
/// messages arrive in order.
struct OverlayPair {
  private enum Content {
    case special(OverlaySpecial, FrameKey?)
    case control([UInt8])
    case tooLong(Int)
  }

  private struct Message {
    var due: Duration
    var end: Int
    var content: Content
  }

  /// A choice that an end made.
  struct Choice: Equatable {
    var at: Duration
    var overlay: OverlayKind
    var former: OverlayKind?
  }

  /// Both ends: who dials first.
  var ends: [OverlaySwitch]
  /// Of a hundred datagrams, so many are lost.
  var lossPercent = 0
  /// The ends that hear nothing by an overlay.
  var deafEnds: [OverlayKind: Set<Int>] = [:]
  /// The latest that a datagram may be.
  var lateMillisecondsMax = 5
  /// What the dialler's datagrams seem to come from.
  var diallerSeenAt = diallerAddress
  /// What the path carries in one piece, and whether it says so to who sends more.
  var pathMTU = 1500
  var hasRouters = false
  /// Whether fragments arrive.
  var carriesFragments = true
  /// What each end chose, and why it failed.
  private(set) var choices: [[Choice]] = [[], []]
  private(set) var failures: [String?] = [nil, nil]
  /// What happened so far.
  private(set) var probes: [[OverlayProbe]] = [[], []]
  private(set) var controls: [[[UInt8]]] = [[], []]
  private(set) var now = Duration.zero

  /// Datagrams that were sealed with a key that the receiver does not have.
  private(set) var unopenedCount = 0
  /// Datagrams that were sent before there was a key.
  private(set) var unsealedCount = 0

  private var messages: [Message] = []
  private var generator: SeededGenerator
  private let isSealed: Bool

  init(
    key: SessionKey? = nil, seed: UInt64 = 1, isLively: Bool = false,
    overlays: [String] = ["fastdp", "sleeve"], terms: [SealingTerms]? = nil,
    _ configure: (inout OverlaySwitch.Options) -> Void = { _ in }
  ) throws {
    ends = try [true, false].map { isOutbound in
      var options = overlayOptions(isOutbound: isOutbound, key: key)
      options.isLively = isLively
      options.terms = terms?[isOutbound ? 0 : 1]
      configure(&options)
      return try OverlaySwitch(options, remoteOverlays: overlays)
    }
    generator = SeededGenerator(seed: seed)
    isSealed = key != nil
  }

  /// When each end was established.
  var established: [Duration?] { choices.map { $0.first?.at } }

  /// What carries frames at each end.
  var chosen: [OverlayKind?] { ends.map(\.chosen) }

  /// Heartbeats that an end sent.
  func beatCount(_ end: Int, _ overlay: OverlayKind = .sleeve) -> Int {
    probes[end].count { $0.overlay == overlay && $0.connectionUID != nil }
  }

  /// Control messages of an end that are not answers to tests.
  func acknowledgements(_ end: Int) -> [[UInt8]] { controls[end].filter { $0[1] < 2 || $0[1] > 3 } }

  // MARK: Time

  /// Confirms both ends.
  mutating func confirmBoth() {
    confirm(0)
    confirm(1)
  }

  /// Confirms one end; 0 is who dials.
  mutating func confirm(_ index: Int) {
    carryOut(ends[index].confirm(now: moment(now)), of: index)
  }

  /// Lets an end do something.
  mutating func at(_ index: Int, _ work: (inout OverlaySwitch, MeshInstant) -> [OverlayEffect]) {
    carryOut(work(&ends[index], moment(now)), of: index)
  }

  /// Lets time go by; stops earlier when nothing more can happen.
  mutating func run(until end: Duration) {
    while let next = nextEvent(), next <= end {
      now = max(now, next)
      if let index = messages.indices.filter({ messages[$0].due <= now }).min(by: {
        messages[$0].due < messages[$1].due
      }) {
        deliver(messages.remove(at: index))
      } else {
        for index in ends.indices where ends[index].nextDeadline.map({ $0 <= moment(now) }) == true
        {
          carryOut(ends[index].advance(now: moment(now)), of: index)
        }
      }
    }
    now = end
  }

  private func nextEvent() -> Duration? {
    let deadlines = ends.compactMap(\.nextDeadline).map { moment(.zero).duration(to: $0) }
    return (deadlines + messages.map(\.due)).min()
  }

  private mutating func deliver(_ message: Message) {
    let now = moment(now)
    if case .special(let special, let key) = message.content,
      !ends[message.end].opens(key, special.overlay)
    {
      unopenedCount += 1
      return
    }
    at(message.end) { end, _ in
      switch message.content {
      case .special(let special, _): end.receive(special, now: now)
      case .control(let bytes): end.receiveControl(bytes, now: now)
      case .tooLong(let pathMTU): end.tooLong(pathMTU: pathMTU, now: now)
      }
    }
  }

  private mutating func carryOut(_ effects: [OverlayEffect], of index: Int) {
    for effect in effects {
      switch effect {
      case .probe(let probe): send(probe, from: index)
      case .control(let bytes), .keyControl(let bytes):
        controls[index].append(bytes)
        send(.control(bytes), to: 1 - index, late: .milliseconds(1))
      case .keyUnconfirmed(let overlay): Issue.record("a key of \(overlay) is not confirmed")
      case .chosen(let overlay, let former, _):
        choices[index].append(Choice(at: now, overlay: overlay, former: former))
      case .failed(let reason): failures[index] = reason
      }
    }
  }

  private mutating func send(_ probe: OverlayProbe, from index: Int) {
    probes[index].append(probe)
    let isLost = generator.number(below: 100) < lossPercent
    guard !isLost, deafEnds[probe.overlay]?.contains(1 - index) != true else { return }
    let link = probe.overlay == .fastdp ? ends[index].fastdpLink : ends[index].sleeveLink
    var expected = index == 0 ? dialledAddress : diallerSeenAt
    if probe.overlay == .fastdp { expected.port = 6784 }
    guard link?.remote == expected else { return }
    if probe.packetLength(isSealed: isSealed) > pathMTU {
      if !probe.isFragmentable, hasRouters {
        send(.tooLong(pathMTU), to: index, late: .milliseconds(1))
      }
      guard probe.isFragmentable, carriesFragments else { return }
    }
    let key = link?.security?.sealing
    if isSealed, key == nil { unsealedCount += 1 }
    let source = index == 0 ? diallerSeenAt : dialledAddress
    let late = 1 + generator.number(below: lateMillisecondsMax)
    send(
      .special(probe.heard(from: index == 0 ? dialler : dialled, at: source), key), to: 1 - index,
      late: .milliseconds(late))
  }

  private mutating func send(_ content: Content, to end: Int, late: Duration) {
    messages.append(Message(due: now + late, end: end, content: content))
  }
}
