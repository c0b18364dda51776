// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import Sealing
import TestSupport
import Testing

/// A switch of a mesh as `joinSecurely` makes it, and what its neighbours send, byte by byte with
/// nothing of the product's code but the ciphers.
struct DecryptBench {
  let bridge: MemorySwitch
  private(set) var mesh: SecureMesh
  let security: SecurityOptions

  /// Station 2 is behind port 1.
  init(
    _ ways: [Int: NeighbourWay] = [1: .sealedVXLAN, 2: .sealedVXLAN],
    _ options: MemorySwitch.Options = MemorySwitch.Options()
  ) throws {
    var security = SecurityOptions()
    security.ways = ways
    self.security = security
    bridge = try MemorySwitch(options)
    mesh = try bridge.joinSecurely(security)
    bridge.learn(2, at: Location(port(1)))
  }

  /// Where stations behind a peer are.
  func behind(_ peer: Int) throws -> Location { try Location(peer: #require(mesh.peers[peer])) }

  // MARK: Packets

  /// What ESP seals of a frame: UDP, VXLAN, the frame, padding up to a multiple of four, its length
  /// and the next header.
  static func text(
    _ inner: [UInt8], network: UInt32, port: UInt16 = MemorySwitch.meshPort, blocks: Int = 0
  ) -> [UInt8] {
    let datagram =
      octets(UInt16(50_001)) + octets(port) + octets(UInt16(16 + inner.count)) + [0, 0]
      + [8, 0, 0, 0] + octets(network << 8) + inner
    let count = (4 - (datagram.count + 2) % 4) % 4 + 4 * blocks
    return datagram + (0..<count).map { UInt8($0 + 1) } + [UInt8(count), 17]
  }

  /// The network identifier of what one peer sends to another; peer 0 is the switch itself.
  static func network(from source: Int, to destination: Int) -> UInt32 {
    meshNetwork(
      from: MemorySwitch.peerShortID(source), to: MemorySwitch.peerShortID(destination))
  }

  /// An ESP packet with this text by the key that a neighbour seals with, or another of his keys.
  func seal(_ text: [UInt8], from neighbour: Int, key: UInt16? = nil) throws -> [UInt8] {
    try sealed(
      [UInt8](repeating: 0, count: 16) + text + [UInt8](repeating: 0, count: 16),
      by: mesh.others, key: key ?? #require(mesh.othersSealing[neighbour]))
  }

  /// An ESP packet with a frame from one peer to another.
  func packet(
    _ inner: [UInt8], via neighbour: Int, from source: Int, to destination: Int = 0
  ) throws -> [UInt8] {
    let network = DecryptBench.network(from: source, to: destination)
    return try seal(DecryptBench.text(inner, network: network), from: neighbour)
  }

  /// A sealed datagram with these records of a neighbour.
  func datagram(
    _ records: [[UInt8]], from neighbour: Int, key: UInt16? = nil, isFragmentable: Bool = false
  ) throws -> [UInt8] {
    try sealed(
      octets(MemorySwitch.peerName(neighbour).bits, 6) + [UInt8](repeating: 0, count: 24)
        + records.joined(),
      by: mesh.others, key: key ?? #require(mesh.othersSealing[neighbour]),
      isFragmentable: isFragmentable)
  }

  /// The outer frame around an ESP packet of a neighbour.
  static func outer(_ packet: [UInt8], from neighbour: Int, options: [UInt8] = []) -> [UInt8] {
    var builder = FrameBuilder(
      sourceMAC: peerMAC(neighbour), destinationMAC: MemorySwitch.ownMAC,
      source: peerAddress(neighbour), destination: MemorySwitch.ownAddress)
    builder.options = options
    return builder.ipv4(protocolNumber: 50, payload: packet)
  }

  // MARK: Steps

  /// An outer frame arrives; returns what left.
  @discardableResult
  func pass(_ outer: [UInt8]) throws -> [PortIndex: [[UInt8]]] {
    try bridge.pass(outer, into: MemorySwitch.underlay)
  }

  /// A frame arrives from a neighbour in ESP; returns what left.
  @discardableResult
  func pass(
    _ inner: [UInt8], via neighbour: Int, from source: Int, to destination: Int = 0
  ) throws -> [PortIndex: [[UInt8]]] {
    let packet = try packet(inner, via: neighbour, from: source, to: destination)
    return try pass(DecryptBench.outer(packet, from: neighbour))
  }

  /// All of the outer frames arrive and are dealt with in one breath; returns what left.
  func pass(all outers: [[UInt8]]) throws -> [PortIndex: [[UInt8]]] {
    let memory = try #require(bridge.ports[MemorySwitch.underlay])
    for bytes in outers { try #require(memory.arrive(bytes)) }
    #expect(bridge.worker.breathe() == outers.count)
    return bridge.drain()
  }

  /// The neighbour seals with another key from now on, and the switch opens what comes with that
  /// one or the one before.
  mutating func rekey(_ neighbour: Int, generation: Int) throws {
    let former = mesh.opening[neighbour]
    try bridge.exchangeKeys(with: neighbour, security, &mesh, generation: generation)
    try setLink(to: neighbour, former: former, generation: generation)
  }

  /// The switch opens what comes from a neighbour with the key of a generation, and perhaps the one
  /// before.
  func setLink(to neighbour: Int, former: UInt16?, generation: Int) throws {
    let way = try #require(security.ways[neighbour])
    let generations = former == nil ? [generation] : [generation, generation - 1]
    bridge.model.setLink(
      try #require(mesh.links[neighbour]), shortID: ShortID(MemorySwitch.peerShortID(neighbour)),
      path: try bridge.path(to: neighbour, security, mesh),
      receives: LinkReception(
        isReceiving: true, opening: mesh.opening[neighbour], formerOpening: former,
        identifiers: way.overlay == .vxlan
          ? generations.map {
            MemorySwitch.identifier(from: neighbour, way.overlay, generation: $0)
          } : []))
    bridge.publish()
  }

  /// Whether the books balance and no chunk is lost, with everything sent.
  func isInOrder() throws -> Bool {
    _ = bridge.drain()
    bridge.worker.breathe(times: 1)
    let account = try bridge.account
    return account.isBalanced && account.held == 0
      && bridge.knownChunkCount == bridge.options.frameCount
  }
}

/// A packet sealed where it is.
func sealed(
  _ packet: [UInt8], by keys: FrameKeys, key: UInt16, isFragmentable: Bool = false
) throws -> [UInt8] {
  var packet = packet
  var span = packet.mutableSpan
  let outcome = keys.seal(&span, key: key, isFragmentable: isFragmentable)
  try #require(outcome == .done)
  return packet
}
