// SPDX-License-Identifier: Apache-2.0

import Inet

/// VXLAN's end of one connection.
///
/// Its heartbeats are as long as the longest frame of a container, so that whoever hears them knows
/// that the path carries it: there is no search. Where datagrams go follows from the addresses of
/// the TCP session, and from where heartbeats come.
struct FastdpLink: Sendable {
  /// Bytes of an IP packet around an inner frame: IPv4, UDP, VXLAN.
  static let overhead = 36

  private let options: OverlaySwitch.Options
  private var underlayMTU: Int
  private var overlayMTU: Int
  private var announcedLength: Int?
  private var changes = TokenBucket(countMax: 1, pause: .seconds(1))

  /// What control messages call it.
  let index: UInt8
  /// Why it is never used; nil: it may be.
  let refusal: String?
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
      if options.key != nil {
        "fastdp cannot carry sealed frames yet"
      } else if !options.hasShortIDs {
        "fastdp needs peers with short numbers"
      } else if meshPort == .max {
        "fastdp has no port"
      } else { nil }
  }

  /// Longest inner frame that goes in one piece.
  var frameLengthMax: Int {
    max(0, min(underlayMTU - Self.overhead, announcedLength ?? .max))
  }

  /// What the data plane has to know; nil: it is never used.
  var link: MeshForwarding.Neighbour.Link? {
    guard refusal == nil else { return nil }
    return MeshForwarding.Neighbour.Link(
      remote: remote, localPort: localPort, isWorking: pulse.isWorking,
      frameLengthMax: frameLengthMax, datagramLengthMax: 0, mayFragment: false)
  }

  /// When something is due; nil: never.
  var nextDeadline: MeshInstant? { refusal == nil ? pulse.nextDeadline : nil }

  // MARK: Inputs

  /// Heartbeats may travel from now on.
  mutating func confirm(now: MeshInstant) -> [OverlayEffect] {
    guard refusal == nil else { return [] }
    pulse.begin(now: now)
    return [heartbeat(now: now)]
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
  mutating func receiveControl(_ subTag: UInt8, now: MeshInstant) -> [OverlayEffect]? {
    switch subTag {
    case _ where refusal != nil: return subTag <= OverlaySubTag.fastdpSecurity ? [] : nil
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
    if pulse.beatAt.isDue(now) { effects.append(heartbeat(now: now)) }
    return effects
  }

  /// The underlay carries packets of another length from now on.
  mutating func underlayChanged(_ mtu: Int) { underlayMTU = mtu }

  /// Containers send packets of another length from now on.
  mutating func overlayChanged(_ mtu: Int) { overlayMTU = mtu }

  private mutating func heartbeat(now: MeshInstant) -> OverlayEffect {
    pulse.beat(now: now)
    return .probe(
      OverlayProbe(
        overlay: .fastdp, peer: options.remote, frameLength: overlayMTU + 14,
        connectionUID: options.connectionUID))
  }
}
