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
    let peers = try bridge.joinMesh()
    if let peer = peers[3] { bridge.learn(5, at: behind(peer: peer)) }
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

  /// Bits 0 to 2 choose the port; bit 3 asks for a right checksum, bit 4 for an envelope, which
  /// is one of the mesh if the first three bits are 4.
  private mutating func arrive(_ input: inout Reading, _ kind: UInt8) throws {
    let chosen = kind & 7 < 2 ? port(Int(kind & 7)) : MemorySwitch.underlay
    var frame = input.bytes(Int(input.number()) % 2048)
    if kind & 23 == 20 {
      frame = meshEnvelope(from: Int(kind >> 5) % 4, frame)
    } else if kind & 16 != 0 {
      frame = outer(from: Int(kind >> 5) % 3, frame)
    }
    if kind & 8 != 0 { frame = withChecksum(frame) }
    guard let memory = bridge.ports[chosen] else { return }
    if bridge.ports.values.allSatisfy({ $0.isQuiet }), kind & 0x80 == 0, !wasPortBad {
      try arriveAlone(frame, memory)
    } else if memory.arrive(frame) {
      arrived += 1
    }
  }

  /// The first two bytes say which short numbers are in the identifier; the others are the frame.
  private func meshEnvelope(from peer: Int, _ bytes: [UInt8]) -> [UInt8] {
    let numbers = MemorySwitch.meshShortIDs + [0, 0xFFF]
    let named = bytes.prefix(2).map { numbers[Int($0) % numbers.count] } + [0, 0]
    return meshOuter(
      fromPeer: peer, Array(bytes.dropFirst(2)), network: meshNetwork(from: named[0], to: named[1]))
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
    // What is too long is cut, or its sender is told so.
    let mayBeCut = inner.count > bridge.options.frameLengthMax
    for (port, sent) in bridge.drain() {
      left += UInt64(sent.count)
      let isAnswer = port == memory.port && memory.kind == .station
      try hold(!isAnswer || mayBeCut, "no frame goes back, but for an answer to one too long")
      try hold(sent.count <= 4 || mayBeCut, "a copy for each endpoint and neighbour at most")
      guard !mayBeCut else {
        for outgoing in sent { try checkCut(outgoing, port) }
        continue
      }
      for outgoing in sent { try check(outgoing, carries: inner, port, memory.kind) }
    }
  }

  /// What is made of a frame that is too long: shorter than it was, and to the underlay VXLAN from
  /// our address.
  private func checkCut(_ outgoing: [UInt8], _ port: PortIndex) throws {
    let limit = bridge.options.frameLengthMax
    guard port == MemorySwitch.underlay else {
      return try hold(outgoing.count <= limit, "no more than fits the port")
    }
    guard case .opened(let source, _, _, _, let range) = PlainOpening(frame: outgoing) else {
      throw Violation(description: "what goes to an endpoint is VXLAN")
    }
    try hold(source == UInt64(MemorySwitch.ownAddress.bits), "from our address")
    try hold(range.count <= limit, "no more than fits the underlay")
  }

  private func check(
    _ outgoing: [UInt8], carries inner: [UInt8], _ port: PortIndex, _ from: PortKind
  ) throws {
    guard port == MemorySwitch.underlay else {
      return try hold(outgoing == inner, "a frame arrives as it was sent")
    }
    guard
      case .opened(let source, let destination, let port, let network, let range) =
        PlainOpening(frame: outgoing)
    else { throw Violation(description: "what goes to an endpoint is VXLAN") }
    try hold(source == UInt64(MemorySwitch.ownAddress.bits), "from our address")
    try hold(outgoing[range] == inner[...], "with the frame as it was sent")
    guard port == 4789 else {
      try hold(port == UInt64(MemorySwitch.meshPort), "to the port of one kind or the other")
      return try checkMesh(destination: destination, network: UInt32(network), from)
    }
    try hold(from == .station, "endpoints reach each other without us")
    let isKnown = (0..<2).contains { destination == UInt64(endpointAddress($0).bits) }
    try hold(isKnown && network == UInt64(MemorySwitch.network), "to an endpoint, in its network")
  }

  private func checkMesh(destination: UInt64, network: UInt32, _ from: PortKind) throws {
    let isNeighbour = (1...2).contains { destination == UInt64(peerAddress($0).bits) }
    try hold(isNeighbour, "packets of the mesh go to neighbours")
    let numbers = MemorySwitch.meshShortIDs
    let (sender, receiver) = (UInt16(network & 0xFFF), UInt16(network >> 12))
    try hold(numbers.dropFirst().contains(receiver), "for another peer")
    try hold(numbers.contains(sender) && sender != receiver, "from a peer that is not the receiver")
    try hold((sender == numbers[0]) == (from == .station), "in the name of whose frame it is")
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
