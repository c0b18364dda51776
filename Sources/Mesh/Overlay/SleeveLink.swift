// SPDX-License-Identifier: Apache-2.0

import Inet
import Sealing
import Wire

/// Sleeve's end of one connection: finds out whether datagrams get through, and from where.
///
/// Both ends send heartbeats by UDP and acknowledge the other's first one by TCP. The overlay is
/// established once ours are acknowledged and the other end's have come: where datagrams pass one
/// way only it never is, rather than for a minute again and again. Only the end that dialled knows
/// where to send to from the start, the other learns it from the heartbeats that come: so one of
/// them may be behind a NAT, and what it looks like from outside may change. Tests of the underlay
/// are answered, not made.
struct SleeveLink: Sendable {
  /// What an overlay control message of sleeve says; numbers of the wire.
  enum SubTag: UInt8, Sendable {
    case established = 1
    case fragmentationReceived = 2
    case mtuVerified = 3
  }

  /// Between heartbeats until the first was acknowledged.
  static let heartbeatPauseFast = Duration.milliseconds(500)
  /// Between heartbeats after that.
  static let heartbeatPauseSlow = Duration.seconds(10)
  /// The same with another Weft peer.
  static let heartbeatPauseLively = Duration.seconds(3)
  /// Without a heartbeat of the other end the overlay fails.
  static let silenceMax = Duration.seconds(60)
  /// The same with another Weft peer, once one came.
  static let silenceMaxLively = Duration.seconds(24)

  /// Where we are with the other end.
  private enum State { case prepared, confirmed, established, failed }

  private let options: OverlaySwitch.Options
  private var state = State.prepared
  private var sealer: SleeveSealer?
  private var opener: SleeveOpener?
  /// Whether a heartbeat of the other end came.
  private var isAckSent = false
  /// Whether a heartbeat of ours arrived.
  private var isAcknowledged = false
  private var nextHeartbeat: MeshInstant?
  private var expiry: MeshInstant?

  /// What control messages call this overlay.
  let index: UInt8
  /// Where datagrams go; the end that was dialled has to learn it.
  private(set) var remoteAddress: SocketAddress?
  /// What could not be used.
  var counts = OverlaySwitch.Counts()

  /// Prepares an overlay that control messages call `index`.
  init(_ options: OverlaySwitch.Options, index: UInt8) {
    self.options = options
    self.index = index
    remoteAddress = options.isOutbound ? options.remoteAddress : nil
    guard let key = options.key else { return }
    sealer = SleeveSealer(key: key, sender: options.own, isOutbound: options.isOutbound)
    opener = SleeveOpener(key: key, isOutbound: !options.isOutbound)
  }

  /// Whether datagrams are sealed.
  var isEncrypted: Bool { options.key != nil }

  /// Whether heartbeats have got through in both directions.
  var isEstablished: Bool { state == .established }

  private var heartbeatPauseSlow: Duration {
    options.isLively ? SleeveLink.heartbeatPauseLively : SleeveLink.heartbeatPauseSlow
  }

  /// How long the other end may be silent: whoever has not said anything may still be starting.
  private var silenceMax: Duration {
    options.isLively && isAckSent ? SleeveLink.silenceMaxLively : SleeveLink.silenceMax
  }

  /// When `advance` is due; nil: never.
  var nextDeadline: MeshInstant? {
    guard let expiry else { return nil }
    return nextHeartbeat.map { min($0, expiry) } ?? expiry
  }

  /// What people see.
  var attributes: [String: String] {
    var attributes = ["name": "sleeve", "mtu": String(mtu)]
    if isEncrypted { attributes["encrypted"] = "true" }
    return attributes
  }

  /// Bytes of an IP packet that fit a datagram with one record, which the underlay carries whole.
  private var mtu: Int {
    let sealing = options.key == nil ? 0 : 8 + SecretBox.overhead
    let headers = 20 + 8 + SleeveHeader.length + SleeveRecordHeader.length + EthernetHeader.length
    return max(0, options.underlayMTU - headers - sealing)
  }

  // MARK: Inputs

  /// Datagrams may travel from now on.
  mutating func confirm(now: MeshInstant) -> [OverlayEffect] {
    guard state == .prepared else { return [] }
    state = .confirmed
    expiry = now.advanced(by: SleeveLink.silenceMax)
    return heartbeat(now: now)
  }

  /// Takes a datagram, from the sender's name on.
  mutating func receive(
    _ datagram: [UInt8], from address: SocketAddress, now: MeshInstant
  ) -> [OverlayEffect] {
    guard state == .confirmed || state == .established, let records = records(of: datagram) else {
      return []
    }
    var effects: [OverlayEffect] = []
    // A real peer sends each test by itself. One answer of a kind to a datagram, so that a
    // datagram of 2,000 records, which nobody need have signed, does not lead to 2,000 messages.
    var answered: Set<SubTag> = []
    var cursor = SleeveRecords(records.span)
    while let record = cursor.next() {
      guard let special = SleeveSpecialFrame(records.span.extracting(record.frame)) else {
        counts.dataFrames += 1
        continue
      }
      guard record.source == options.remote, record.destination == options.own else {
        counts.foreignSpecials += 1
        continue
      }
      effects += take(special, from: address, answered: &answered, now: now)
    }
    if cursor.isMalformed { counts.malformed += 1 }
    return effects
  }

