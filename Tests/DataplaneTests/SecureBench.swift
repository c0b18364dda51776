// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Sealing
import TestSupport
import Testing

/// A switch whose neighbours are reached in several ways, with station 10 + *n* behind peer *n*.
///
/// What it sends is taken apart with nothing of the product's code but the neighbours' keys.
struct SecureBench {
  let bridge: MemorySwitch
  var mesh: SecureMesh
  let security: SecurityOptions

  /// A frame as a neighbour gets it.
  struct Delivery: Equatable {
    /// The peer where it entered the mesh.
    let source: Int
    /// The peer that it is for.
    let destination: Int
    let frame: [UInt8]
  }

  /// VXLAN in ESP.
  struct Packet {
    let delivery: Delivery
    let number: UInt64
    let sourcePort: UInt16
  }

  init(
    _ security: SecurityOptions = SecurityOptions(),
    _ change: (inout MemorySwitch.Options) -> Void = { _ in }
  ) throws {
    var options = MemorySwitch.Options()
    options.endpointCount = 0
    change(&options)
    bridge = try MemorySwitch(options)
    mesh = try bridge.joinSecurely(security)
    self.security = security
    for (number, index) in mesh.peers { bridge.learn(10 + number, at: behind(peer: index)) }
    bridge.worker.breathe(times: 2)
  }

  init(
    ways: [Int: NeighbourWay], _ change: (inout MemorySwitch.Options) -> Void = { _ in }
  ) throws {
    var security = SecurityOptions()
    security.ways = ways
    try self.init(security, change)
  }

  /// All of the frames arrive at a port and are dealt with in one breath; returns what left for the
  /// underlay.
  func pass(_ frames: [[UInt8]], into port: PortIndex = port(0)) throws -> [[UInt8]] {
    let memory = try #require(bridge.ports[port])
    for bytes in frames { try #require(memory.arrive(bytes)) }
    #expect(bridge.worker.breathe() == frames.count)
    return bridge.drain()[MemorySwitch.underlay] ?? []
  }

  /// Every frame has its end and every chunk is known.
  func check() throws {
    _ = bridge.drain()
    bridge.worker.breathe(times: 2)
    let account = try bridge.account
    #expect(account.isBalanced)
    #expect(account.held == 0)
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
  }

  // MARK: What neighbours get

  /// What neighbours get, by neighbour, in order; numbers of sealed packets must be in a row.
  func deliveries(_ outers: [[UInt8]]) throws -> [Int: [Delivery]] {
    var deliveries: [Int: [Delivery]] = [:]
    var numbers: [Int: UInt64] = [:]
    for outer in outers {
      let neighbour = try #require(
        security.ways.keys.first {
          outer[30..<34].elementsEqual(octets(peerAddress($0).bits))
        })
      var number: UInt64?
      switch try #require(security.ways[neighbour]) {
      case .plainVXLAN:
        deliveries[neighbour, default: []].append(try plainFrame(outer, to: neighbour))
      case .sealedVXLAN:
        let packet = try packet(outer, to: neighbour)
        number = packet.number
        deliveries[neighbour, default: []].append(packet.delivery)
      case .plainSleeve, .sealedSleeve:
        let datagram = try datagram(outer, to: neighbour)
        number = datagram.number
        deliveries[neighbour, default: []] += datagram.deliveries
      }
      if let number, let last = numbers.updateValue(number, forKey: neighbour) {
        #expect(number == last + 1)
      }
    }
    return deliveries
  }

  /// Takes a packet of ESP to a neighbour apart.
  func packet(_ outer: [UInt8], to neighbour: Int) throws -> Packet {
    try #require(outer.count >= 34 + 16 + 16 + 4 + 16)
    #expect(outer[0..<6].elementsEqual(octets(peerMAC(neighbour).bits, 6)))
    #expect(outer[6..<12].elementsEqual(octets(MemorySwitch.ownMAC.bits, 6)))
    #expect(outer[12..<16] == [8, 0, 0x45, 0])
    #expect(outer[16..<18].elementsEqual(octets(UInt16(outer.count - 14))))
    #expect(outer[18..<24] == [0, 0, 0x40, 0, 64, 50])
    #expect(internetChecksum(Array(outer[14..<34])) == 0)
    #expect(outer[26..<30].elementsEqual(octets(MemorySwitch.ownAddress.bits)))
    #expect(outer[30..<34].elementsEqual(octets(peerAddress(neighbour).bits)))
    var packet = Array(outer[34...])
    let number = bigEndian(packet[8..<16])
    #expect(bigEndian(packet[0..<4]) == UInt64(MemorySwitch.identifier(to: neighbour, .vxlan)))
    #expect(bigEndian(packet[4..<8]) == number & 0xFFFF_FFFF)
    try open(&packet, from: neighbour)
    let text = Array(packet[16..<packet.count - 16])
    #expect(text.count % 4 == 0)
    let padding = Int(text[text.count - 2])
    #expect(text[text.count - 1] == 17 && padding < 4)
    let end = text.count - 2 - padding
    #expect(text[end..<text.count - 2].elementsEqual((0..<padding).map { UInt8($0 + 1) }))
    let sourcePort = UInt16(bigEndian(text[0..<2]))
    #expect(sourcePort >= 0xC000)
    #expect(text[2..<4].elementsEqual(octets(MemorySwitch.meshPort)))
    #expect(bigEndian(text[4..<6]) == UInt64(end))
    #expect(text[6..<12] == [0, 0, 8, 0, 0, 0] && text[15] == 0)
    return Packet(
      delivery: try delivery(network: bigEndian(text[12..<15]), Array(text[16..<end])),
      number: number, sourcePort: sourcePort)
  }

  private func plainFrame(_ outer: [UInt8], to neighbour: Int) throws -> Delivery {
    #expect(outer[23] == 17 && outer[36..<38].elementsEqual(octets(MemorySwitch.meshPort)))
    return try delivery(network: bigEndian(outer[46..<49]), Array(outer[50...]))
  }

  private func delivery(network: UInt64, _ frame: [UInt8]) throws -> Delivery {
    func peer(_ shortID: UInt64) throws -> Int {
      try #require((0..<20).first { UInt64(MemorySwitch.peerShortID($0)) == shortID })
    }
    return try Delivery(
      source: peer(network & 0xFFF), destination: peer(network >> 12), frame: frame)
  }

  /// Takes a datagram of sleeve apart.
  func datagram(
    _ outer: [UInt8], to neighbour: Int
  ) throws -> (number: UInt64?, deliveries: [Delivery]) {
    var payload = Array(outer[42...])
    #expect(outer == sleeveOuter(toPeer: neighbour, payload))
    #expect(payload[0..<6].elementsEqual(octets(MemorySwitch.peerNames[0].bits, 6)))
    var number: UInt64?
    if security.ways[neighbour] != .plainSleeve {
      number = bigEndian(payload[6..<14])
      try open(&payload, from: neighbour)
      payload.removeFirst(24)
    }
    func peer(_ name: PeerName) throws -> Int {
      try #require((0..<20).first { MemorySwitch.peerName($0) == name })
    }
    return (
      number,
      try #require(splitRecords(Array(payload.dropFirst(6)))).map {
        try Delivery(
          source: peer($0.source), destination: peer($0.destination), frame: $0.frame)
      }
    )
  }

  private func open(_ packet: inout [UInt8], from neighbour: Int) throws {
    let key = try #require(mesh.othersOpening[neighbour])
    var span = packet.mutableSpan
    let outcome = mesh.others.open(&span, key: key)
    try #require(outcome == .done)
  }

  private func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
