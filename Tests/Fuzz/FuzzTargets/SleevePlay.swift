// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport

/// A switch whose neighbours are reached by sleeve, number 1 in the clear and number 2 with a key,
/// and what went in and out of it.
///
/// After each step the books must balance, and every datagram that leaves must be whole. The first
/// byte says whether we dialled (bit 0), whether the underlay may fragment (bit 1) and whether
/// neighbour 1 is reached by VXLAN although it sends by sleeve (bit 2).
struct SleevePlay {
  private static let key = [UInt8](0..<32)
  /// Bytes of a frame that lies in one chunk.
  private static let lengthMax = 3840

  private let bridge: MemorySwitch
  private let isOutbound: Bool
  /// The next number of neighbour 2's datagrams.
  private var next: UInt64 = 0
  private var sentNumbers: Set<UInt64> = []
  private var arrived: UInt64 = 0
  private var left: UInt64 = 0

  init(_ input: inout Reading) throws {
    var options = MemorySwitch.Options()
    options.stationPortCount = 2
    // Some dozen frames are enough to run out of chunks.
    options.frameCount = 64
    options.ringCapacity = 32
    options.fillTarget = 6
    let choices = input.byte()
    var sleeve = SleeveOptions()
    isOutbound = choices & 1 != 0
    sleeve.isOutbound = isOutbound
    sleeve.keys = [2: SleevePlay.key]
    sleeve.mayFragment = choices & 2 != 0
    if choices & 4 != 0 { sleeve.neighboursByVXLAN = [1] }
    bridge = try MemorySwitch(options)
    let mesh = try bridge.joinSleeve(sleeve)
    for number in 0..<2 { bridge.learn(1 + number, at: behind(port: number)) }
    for (number, peer) in mesh.peers { bridge.learn(4 + number, at: behind(peer: peer)) }
  }

  /// Takes a step: a byte that says what happens, and what it needs.
  mutating func step(_ input: inout Reading) throws {
    let kind = input.byte()
    switch kind & 7 {
    case 0: arrive(sleeveOuter(fromPeer: 1, name(1) + datagram(&input)), kind)
    case 1, 2: arrive(sealed(datagram(&input), kind), kind)
    case 3:
      let records = (0..<Int(input.byte() % 8)).flatMap { _ in record(&input) }
      let isPlain = kind & 16 != 0
      arrive(isPlain ? sleeveOuter(fromPeer: 1, name(1) + records) : sealed(records, kind), kind)
    case 4: arriveAtStation(input.bytes(Int(input.number()) % 1600), Int(kind >> 3) & 1)
    case 5: order(&input, kind)
    case 6: try hand(over: kind)
    default:
      let bytes = input.bytes(Int(input.number()) % 2048)
      arrive(kind & 16 != 0 ? withChecksum(bytes) : sleeveOuter(fromPeer: 2, bytes), kind)
    }
    try breathe()
  }

  /// Nothing more comes, and everything leaves.
  mutating func end() throws {
    for _ in 0..<4 {
      try drain()
      try breathe()
    }
    let account = try bridge.account
    try hold(account.held == 0, "nothing is held at rest: \(account)")
    try hold(account.received == arrived, "\(arrived) arrived: \(account)")
    try hold(account.sent == left, "\(left) left: \(account)")
  }

  // MARK: What comes in

  private func name(_ peer: Int) -> [UInt8] { octets(MemorySwitch.peerNames[peer].bits, 6) }

  private func datagram(_ input: inout Reading) -> [UInt8] {
    input.bytes(Int(input.number()) % 3000)
  }

  /// A record whose first byte says between whom, and what the frame is: whole, short or special.
  private func record(_ input: inout Reading) -> [UInt8] {
    let kind = input.byte()
    let names = MemorySwitch.peerNames
    let (source, destination) = (names[Int(kind) & 3], names[Int(kind >> 2) & 3])
    let length = Int(input.byte())
    switch kind >> 4 & 3 {
    case 0: return sleeveRecord(from: source, to: destination, input.bytes(length))
    case 1: return sleeveRecord(from: source, to: destination, zeroFrame(length * 4))
    default:
      let numbers = (Int(input.byte()) % 10, Int(input.byte()) % 10)
      let frame = frame(from: numbers.0, to: numbers.1, payloadLength: length * 4)
      return sleeveRecord(from: source, to: destination, frame)
    }
  }

