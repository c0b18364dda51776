// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Sealing
import TestSupport

/// A switch whose neighbours seal, number 1 VXLAN in ESP and number 2 sleeve, and what went in and
/// out of it.
///
/// After each step the books must balance, and no frame may come out that nobody sealed. The first
/// byte says by which suite neighbour 2 seals (bits 0 and 1) and whether we dialled (bit 2).
struct SecurityPlay {
  /// Bytes of a frame that lies in one chunk.
  private static let lengthMax = 3840

  private let bridge: MemorySwitch
  private let mesh: SecureMesh
  private let suite: CipherSuite
  /// What was sealed last, which may come again or changed.
  private var last: [UInt8] = []
  private var arrived: UInt64 = 0
  /// Packets that were sealed for the switch, each of which opens once.
  private var sealedCount: UInt64 = 0

  init(_ input: inout Reading) throws {
    var options = MemorySwitch.Options()
    options.stationPortCount = 2
    options.endpointCount = 0
    // Some dozen frames are enough to run out of chunks.
    options.frameCount = 64
    options.ringCapacity = 32
    options.fillTarget = 6
    let choices = input.byte()
    let suites = CipherSuite.allCases
    suite = suites[Int(choices & 3) % suites.count]
    var security = SecurityOptions()
    security.ways = [1: .sealedVXLAN, 2: .sealedSleeve(suite)]
    security.isOutbound = choices & 4 != 0
    bridge = try MemorySwitch(options)
    mesh = try bridge.joinSecurely(security)
    for number in 0..<2 { bridge.learn(1 + number, at: behind(port: number)) }
  }

  /// Takes a step: a byte that says what happens, and what it needs.
  mutating func step(_ input: inout Reading) throws {
    let kind = input.byte()
    switch kind & 7 {
    case 0: try arrive(sealed(input.bytes(Int(input.number()) % 3000), 1), 1)
    case 1: try arrive(sealed(text(&input), 1), 1)
    case 2: try arrive(sealed(records(&input), 2), 2)
    case 3: arrive(last)
    case 4: arrive(changed(&input, kind))
    case 5: arrive(clear(&input, kind))
    case 6: arrive(withChecksum(input.bytes(Int(input.number()) % 2048)))
    default: drain()
    }
    try breathe()
  }

  /// Nothing more comes, and everything leaves.
  mutating func end() throws {
    for _ in 0..<4 {
      drain()
      try breathe()
    }
    let account = try bridge.account
    try hold(account.held == 0, "nothing is held at rest: \(account)")
    try hold(account.received == arrived, "\(arrived) arrived: \(account)")
  }

  // MARK: What comes in

  /// What ESP seals of a frame; the first byte says between whom, and how much padding there is.
  private func text(_ input: inout Reading) -> [UInt8] {
    let kind = input.byte()
    let (source, destination) = (Int(kind) & 3, Int(kind >> 2) & 3)
    let inner = input.bytes(Int(input.number()) % 1600)
    let network = meshNetwork(
      from: MemorySwitch.peerShortID(source), to: MemorySwitch.peerShortID(destination))
    let padding = Int(kind >> 4)
    return octets(UInt16(50_000)) + octets(MemorySwitch.meshPort)
      + octets(UInt16(16 + inner.count)) + [0, 0, 8, 0, 0, 0] + octets(network << 8) + inner
      + (0..<padding).map { UInt8($0 + 1) } + [UInt8(padding), 17]
  }

  private func records(_ input: inout Reading) -> [UInt8] {
    let names = MemorySwitch.peerNames
    return (0..<Int(input.byte() % 8)).flatMap { _ in
      let kind = input.byte()
      return sleeveRecord(
        from: names[Int(kind) & 3], to: names[Int(kind >> 2) & 3],
        frame(from: Int(kind >> 4), to: 2, payloadLength: Int(input.byte())))
    }
  }

  /// A packet of a neighbour, sealed with his key.
  private mutating func sealed(_ text: [UInt8], _ neighbour: Int) throws -> [UInt8] {
    let around = [UInt8](repeating: 0, count: 16)
    let name = octets(MemorySwitch.peerName(neighbour).bits, 6)
    var packet =
      neighbour == 1 ? around + text + around : name + [UInt8](repeating: 0, count: 24) + text
    guard let key = mesh.othersSealing[neighbour] else { return [] }
    var span = packet.mutableSpan
    let outcome = mesh.others.seal(&span, key: key)
    try hold(outcome == .done, "\(packet.count) bytes are sealed: \(outcome)")
    sealedCount += 1
    return packet
  }

  private static func outer(_ packet: [UInt8], _ neighbour: Int) -> [UInt8] {
    guard neighbour == 1 else { return sleeveOuter(fromPeer: neighbour, packet) }
    return FrameBuilder(
      sourceMAC: peerMAC(neighbour), destinationMAC: MemorySwitch.ownMAC,
      source: peerAddress(neighbour), destination: MemorySwitch.ownAddress
    ).ipv4(protocolNumber: 50, payload: packet)
  }

  /// What was sealed last, with one byte changed or some missing; bit 3 says that its checksum is
  /// made right.
  private func changed(_ input: inout Reading, _ kind: UInt8) -> [UInt8] {
    var bytes = last
    guard !bytes.isEmpty else { return [] }
    bytes[Int(input.number()) % bytes.count] ^= max(1, input.byte())
    if kind & 16 != 0 { bytes.removeLast(Int(input.number()) % bytes.count) }
    return kind & 8 == 0 ? bytes : withChecksum(bytes)
  }

  /// What should have been sealed, by VXLAN or with bit 3 by sleeve.
  private func clear(_ input: inout Reading, _ kind: UInt8) -> [UInt8] {
    guard kind & 8 == 0 else {
      let name = octets(MemorySwitch.peerName(2).bits, 6)
      return sleeveOuter(fromPeer: 2, name + records(&input))
    }
    let inner = input.bytes(Int(input.number()) % 1600)
    let network = meshNetwork(
      from: MemorySwitch.peerShortID(1), to: MemorySwitch.peerShortID(0))
    return meshOuter(fromPeer: 1, inner, network: network)
  }

  private mutating func arrive(_ packet: [UInt8], _ neighbour: Int) throws {
    last = SecurityPlay.outer(packet, neighbour)
    arrive(last)
  }

  private mutating func arrive(_ bytes: [UInt8]) {
    guard bytes.count <= SecurityPlay.lengthMax else { return }
    if bridge.ports[MemorySwitch.underlay]?.arrive(bytes) == true { arrived += 1 }
  }

  // MARK: What must hold

  private func breathe() throws {
    _ = bridge.worker.breathe()
    let account = try bridge.account
    try hold(account.isBalanced, "the books balance: \(account)")
    try hold(bridge.knownChunkCount == bridge.options.frameCount, "no chunk is lost")
    let opened = mesh.opening.values.reduce(0) { $0 + bridge.keys.counts(of: $1).opened }
    try hold(opened <= sealedCount, "\(opened) packets were opened of \(sealedCount)")
  }

  private func drain() {
    for hint in bridge.takeHints() { bridge.model.learn(hint, nowSeconds: 0) }
    _ = bridge.model.commit()
    _ = bridge.takeControlFrames()
    _ = bridge.drain()
  }
}
