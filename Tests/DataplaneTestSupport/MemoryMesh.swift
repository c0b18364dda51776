// SPDX-License-Identifier: Apache-2.0

import Dataplane
package import Forwarding
import Inet
import Routing
import TestSupport

/// Several switches that are peers of one mesh, and the underlay between them.
///
/// Each switch has stations ports 0, 1, …; peer *p* has the short number `shortIDs[p]`.
package final class MemoryMesh {
  /// By peer.
  package let switches: [MemorySwitch]
  /// What the switches were told.
  package let routes: MeshRoutes
  /// By peer.
  package private(set) var shortIDs: [UInt16]
  /// Packets that went from one switch to another.
  package private(set) var hopCount = 0
  /// By peer, then by the number of the other one.
  private var indices: [[Int: EndpointIndex]]
  /// What left by station ports since the last `take`, by peer.
  private var delivered: [[PortIndex: [[UInt8]]]]

  /// Makes the switches and tells each of them the routes.
  package init(count: Int, edges: [(Int, Int)], options: MemorySwitch.Options) throws {
    var options = options
    options.endpointCount = 0
    routes = MeshRoutes(count: count, edges: edges)
    shortIDs = (0..<count).map { UInt16(4095 - 7 * $0) }
    switches = try (0..<count).map { _ in try MemorySwitch(options) }
    indices = Array(repeating: [:], count: count)
    delivered = Array(repeating: [:], count: count)
    for peer in 0..<count {
      for other in 0..<count where other != peer {
        indices[peer][other] = try switches[peer].addPeer(shortID: nil, nextHop: nil)
      }
      tell(peer)
    }
  }

  /// The endpoint of one peer at another.
  package func index(of other: Int, at peer: Int) throws -> EndpointIndex {
    guard let index = indices[peer][other] else { throw MemorySwitchError.missing }
    return index
  }

  /// A peer takes another short number, and all hear of it.
  package func renumber(_ peer: Int, _ shortID: UInt16) {
    shortIDs[peer] = shortID
    for other in switches.indices { tell(other) }
  }

  /// A switch learns the routes and the numbers.
  private func tell(_ peer: Int) {
    let bridge = switches[peer]
    bridge.model.setMesh(shortID: ShortID(shortIDs[peer]), port: MemorySwitch.meshPort)
    for (other, index) in indices[peer] {
      bridge.setPeer(
        index, shortID: shortIDs[other], nextHop: routes.nextHop(from: peer, to: other),
        broadcast: endpoints(routes.broadcast(at: peer, from: other), at: peer))
    }
    bridge.model.setMeshFlood(endpoints(routes.broadcast(at: peer, from: peer), at: peer))
    bridge.model.setNeighbours(
      Dictionary(uniqueKeysWithValues: routes.neighbours[peer].map { (peerAddress($0), false) }))
    _ = bridge.model.commit()
  }

  private func endpoints(_ peers: [Int], at peer: Int) -> [EndpointIndex] {
    peers.compactMap { indices[peer][$0] }
  }

  // MARK: Frames

  /// A frame arrives at a station port of a peer, and goes wherever it goes.
  ///
  /// Returns what left by station ports, by peer.
  package func pass(
    _ bytes: [UInt8], into port: PortIndex, of peer: Int
  ) throws -> [[PortIndex: [[UInt8]]]] {
    guard let memory = switches[peer].ports[port], memory.arrive(bytes) else {
      throw MemorySwitchError.portIsFull
    }
    var rounds = 0
    while try step() {
      rounds += 1
      guard rounds < 4 * switches.count + 4 else { throw MemoryMeshError.endless }
    }
    defer { delivered = Array(repeating: [:], count: switches.count) }
    return delivered
  }

  /// All switches breathe, learn, and what they sent arrives; false if nothing was sent.
  private func step() throws -> Bool {
    var packets: [(from: Int, bytes: [UInt8])] = []
    for (peer, bridge) in switches.enumerated() {
      _ = bridge.worker.breathe()
      guard try bridge.account.isBalanced else { throw MemoryMeshError.unbalanced(peer) }
      for hint in bridge.takeHints() { bridge.model.learn(hint, nowSeconds: 0) }
      _ = bridge.model.commit()
      for (port, sent) in bridge.drain() {
        if port == MemorySwitch.underlay {
          packets += sent.map { (peer, $0) }
        } else {
          delivered[peer][port, default: []] += sent
        }
      }
    }
    for packet in packets { try carry(packet.bytes, from: packet.from) }
    return !packets.isEmpty
  }

  /// The underlay: finds the receiver by its address, and the connection that the packet is on.
  private func carry(_ bytes: [UInt8], from peer: Int) throws {
    let destination = routes.neighbours[peer].first {
      bytes[30..<34].elementsEqual(octets(peerAddress($0).bits))
    }
    guard let destination else { throw MemoryMeshError.noConnection(from: peer) }
    hopCount += 1
    // Every switch sends with the same address; on the wire it is the sender's own.
    var packet = bytes
    packet.replaceSubrange(26..<30, with: octets(peerAddress(peer).bits))
    packet.replaceSubrange(24..<26, with: [0, 0])
    packet.replaceSubrange(24..<26, with: octets(internetChecksum(Array(packet[14..<34]))))
    guard switches[destination].ports[MemorySwitch.underlay]?.arrive(packet) == true else {
      throw MemorySwitchError.portIsFull
    }
  }
}

/// What must not happen in a mesh.
package enum MemoryMeshError: Error {
  /// Frames go in circles.
  case endless
  /// A peer's account does not balance.
  case unbalanced(Int)
  /// A packet to somebody the sender is not connected with.
  case noConnection(from: Int)
}