  /// A datagram of neighbour 2, with its next number unless bit 5 asks for one that was used, bit 6
  /// for one far ahead; bit 7 says that the underlay may fragment it.
  private mutating func sealed(_ records: [UInt8], _ kind: UInt8) -> [UInt8] {
    if kind & 0x60 == 0x40 { next += 100_000 }
    let number = kind & 0x20 != 0 ? next / 2 : next
    next += 1
    let payload = sealedDatagram(
      from: MemorySwitch.peerNames[2], [records], key: SleevePlay.key, number: number,
      isFragmentable: kind & 0x80 != 0, isOutbound: !isOutbound)
    return sleeveOuter(fromPeer: 2, payload)
  }

  /// A frame arrives from the outer network; bit 3 says whether by way of the kernel's sockets.
  private mutating func arrive(_ bytes: [UInt8], _ kind: UInt8) {
    let port = kind & 8 == 0 ? MemorySwitch.underlay : MemorySwitch.sockets
    guard bytes.count <= SleevePlay.lengthMax else { return }
    if bridge.ports[port]?.arrive(bytes) == true { arrived += 1 }
  }

  private mutating func arriveAtStation(_ bytes: [UInt8], _ number: Int) {
    if bridge.ports[port(number)]?.arrive(bytes) == true { arrived += 1 }
  }

  /// Bits 3 to 6 say to whom, by what and of which kind; two bytes how long.
  private func order(_ input: inout Reading, _ kind: UInt8) {
    let isHeartbeat = kind & 32 != 0
    bridge.order(
      ControlOrder(
        name: MemorySwitch.peerNames[kind & 8 == 0 ? 1 : 2],
        overlay: kind & 16 == 0 ? .sleeve : .vxlan,
        frameLength: max(isHeartbeat ? 24 : 14, Int(input.number())),
        connectionUID: isHeartbeat ? 0x1122_3344_5566_7788 : nil,
        isFragmentable: kind & 64 != 0))
  }

  /// Takes what the worker reports, and with bit 3 what it sent.
  private mutating func hand(over kind: UInt8) throws {
    for hint in bridge.takeHints() { bridge.model.learn(hint, nowSeconds: 0) }
    _ = bridge.model.commit()
    for frame in bridge.takeControlFrames() {
      let isNeighbour = MemorySwitch.peerNames[1...2].contains { $0.bits == frame.name }
      try hold(isNeighbour, "reports are of neighbours: \(frame)")
    }
    if kind & 8 != 0 { try drain() }
  }

  private func breathe() throws {
    _ = bridge.worker.breathe()
    let account = try bridge.account
    try hold(account.isBalanced, "the books balance: \(account)")
    try hold(bridge.knownChunkCount == bridge.options.frameCount, "no chunk is lost")
  }

  // MARK: What goes out

  private mutating func drain() throws {
    for (port, sent) in bridge.drain() {
      left += UInt64(sent.count)
      guard port == MemorySwitch.underlay || port == MemorySwitch.sockets else { continue }
      for frame in sent where plain(frame, 36, 2) == UInt64(MemorySwitch.sleevePort) {
        try check(frame)
      }
    }
  }

  /// A datagram of ours is for a neighbour, sealed if it has a key, and its records are whole.
  private mutating func check(_ frame: [UInt8]) throws {
    let payload = Array(frame[42...])
    try hold(plain(frame, 38, 2) == UInt64(8 + payload.count), "as long as its header says")
    try hold(payload.starts(with: name(0)), "in our name")
    let destination = plain(frame, 30, 4)
    var records = Array(payload.dropFirst(6))
    if destination == UInt64(peerAddress(2).bits) {
      guard let opened = openedDatagram(payload, key: SleevePlay.key, isOutbound: isOutbound)
      else { throw Violation(description: "a datagram to neighbour 2 is sealed with its key") }
      try hold(sentNumbers.insert(opened.sequence).inserted, "with a number of its own")
      records = opened.records
    } else {
      try hold(destination == UInt64(peerAddress(1).bits), "datagrams go to neighbours")
    }
    guard let split = splitRecords(records), !split.isEmpty else {
      throw Violation(description: "a datagram has whole records")
    }
    for record in split {
      try hold(MemorySwitch.peerNames.contains(record.source), "frames are of peers")
      try hold(record.destination != MemorySwitch.peerNames[0], "and for others")
    }
  }
}
