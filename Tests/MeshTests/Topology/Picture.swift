// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport

/// Who lists whom, for tests: the same picture can be looked at from every peer.
struct Picture {
  /// By name, everybody's own description.
  var peers: [PeerName: PeerDescription] = [:]

  /// Peers that nobody is connected with.
  init(_ names: some Sequence<PeerName>) {
    for name in names { peers[name] = described(name, version: 1) }
  }

  /// Adds that `source` lists `destination`; whom nobody describes becomes a placeholder.
  mutating func list(_ source: PeerName, _ destination: PeerName, established: Bool) {
    peers[source]?.connections.removeAll { $0.peer == destination }
    peers[source]?.connections.append(
      PeerDescription.Connection(
        peer: destination, address: "10.0.0.1:6783", isOutbound: source < destination,
        isEstablished: established))
  }

  /// Adds that both list each other.
  mutating func connect(_ one: PeerName, _ other: PeerName, established: Bool = true) {
    list(one, other, established: established)
    list(other, one, established: established)
  }

  /// What `name` knows when it has heard of everybody.
  func topology(of name: PeerName) -> Topology {
    var topology = Topology(own: described(name))
    for connection in peers[name]?.connections ?? [] {
      topology.addConnection(
        to: described(connection.peer), address: connection.address,
        isOutbound: connection.isOutbound)
      topology.setEstablished(connection.isEstablished, with: connection.peer)
    }
    var random = SeededGenerator(seed: 0)
    let others = peers.values.filter { $0.name != name }
    _ = topology.merge(TopologyUpdate(peers: others), random: &random)
    return topology
  }

  /// Up to `count` peers, with connections of which some have only one end or work at only one,
  /// and with some that lead to somebody who describes nothing.
  static func random(count: Int, _ random: inout SeededGenerator) -> Picture {
    let names = Self.names(count: count, &random)
    let described = names.filter { _ in random.number(below: 12) > 0 }
    var picture = Picture(described.isEmpty ? names : described)
    let density = random.number(below: 100)
    for source in picture.peers.keys.sorted() {
      for destination in names where source < destination {
        guard random.number(below: 100) <= density / (1 + count / 20) else { continue }
        let kind = random.number(below: 10)
        if kind != 0 { picture.list(source, destination, established: kind != 1 && kind != 2) }
        if kind != 3 { picture.list(destination, source, established: kind != 1 && kind != 4) }
      }
    }
    return picture
  }

  /// As many names, of which the high, the low or all bits differ.
  private static func names(count: Int, _ random: inout SeededGenerator) -> [PeerName] {
    var names: Set<PeerName> = []
    while names.count < count {
      let bits = random.next() >> 16
      switch random.number(below: 3) {
      case 0: names.insert(PeerName(bits: 0x02_0000_0000 | bits & 0xFF | 1))
      case 1: names.insert(PeerName(bits: bits << 40 | 1))
      default: names.insert(PeerName(bits: bits | 1))
      }
    }
    return names.sorted()
  }
}

/// A description with nothing in it that tests look at.
func described(
  _ name: PeerName, uid: UInt64 = 1, version: UInt64 = 0, shortID: ShortID? = nil,
  connectedWith others: [PeerName] = []
) -> PeerDescription {
  PeerDescription(
    name: name, nickname: "", uid: uid, version: version, shortID: shortID,
    connections: others.map {
      PeerDescription.Connection(
        peer: $0, address: "10.0.0.1:6783", isOutbound: true, isEstablished: true)
    })
}

/// The name with that number.
func peer(_ bits: UInt64) -> PeerName { PeerName(bits: bits) }