  /// Takes an overlay control message without its index; nil if it makes no sense.
  mutating func receiveControl(_ subTag: UInt8, now: MeshInstant) -> [OverlayEffect]? {
    guard let subTag = SubTag(rawValue: subTag) else { return nil }
    // The answers to tests belong to none of ours, and a second acknowledgement changes nothing.
    guard subTag == .established, !isAcknowledged, state != .failed else { return [] }
    // An acknowledgement of a heartbeat that was never sent is a mistake.
    guard nextHeartbeat != nil else { return nil }
    isAcknowledged = true
    nextHeartbeat = now.advanced(by: heartbeatPauseSlow)
    return establish()
  }

  /// Sends the heartbeat that is due, or gives up.
  mutating func advance(now: MeshInstant) -> [OverlayEffect] {
    if let expiry, now >= expiry { return fail() }
    guard let nextHeartbeat, now >= nextHeartbeat else { return [] }
    return heartbeat(now: now)
  }

  // MARK: What inputs lead to

  /// The records of a datagram; nil if there are none to be had, which is counted.
  private mutating func records(of datagram: [UInt8]) -> [UInt8]? {
    guard let header = SleeveHeader(datagram.span), header.sender == options.remote else {
      counts.malformed += 1
      return nil
    }
    switch opener?.open(datagram) {
    case nil: return Array(datagram[SleeveHeader.length...])
    case .opened(let records): return records
    case .notAuthentic: counts.notAuthentic += 1
    case .replayed: counts.replayed += 1
    }
    return nil
  }

  private mutating func take(
    _ special: SleeveSpecialFrame, from address: SocketAddress, answered: inout Set<SubTag>,
    now: MeshInstant
  ) -> [OverlayEffect] {
    switch special {
    case .heartbeat(let connectionUID):
      guard connectionUID == options.connectionUID else {
        counts.foreignSpecials += 1
        return []
      }
      return takeHeartbeat(from: address, now: now)
    case .fragmentationTest:
      guard answered.insert(.fragmentationReceived).inserted else { return [] }
      return [control(.fragmentationReceived)]
    case .mtuTest(let mtu):
      guard answered.insert(.mtuVerified).inserted else { return [] }
      return [control(.mtuVerified, [UInt8(mtu >> 8), UInt8(mtu & 0xFF)])]
    case .damagedFragmentationTest:
      counts.malformed += 1
      return []
    }
  }

  private mutating func takeHeartbeat(
    from address: SocketAddress, now: MeshInstant
  ) -> [OverlayEffect] {
    let isFirstAddress = remoteAddress == nil
    remoteAddress = address
    var effects = isFirstAddress ? heartbeat(now: now) : []
    defer { expiry = now.advanced(by: silenceMax) }
    if !isAckSent {
      isAckSent = true
      effects.append(control(.established))
      effects += establish()
    }
    return effects
  }

  /// The overlay works once both directions do.
  private mutating func establish() -> [OverlayEffect] {
    guard state == .confirmed, isAcknowledged, isAckSent else { return [] }
    state = .established
    return [.established]
  }

  /// A heartbeat if there is somewhere to send it, and when the next is due.
  private mutating func heartbeat(now: MeshInstant) -> [OverlayEffect] {
    guard let remoteAddress else { return [] }
    let pause = isAcknowledged ? heartbeatPauseSlow : SleeveLink.heartbeatPauseFast
    nextHeartbeat = now.advanced(by: pause)
    var record = [UInt8](
      repeating: 0, count: SleeveRecordHeader.length + SleeveSpecialFrame.heartbeatLength)
    var span = record.mutableSpan
    SleeveRecordFields(
      source: options.own, destination: options.remote,
      frameLength: UInt16(SleeveSpecialFrame.heartbeatLength)
    ).encode(into: &span)
    SleeveSpecialFrame.encodeHeartbeat(
      connectionUID: options.connectionUID, into: &span, at: SleeveRecordHeader.length)
    let datagram = sealer?.seal(record, isFragmentable: false) ?? options.own.octets + record
    return [.datagram(datagram, to: remoteAddress, isFragmentable: false)]
  }

  private func control(_ subTag: SubTag, _ data: [UInt8] = []) -> OverlayEffect {
    .control([index, subTag.rawValue] + data)
  }

  private mutating func fail() -> [OverlayEffect] {
    state = .failed
    nextHeartbeat = nil
    expiry = nil
    let seconds = silenceMax.components.seconds
    let port = options.isOutbound ? options.remoteAddress.port : options.localAddress.port
    return [
      .failed(
        "sleeve heard nothing from \(options.remoteAddress.address) for \(seconds) s: let UDP pass"
          + " between it and \(options.localAddress.address) in both directions, port \(port)")
    ]
  }
}
