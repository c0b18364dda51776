// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport

extension FuzzTarget {
  /// After each step of the input the books must balance.
  ///
  /// A step is a byte that says what happens, and for a frame its length in two bytes and itself.
  static func worker(_ bytes: [UInt8]) throws {
    var input = Reading(bytes)
    var play = try WorkerPlay()
    // More steps show nothing that another input could not show sooner.
    for _ in 0..<100 where !input.isAtEnd { try play.step(&input) }
    try play.end()
  }
}

/// A switch, and what went in and out of it.
private struct WorkerPlay {
  private let bridge: MemorySwitch
  private var arrived: UInt64 = 0
  private var left: UInt64 = 0
  private var wasPortClosed = false
  private var wasPortBad = false

  init() throws {
    var options = MemorySwitch.Options()
    // Some dozen frames are enough to run out of chunks.
    options.stationPortCount = 2
    options.frameCount = 32
    options.ringCapacity = 16
    options.fillTarget = 6
    bridge = try MemorySwitch(options)
    bridge.learn(1, at: behind(port: 0))
    bridge.learn(2, at: behind(port: 1))
    bridge.learn(3, at: behind(endpoint: 0))
    bridge.learn(4, at: behind(endpoint: 1))
  }

  mutating func step(_ input: inout Reading) throws {
    let kind = input.byte()
    switch kind & 7 {
    case 0...4: try arrive(&input, kind)
    case 5 where kind & 0x20 != 0: makeBad(&input, kind)
    case 5 where kind & 0x40 != 0: trace(kind)
    case 5: left += UInt64(bridge.discard())
    case 6:
      let reported = bridge.takeHints()
      for hint in reported { bridge.model.learn(hint, nowSeconds: 0) }
      _ = bridge.model.commit()
    default: try replacePort(kind)
    }
    try breathe()
  }

  /// Bits 0 to 2 choose the port; bit 3 asks for a right checksum, bit 4 for an envelope.
  private mutating func arrive(_ input: inout Reading, _ kind: UInt8) throws {
    let chosen = kind & 7 < 2 ? port(Int(kind & 7)) : MemorySwitch.underlay
    var frame = input.bytes(Int(input.number()) % 2048)
    if kind & 16 != 0 { frame = outer(from: Int(kind >> 5) % 3, frame) }
    if kind & 8 != 0 { frame = withChecksum(frame) }
    guard let memory = bridge.ports[chosen] else { return }
    if bridge.ports.values.allSatisfy({ $0.isQuiet }), kind & 0x80 == 0, !wasPortBad {
      try arriveAlone(frame, memory)
    } else if memory.arrive(frame) {
      arrived += 1
    }
  }

  /// Only this frame is on its way, so what leaves must be made of it.
  private mutating func arriveAlone(_ frame: [UInt8], _ memory: MemoryPort) throws {
    guard memory.arrive(frame) else { return }
    arrived += 1
    try breathe()
    var inner = frame
    if memory.kind == .underlay, case .opened(_, _, _, _, let range) = PlainOpening(frame: frame) {
      inner = Array(frame[range])
    }
    for (port, sent) in bridge.drain() {
      try hold(sent.count <= 2, "a copy for each endpoint at most")
      try hold(port != memory.port || memory.kind == .underlay, "no frame goes back")
      for outgoing in sent { try check(outgoing, carries: inner, port, memory.kind) }
      left += UInt64(sent.count)
    }
  }

  private func check(
    _ outgoing: [UInt8], carries inner: [UInt8], _ port: PortIndex, _ from: PortKind
  ) throws {
    guard port == MemorySwitch.underlay else {
      return try hold(outgoing == inner, "a frame arrives as it was sent")
    }
    try hold(from == .station, "endpoints reach each other without us")
    guard
      case .opened(let source, let destination, 4789, let network, let range) =
        PlainOpening(frame: outgoing)
    else { throw Violation(description: "what goes to an endpoint is VXLAN") }
    try hold(source == UInt64(MemorySwitch.ownAddress.bits), "from our address")
    let isKnown = (0..<2).contains { destination == UInt64(endpointAddress($0).bits) }
    try hold(isKnown && network == UInt64(MemorySwitch.network), "to an endpoint, in its network")
    try hold(outgoing[range] == inner[...], "with the frame as it was sent")
  }

  /// Bits 3 and 4 choose the port; five bytes say how bad, zeros that it is good again.
  private mutating func makeBad(_ input: inout Reading, _ kind: UInt8) {
    wasPortBad = true
    let rates = (0..<5).map { _ in UInt32(input.byte()) * 3000 }
    let chosen = Int(kind >> 3) & 3
    bridge.setFaults(
      FaultSettings(
        seed: 1, loss: rates[0], duplication: rates[1], reordering: rates[2],
        corruption: rates[3], truncation: rates[4]),
      chosen < 2 ? port(chosen) : MemorySwitch.underlay)
  }

  /// Bit 3 begins a trace, or ends it.
  private func trace(_ kind: UInt8) {
    if kind & 8 != 0 {
      bridge.startTrace(count: 5)
    } else {
      bridge.command(WorkerCommand(.stopTrace))
    }
    _ = bridge.takeTrace()
  }

  private mutating func replacePort(_ kind: UInt8) throws {
    wasPortClosed = true
    let chosen = Int(kind >> 3) % 3
    let port = chosen == 2 ? MemorySwitch.underlay : port(chosen)
    try bridge.stop(port)
    try breathe()
    try bridge.start(port, kind: chosen == 2 ? .underlay : .station)
  }

  private func breathe() throws {
    _ = bridge.worker.breathe()
    let account = try bridge.account
    try hold(account.isBalanced, "the books balance: \(account)")
    try hold(bridge.knownChunkCount == bridge.options.frameCount, "no chunk is lost")
  }

  mutating func end() throws {
    // A frame that is kept goes on after 256 breaths without another.
    for _ in 0..<(wasPortBad ? 300 : 4) {
      left += UInt64(bridge.discard())
      try breathe()
    }
    let account = try bridge.account
    try hold(account.held == 0, "nothing is held at rest: \(account)")
    // What was on the rings of a port that was closed is lost.
    guard !wasPortClosed else { return }
    try hold(account.received == arrived, "\(arrived) arrived: \(account)")
    try hold(account.sent == left, "\(left) left: \(account)")
  }
}
