// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import Wire

/// Sleeve's end of one connection.
///
/// Only the end that dialled knows where to send to from the start, the other learns it from the
/// heartbeats that come: so one of them may be behind a NAT, and what it looks like from outside
/// may change. How long datagrams may be is searched for (`PathSearch`), and whether longer ones
/// arrive in fragments is tested, as soon as frames get through and now and then afterwards. Sealed
/// with the connection's key it has to agree on nothing, otherwise it sends nothing before the
/// other end has chosen a key.
struct SleeveLink: Sendable {
  private let options: OverlaySwitch.Options
  private var search: PathSearch
  private var fragmentation = FragmentationTest()
  private var exchange: KeyExchange?
  /// Made of the connection's key, if that is what seals.
  private var sharedSecurity: LinkSecurity?
  private var isConfirmed = false
  private var changes = TokenBucket(countMax: 1, pause: .seconds(1))
  private var answers = TokenBucket(countMax: 50, pause: .milliseconds(20))
  private var hints = TokenBucket(countMax: 10, pause: .milliseconds(100))

  /// What control messages call it.
  let index: UInt8
  /// Whether frames get through.
  private(set) var pulse: OverlayPulse
  /// Where datagrams go; the end that was dialled has to learn it.
  private(set) var remote: SocketAddress?
  /// Its keys; nil if nothing is sealed.
  var security: LinkSecurity? { exchange?.security ?? sharedSecurity }
  /// Whether datagrams arrive in fragments.
  var mayFragment: Bool { fragmentation.isPassed }
  /// What could not be used.
  var counts = OverlaySwitch.Counts()

  /// Prepares it.
  init(_ options: OverlaySwitch.Options, index: UInt8) {
    self.options = options
    self.index = index
    pulse = OverlayPulse(isLively: options.isLively)
    remote = options.isOutbound ? options.remoteAddress : nil
    if let key = options.key {
      if let terms = options.terms, terms.suite != .secretbox {
        exchange = KeyExchange(
          terms.suite, layout: .sleeve, terms: terms, base: key, own: options.own,
          remote: options.remote)
      } else {
        sharedSecurity = Self.security(key, isOutbound: options.isOutbound)
      }
    }
    let sealing = options.key == nil ? 0 : 8 + SecretBox.overhead
    let headers = 20 + 8 + SleeveHeader.length + SleeveRecordHeader.length + EthernetHeader.length
    search = PathSearch(underlayMTU: options.underlayMTU, overhead: headers + sealing)
  }

  private static func security(_ key: SessionKey, isOutbound: Bool) -> LinkSecurity {
    LinkSecurity(
      suite: .secretbox,
      sealing: FrameKey(secretbox: key, isSenderOutbound: isOutbound, isSealing: true),
      openings: [FrameKey(secretbox: key, isSenderOutbound: !isOutbound, isSealing: false)],
      renewedAt: MeshInstant(nanoseconds: 0))
  }

  /// Bytes of a container's IP packet that goes in one datagram.
  var mtu: Int { search.mtu }

  /// What the data plane has to know.
  var link: MeshForwarding.Neighbour.Link {
    MeshForwarding.Neighbour.Link(
      remote: remote, localPort: options.port, isWorking: pulse.isWorking,
      frameLengthMax: mtu + EthernetHeader.length, datagramLengthMax: search.datagramLengthMax,
      mayFragment: mayFragment, security: security)
  }

  /// When something is due; nil: never.
  var nextDeadline: MeshInstant? {
    [
      pulse.nextDeadline, search.nextDeadline, fragmentation.nextDeadline, exchange?.nextDeadline,
    ].compactMap(\.self).min()
  }

  // MARK: Inputs

  /// Heartbeats may travel from now on.
  mutating func confirm(now: MeshInstant) -> [OverlayEffect] {
    pulse.begin(now: now)
    isConfirmed = true
    sharedSecurity?.renewedAt = now
    return send(exchange?.begin(now: now)) + heartbeat(now: now)
  }

  /// Takes a special frame.
  mutating func receive(_ special: OverlaySpecial, now: MeshInstant) -> [OverlayEffect] {
    switch special.content {
    case .heartbeat(let connectionUID, _):
      guard connectionUID == options.connectionUID else {
        counts.foreignSpecials += 1
        return []
      }
      return takeHeartbeat(from: special.source, now: now)
    case .fragmentationTest: return answer(OverlaySubTag.fragmentationReceived, now: now)
    case .lengthTest:
      let length = UInt16(
        clamping: max(special.frameLength, EthernetHeader.length) - EthernetHeader.length)
      return answer(
        OverlaySubTag.lengthVerified, [UInt8(length >> 8), UInt8(length & 0xFF)], now: now)
    case .damagedFragmentationTest:
      counts.malformed += 1
      return []
    }
  }

