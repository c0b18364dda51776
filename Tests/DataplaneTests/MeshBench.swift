// SPDX-License-Identifier: Apache-2.0

import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// A switch of a mesh and its three peers, as `joinMesh` makes them.
struct MeshBench {
  static let shortIDs = MemorySwitch.meshShortIDs
  static let own = shortIDs[0]

  let bridge: MemorySwitch
  /// By number, from 1.
  let peers: [Int: EndpointIndex]

  init(_ options: MemorySwitch.Options = MemorySwitch.Options()) throws {
    bridge = try MemorySwitch(options)
    peers = try bridge.joinMesh()
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
