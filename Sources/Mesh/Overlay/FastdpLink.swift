// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing

/// VXLAN's end of one connection.
///
/// Its heartbeats are as long as the longest frame of a container, so that whoever hears them knows
/// that the path carries it: there is no search. Where datagrams go follows from the addresses of
/// the TCP session, and from where heartbeats come. Sealed they are ESP (wire notes, section 14.6),
/// which sends nothing before the other end has chosen a key.
struct FastdpLink: Sendable {
  /// Bytes of an IP packet around an inner frame: IPv4, UDP, VXLAN.
  static let overhead = 36
  /// An Ethernet header, the connection's number, the frame's length.
  static let heartbeatLengthMin = 24

  private let options: OverlaySwitch.Options
  private var underlayMTU: Int
  private var overlayMTU: Int
  private var announcedLength: Int?
  private var exchange: KeyExchange?
  private var isConfirmed = false
  private var changes = TokenBucket(countMax: 1, pause: .seconds(1))

  /// What control messages call it.
  let index: UInt8
  /// Why it is never used; nil: it may be.
  private(set) var refusal: String?
  /// Whether frames get through.
  private(set) var pulse: OverlayPulse
  /// Where datagrams go.
  private(set) var remote: SocketAddress
  /// Our port that datagrams come to.
  let localPort: UInt16
  /// What could not be used.
  var counts = OverlaySwitch.Counts()

  /// Prepares it.
  init(_ options: OverlaySwitch.Options, index: UInt8) {
    self.options = options
    self.index = index
    underlayMTU = options.underlayMTU
    overlayMTU = options.overlayMTU
    pulse = OverlayPulse(isLively: options.isLively)
    // Both ends use the port after the one that was dialled.
    let meshPort = options.isOutbound ? options.remoteAddress.port : options.port
    localPort = meshPort &+ 1
    remote = SocketAddress(options.remoteAddress.address, port: localPort)
    refusal =
      if options.key != nil, options.terms?.canUseESP != true {
        "fastdp is sealed with AES, which this processor does not have"
      } else if !options.hasShortIDs {
        "fastdp needs peers with short numbers"
      } else if meshPort == .max {
        "fastdp has no port"
      } else { nil }
    guard refusal == nil, let key = options.key, let terms = options.terms else { return }
    exchange = KeyExchange(
      .aes256gcm, layout: .esp, terms: terms, base: key, own: options.own, remote: options.remote)
  }

  /// Whether it may carry frames.
  var isWorking: Bool { refusal == nil && pulse.isWorking }

  /// Longest inner frame that goes in one piece.
  var frameLengthMax: Int {
    max(0, min(ownLengthMax, announcedLength ?? .max))
  }

  /// The same as far as we know without the other end.
  private var ownLengthMax: Int {
    guard exchange != nil else { return underlayMTU - Self.overhead }
    // IPv4, SPI and number, IV, tag; within it UDP, VXLAN and ESP's trailer, in steps of 4.
    return ((underlayMTU - 52) & ~3) - 18
  }

  /// What the data plane has to know; nil: it is never used.
  var link: MeshForwarding.Neighbour.Link? {
    guard refusal == nil else { return nil }
    return MeshForwarding.Neighbour.Link(
      remote: remote, localPort: localPort, isWorking: pulse.isWorking,
      frameLengthMax: frameLengthMax, datagramLengthMax: 0, mayFragment: false,
      probeLengthMax: max(0, ownLengthMax), security: exchange?.security)
  }

  /// When something is due; nil: never.
  var nextDeadline: MeshInstant? {
    guard refusal == nil else { return nil }
    return [pulse.nextDeadline, exchange?.nextDeadline].compactMap(\.self).min()
  }

  // MARK: Inputs

  /// Heartbeats may travel from now on.
  mutating func confirm(now: MeshInstant) -> [OverlayEffect] {
    guard refusal == nil else { return [] }
    pulse.begin(now: now)
    isConfirmed = true
    return send(exchange?.begin(now: now)) + heartbeat(now: now)
  }

