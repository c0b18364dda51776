// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Sealing
import TestSupport

extension FuzzTarget {
  /// The bytes are a script of what the overlays of a connection are told.
  static func overlay(_ bytes: [UInt8]) throws {
    var input = Reading(bytes)
    var script = try OverlayScript(choices: input.byte())
    while !input.isAtEnd { try script.step(&input) }
  }
}

/// One end of a connection with everything that may happen to it.
private struct OverlayScript {
  private static let own = PeerName(bits: 0x0200_0000_000A)
  private static let remote = PeerName(bits: 0x0200_0000_000B)
  private static let uid: UInt64 = 0x1122_3344_5566_7788

  private var overlay: OverlaySwitch
  private var now = MeshInstant(nanoseconds: 1_000_000_000)
  private var chosen: OverlayKind?
  private var isFailed = false

  /// Bit 0: we dialled; bit 1: with a key; bit 2: the other end is one of ours; bit 3: it speaks
  /// sleeve only; bit 4: both have short numbers.
  init(choices: UInt8) throws {
    var options = OverlaySwitch.Options(
      own: OverlayScript.own, remote: OverlayScript.remote, connectionUID: OverlayScript.uid,
      isOutbound: choices & 1 != 0, remoteAddress: OverlayScript.address(0),
      localAddress: OverlayScript.address(1),
      key: choices & 2 == 0 ? nil : SessionKey(bytes: Array(0..<32)), underlayMTU: 1500)
    options.isLively = choices & 4 != 0
    options.hasShortIDs = choices & 16 != 0
    overlay = try OverlaySwitch(
      options, remoteOverlays: choices & 8 == 0 ? ["fastdp", "sleeve"] : ["sleeve"])
  }

  private static func address(_ number: UInt8) -> SocketAddress {
    SocketAddress(IPv4Address(bits: 0x0A63_0000 + UInt32(number)), port: 6783)
  }

  mutating func step(_ input: inout Reading) throws {
    let kind = input.byte()
    switch kind % 7 {
    case 0: try check(overlay.confirm(now: now))
    case 1, 2: try check(overlay.receive(special(&input, kind), now: now))
    case 3: try check(overlay.receiveControl(input.bytes(Int(input.byte() % 8)), now: now))
    case 4: try check(overlay.tooLong(pathMTU: Int(input.number()), now: now))
    case 5:
      try check(overlay.underlayChanged(Int(input.number()), now: now))
      // The longest that a configuration may say.
      overlay.overlayChanged(min(Int(input.number()), 65_485))
    default:
      now = now.advanced(by: .milliseconds(Int(input.number())))
      try check(overlay.advance(now: now))
      try hold(overlay.nextDeadline.map { $0 > now } ?? true, "what was due is done")
    }
  }

  /// What the worker reports; a byte says from where and what, two how long.
  private func special(_ input: inout Reading, _ kind: UInt8) -> OverlaySpecial {
    let choices = input.byte()
    let length = Int(input.number())
    let content: OverlaySpecial.Content =
      switch choices & 7 {
      case 0...3: .heartbeat(connectionUID: OverlayScript.uid, announcedLength: length)
      case 4: .heartbeat(connectionUID: input.isAtEnd ? 0 : 1, announcedLength: length)
      case 5: .fragmentationTest
      case 6: .damagedFragmentationTest
      default: .lengthTest
      }
    let isStranger = choices & 0xF8 == 0xF8
    return OverlaySpecial(
      overlay: kind % 7 == 1 ? .sleeve : .fastdp,
      peer: isStranger ? OverlayScript.own : OverlayScript.remote,
      source: OverlayScript.address(choices >> 3 & 3), frameLength: length, content: content)
  }

  private mutating func check(_ effects: [OverlayEffect]) throws {
    try hold(effects.count <= 8, "\(effects.count) effects")
    try hold(!isFailed || effects.isEmpty, "after the failure there is nothing")
    for effect in effects {
      switch effect {
      case .probe(let probe):
        try hold(probe.peer == OverlayScript.remote, "a probe goes to the other end")
        try hold(14...65_535 ~= probe.frameLength, "as long as a frame may be: \(probe)")
      case .control(let payload), .keyControl(let payload):
        try hold(payload.count >= 2 && payload[0] < 2, "a Weave router would fail of \(payload)")
      case .keyUnconfirmed: break
      case .chosen(let kind, let former, let reason):
        try hold(former == chosen && kind != former && !reason.isEmpty, "a choice: \(effect)")
        chosen = kind
      case .failed(let reason):
        try hold(!reason.isEmpty && overlay.nextDeadline == nil, "failed for good")
        isFailed = true
        chosen = nil
      }
    }
    try hold(overlay.chosen == chosen && overlay.isEstablished == (chosen != nil), "as told")
    for link in [overlay.fastdpLink, overlay.sleeveLink].compactMap(\.self) {
      try hold(0...65_535 ~= link.frameLengthMax, "lengths of frames: \(link)")
      try hold(0...65_507 ~= link.datagramLengthMax, "lengths of datagrams: \(link)")
    }
  }
}
