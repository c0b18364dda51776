// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport
import Testing

/// A switch with the short number 0xA0A and three peers.
///
/// Peer 1 (0xB0B) and peer 2 (0xC0C) are neighbours; peer 3 (0xD0D) is behind peer 2. Own floods go
/// to peers 1 and 2, those of peer 1 on to peer 2, those of peers 2 and 3 on to peer 1.
struct MeshBench {
  static let own: UInt16 = 0xA0A
  static let shortIDs: [UInt16] = [own, 0xB0B, 0xC0C, 0xD0D]

  let bridge: MemorySwitch
  /// By number, from 1.
  let peers: [Int: EndpointIndex]

  /// Tells the switch all that.
  init(_ options: MemorySwitch.Options = MemorySwitch.Options()) throws {
    bridge = try MemorySwitch(options)
    var peers: [Int: EndpointIndex] = [:]
    for number in 1...3 { peers[number] = try bridge.addPeer(shortID: nil, nextHop: nil) }
    self.peers = peers
    let hops: [Int: Int?] = options.areEndpointsResolved ? [1: 1, 2: 2, 3: 2] : [:]
    for (number, index) in peers {
      bridge.setPeer(
        index, shortID: Self.shortIDs[number], nextHop: hops[number] ?? nil,
        broadcast: [number == 1 ? peers[2] : peers[1]].compactMap(\.self))
    }
    bridge.model.setMesh(shortID: ShortID(Self.own), port: MemorySwitch.meshPort)
    bridge.model.setMeshFlood([1, 2].compactMap { peers[$0] })
    bridge.model.setNeighbours([peerAddress(1), peerAddress(2)])
    bridge.publish()
  }

  /// Where stations behind a peer are.
  func behind(_ peer: Int) throws -> Location { try Location(peer: #require(peers[peer])) }

  /// A packet of the mesh arrives from a neighbour; peer 0 is the switch itself.
  @discardableResult
  func pass(
    _ inner: [UInt8], via neighbour: Int, from source: Int, to destination: Int = 0
  ) throws -> [PortIndex: [[UInt8]]] {
    let network = meshNetwork(from: Self.shortIDs[source], to: Self.shortIDs[destination])
    return try bridge.pass(
      meshOuter(fromPeer: neighbour, inner, network: network), into: MemorySwitch.underlay)
  }

  /// What the switch has to send to a neighbour for `frame`, whatever the outer source port.
  static func expected(
    _ inner: [UInt8], via neighbour: Int, from source: Int, to destination: Int, like sent: [UInt8]
  ) -> [UInt8] {
    guard sent.count > 36 else { return [] }
    return meshOuter(
      toPeer: neighbour, inner,
      network: meshNetwork(from: shortIDs[source], to: shortIDs[destination]),
      sourcePort: UInt16(sent[34]) << 8 | UInt16(sent[35]))
  }
}

/// Whether `sent` is one packet to a neighbour with the two short numbers.
func isPacket(
  _ sent: [UInt8]?, _ inner: [UInt8], via neighbour: Int, from source: Int, to destination: Int
) -> Bool {
  guard let sent else { return false }
  return sent
    == MeshBench.expected(inner, via: neighbour, from: source, to: destination, like: sent)
}