  /// Takes an overlay control message without its index; nil if it makes no sense.
  mutating func receiveControl(_ payload: ArraySlice<UInt8>, now: MeshInstant) -> [OverlayEffect]? {
    switch payload.first {
    case OverlaySubTag.sleeveAcknowledged:
      guard pulse.acknowledge(now: now) else { return nil }
      return test(now: now)
    case OverlaySubTag.fragmentationReceived:
      fragmentation.verified()
      return []
    case OverlaySubTag.lengthVerified:
      let data = payload.dropFirst()
      guard data.count >= 2 else { return nil }
      let length = data.prefix(2).reduce(0) { $0 << 8 | Int($1) }
      return lengthTest(search.verified(length, now: now))
    case OverlaySubTag.sleeveSecurity: return takeOffer(payload.dropFirst(), now: now)
    case OverlaySubTag.keyConfirmed:
      return exchange?.receiveConfirmation(payload.dropFirst(), now: now).map(send)
    case OverlaySubTag.retracted where options.isLively:
      pulse.retract(now: now)
      rest()
      return []
    default: return nil
    }
  }

  /// A router says what the path carries.
  mutating func tooLong(pathMTU: Int, now: MeshInstant) -> [OverlayEffect] {
    guard pulse.isWorking, hints.take(now: now) else { return [] }
    return lengthTest(search.tooLong(pathMTU: pathMTU, now: now))
  }

  /// The underlay carries packets of another length from now on.
  mutating func underlayChanged(_ mtu: Int, now: MeshInstant) -> [OverlayEffect] {
    search.underlayChanged(mtu, isUsed: pulse.isWorking)
    return pulse.isWorking ? lengthTest(search.begin(now: now)) : []
  }

  /// Does what is due.
  mutating func advance(now: MeshInstant) -> [OverlayEffect] {
    var effects: [OverlayEffect] = []
    if pulse.expire(now: now) {
      rest()
      if options.isLively { effects.append(.control([index, OverlaySubTag.retracted])) }
    }
    if pulse.beatAt.isDue(now) { effects += heartbeat(now: now) }
    if fragmentation.advance(now: now) { effects.append(fragmentationTest) }
    effects += send(exchange?.advance(now: now))
    return effects + lengthTest(search.advance(now: now))
  }

  // MARK: Keys

  /// A key is nearly used up.
  mutating func renewKey(now: MeshInstant) -> [OverlayEffect] { send(exchange?.renew(now: now)) }

  /// The connection has another key from now on.
  mutating func rebase(
    _ key: SessionKey, generation: UInt8, now: MeshInstant
  ) -> [OverlayEffect] {
    send(exchange?.rebase(key, generation: generation, now: now))
  }

  private mutating func takeOffer(
    _ offer: ArraySlice<UInt8>, now: MeshInstant
  ) -> [OverlayEffect]? {
    guard let answer = exchange?.receiveOffer(offer, now: now) else { return nil }
    guard isConfirmed, pulse.beatAt == nil else { return send(answer) }
    return send(answer) + heartbeat(now: now)
  }

  private func send(_ messages: [KeyExchange.Message]?) -> [OverlayEffect] {
    (messages ?? []).effects(.sleeve, index: index)
  }

  // MARK: Heartbeats

  private mutating func takeHeartbeat(
    from address: SocketAddress, now: MeshInstant
  ) -> [OverlayEffect] {
    var effects: [OverlayEffect] = []
    if remote == nil {
      remote = address
      effects = heartbeat(now: now)
    } else if remote != address {
      if changes.take(now: now) { remote = address } else { counts.unfollowedAddresses += 1 }
    }
    let isWorking = pulse.isWorking
    if pulse.hear(now: now) { effects.append(.control([index, OverlaySubTag.sleeveAcknowledged])) }
    return isWorking ? effects : effects + test(now: now)
  }

  /// A heartbeat if there is somewhere to send it, and a key if it needs one.
  private mutating func heartbeat(now: MeshInstant) -> [OverlayEffect] {
    guard remote != nil, exchange?.canSend != false else { return [] }
    pulse.beat(now: now)
    return [probe(SleeveSpecialFrame.heartbeatLength, connectionUID: options.connectionUID)]
  }

  // MARK: Tests

  /// Tests the path as soon as frames get through in both directions.
  private mutating func test(now: MeshInstant) -> [OverlayEffect] {
    guard pulse.isWorking, fragmentation.nextDeadline == nil else { return [] }
    fragmentation.begin(now: now)
    return [fragmentationTest] + lengthTest(search.begin(now: now))
  }

  /// Tests nothing while nothing arrives.
  private mutating func rest() {
    search.stop()
    fragmentation.stop()
  }

  private var fragmentationTest: OverlayEffect {
    probe(FragmentationTest.frameLength, isFragmentable: true)
  }

  private func lengthTest(_ length: Int?) -> [OverlayEffect] {
    length.map { [probe($0 + EthernetHeader.length)] } ?? []
  }

  /// Answers a test; in clear anybody can send one, and not every one has to be answered.
  private mutating func answer(
    _ subTag: UInt8, _ data: [UInt8] = [], now: MeshInstant
  ) -> [OverlayEffect] {
    guard answers.take(now: now) else {
      counts.unansweredTests += 1
      return []
    }
    return [.control([index, subTag] + data)]
  }

  private func probe(
    _ frameLength: Int, connectionUID: UInt64? = nil, isFragmentable: Bool = false
  ) -> OverlayEffect {
    .probe(
      OverlayProbe(
        overlay: .sleeve, peer: options.remote, frameLength: frameLength,
        connectionUID: connectionUID, isFragmentable: isFragmentable))
  }
}