  /// Takes a special frame.
  mutating func receive(_ special: OverlaySpecial, now: MeshInstant) -> [OverlayEffect] {
    guard refusal == nil else { return [] }
    guard case .heartbeat(let connectionUID, let length) = special.content,
      length == special.frameLength
    else {
      counts.malformed += 1
      return []
    }
    guard connectionUID == options.connectionUID else {
      counts.foreignSpecials += 1
      return []
    }
    announcedLength = length
    if special.source.address != remote.address {
      if changes.take(now: now) {
        remote.address = special.source.address
      } else {
        counts.unfollowedAddresses += 1
      }
    }
    return pulse.hear(now: now) ? [.control([index, OverlaySubTag.fastdpAcknowledged])] : []
  }

  /// Takes an overlay control message without its index; nil if it makes no sense.
  mutating func receiveControl(_ payload: ArraySlice<UInt8>, now: MeshInstant) -> [OverlayEffect]? {
    guard let subTag = payload.first else { return nil }
    switch subTag {
    case _ where refusal != nil: return subTag <= OverlaySubTag.fastdpSecurity ? [] : nil
    case OverlaySubTag.fastdpSecurity: return takeOffer(payload.dropFirst(), now: now)
    case OverlaySubTag.keyConfirmed:
      return exchange?.receiveConfirmation(payload.dropFirst(), now: now).map(send)
    case OverlaySubTag.fastdpAcknowledged: return pulse.acknowledge(now: now) ? [] : nil
    case OverlaySubTag.retracted where options.isLively:
      pulse.retract(now: now)
      return []
    default: return nil
    }
  }

  /// Does what is due.
  mutating func advance(now: MeshInstant) -> [OverlayEffect] {
    guard refusal == nil else { return [] }
    var effects: [OverlayEffect] = []
    if pulse.expire(now: now), options.isLively {
      effects.append(.control([index, OverlaySubTag.retracted]))
    }
    if pulse.beatAt.isDue(now) { effects += heartbeat(now: now) }
    return effects + send(exchange?.advance(now: now))
  }

  /// The underlay carries packets of another length from now on.
  mutating func underlayChanged(_ mtu: Int) { underlayMTU = mtu }

  /// Containers send packets of another length from now on.
  mutating func overlayChanged(_ mtu: Int) { overlayMTU = mtu }

  /// A heartbeat, if there is a key for it or it needs none.
  private mutating func heartbeat(now: MeshInstant) -> [OverlayEffect] {
    guard exchange?.canSend != false else { return [] }
    pulse.beat(now: now)
    // What does not fit would never tell that shorter frames get through.
    let lengthMax = exchange == nil ? .max : max(ownLengthMax, Self.heartbeatLengthMin)
    return [
      .probe(
        OverlayProbe(
          overlay: .fastdp, peer: options.remote, frameLength: min(overlayMTU + 14, lengthMax),
          connectionUID: options.connectionUID))
    ]
  }

  // MARK: Keys

  /// A key is nearly used up.
  mutating func renewKey(now: MeshInstant) -> [OverlayEffect] {
    refusal == nil ? send(exchange?.renew(now: now)) : []
  }

  /// The connection has another key from now on.
  mutating func rebase(
    _ key: SessionKey, generation: UInt8, now: MeshInstant
  ) -> [OverlayEffect] {
    refusal == nil ? send(exchange?.rebase(key, generation: generation, now: now)) : []
  }

  private mutating func takeOffer(
    _ offer: ArraySlice<UInt8>, now: MeshInstant
  ) -> [OverlayEffect]? {
    guard exchange != nil else { return nil }
    guard let answer = exchange?.receiveOffer(offer, now: now) else {
      // Weave gives the overlay up as well.
      guard options.terms?.isRenewable == false, offer.count != KeyOffer.length else { return nil }
      refusal = "the peer offered a key for fastdp of \(offer.count) bytes instead of 64"
      return []
    }
    guard isConfirmed, pulse.beatAt == nil else { return send(answer) }
    return send(answer) + heartbeat(now: now)
  }

  private func send(_ messages: [KeyExchange.Message]?) -> [OverlayEffect] {
    (messages ?? []).effects(.fastdp, index: index)
  }
}
