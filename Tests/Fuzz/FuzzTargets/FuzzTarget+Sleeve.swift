// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Sealing
import TestSupport
import Wire

extension FuzzTarget {
  /// The bytes are the records of a datagram, and a script of what an overlay is told.
  static func sleeve(_ bytes: [UInt8]) throws {
    try records(bytes)
    try SleeveScript.run(bytes, key: nil)
    try SleeveScript.run(bytes, key: SessionKey(bytes: Array(0..<32)))
  }

  private static func records(_ bytes: [UInt8]) throws {
    let (expected, isWhole) = PlainSleeve.records(bytes)
    let found = PlainSleeve.found(bytes)
    try hold(found.records == expected && found.isWhole == isWhole, "records as defined")
    for record in expected {
      let special = SleeveSpecialFrame(record.frame.span)
      try hold(special == PlainSleeve.special(record.frame), "special as defined: \(record)")
    }
    let frame = SleeveSpecialFrame(bytes.span)
    try hold(bytes.count > 65_535 || frame == PlainSleeve.special(bytes), "special as defined")
    if let header = SleeveSealedHeader(bytes.span) {
      try hold(header.sender.bits == plain(bytes, 0, 6), "sender")
      try hold(header.sequence.bits == plain(bytes, 6, 8), "sequence")
    }
  }
}

/// One end of a connection with everything that may happen to it.
private struct SleeveScript {
  private static let own = PeerName(bits: 0x0200_0000_000A)
  private static let remote = PeerName(bits: 0x0200_0000_000B)
  private static let address = SocketAddress(IPv4Address(bits: 0x0A63_0002), port: 6783)
  private static let uid: UInt64 = 0x1122_3344_5566_7788

  private let key: SessionKey?
  private let isOutbound: Bool
  private var overlay: OverlaySwitch
  private var now = MeshInstant(nanoseconds: 1_000_000_000)
  private var sequence: UInt64 = 1 << 63
  private var acknowledgements = 0
  private var isEstablished = false
  private var isFailed = false

  static func run(_ bytes: [UInt8], key: SessionKey?) throws {
    var reading = Reading(bytes)
    var script = try SleeveScript(key: key, isOutbound: reading.byte() & 1 == 1)
    while !reading.isAtEnd { try script.step(&reading) }
  }

  private init(key: SessionKey?, isOutbound: Bool) throws {
    self.key = key
    self.isOutbound = isOutbound
    overlay = try OverlaySwitch(
      OverlaySwitch.Options(
        own: SleeveScript.own, remote: SleeveScript.remote, connectionUID: SleeveScript.uid,
        isOutbound: isOutbound, remoteAddress: SleeveScript.address,
        localAddress: SleeveScript.address, key: key, underlayMTU: 1500),
      remoteOverlays: ["fastdp", "sleeve"])
  }

  private mutating func step(_ reading: inout Reading) throws {
    let source = SleeveScript.address
    switch reading.byte() % 7 {
    case 0: try check(overlay.confirm(now: now))
    case 1:
      let bytes = reading.bytes(Int(reading.byte()))
      try check(overlay.receive(bytes, from: source, now: now))
    case 2:
      let bytes = reading.bytes(Int(reading.byte()))
      try check(overlay.receive(sealed(bytes, sequence), from: source, now: now))
    case 3:
      let heartbeat = [UInt8](repeating: 0, count: 14) + octets(SleeveScript.uid, 8)
      try check(overlay.receive(sealed(record(heartbeat), sequence), from: source, now: now))
    case 4:
      let test = [UInt8](repeating: 0, count: Int(reading.number()))
      try check(overlay.receive(sealed(record(test), sequence), from: source, now: now))
    case 5:
      let payload = reading.bytes(Int(reading.byte() % 8))
      try check(overlay.receiveControl(payload, now: now))
    default:
      now = now.advanced(by: .milliseconds(Int(reading.number())))
      try check(overlay.advance(now: now))
      try hold(overlay.nextDeadline.map { $0 > now } ?? true, "what was due is done")
    }
    sequence += UInt64(reading.byte() % 4)
  }

  private func record(_ frame: [UInt8]) -> [UInt8] {
    SleeveScript.remote.octets + SleeveScript.own.octets + octets(UInt16(frame.count)) + frame
  }

  /// A datagram of the other end; with a key and the same number again it is a repeated one.
  private func sealed(_ records: [UInt8], _ sequence: UInt64) -> [UInt8] {
    guard let key else { return SleeveScript.remote.octets + records }
    var nonce = [UInt8](repeating: 0, count: 16)
    nonce[0] = isOutbound ? 0 : 0x80
    let bits = octets(sequence, 8)
    return SleeveScript.remote.octets + bits
      + SecretBox.seal(records, nonce: nonce + bits, key: key)
  }

  private mutating func check(_ effects: [OverlayEffect]) throws {
    try hold(effects.count <= 4, "\(effects.count) effects")
    try hold(!isFailed || effects.isEmpty, "after the failure there is nothing")
    for effect in effects {
      switch effect {
      case .datagram(let bytes, let address, let isFragmentable):
        try hold(bytes.count == (key == nil ? 42 : 66) && !isFragmentable, "a heartbeat")
        try hold(address == overlay.remoteAddress, "goes where the other end is")
      case .control(let payload):
        try hold(payload.count >= 2 && payload[0] == 0, "a Weave router would fail of \(payload)")
        acknowledgements += payload[1] == 1 ? 1 : 0
      case .established:
        try hold(!isEstablished, "established once")
        isEstablished = true
      case .failed(let reason):
        try hold(!reason.isEmpty && overlay.nextDeadline == nil, "failed for good")
        isFailed = true
      }
    }
    try hold(acknowledgements <= 1, "one acknowledgement")
    try hold(overlay.isEstablished == (isEstablished && !isFailed), "established as told")
  }
}
