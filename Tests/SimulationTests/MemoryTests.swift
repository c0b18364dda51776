// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
@testable import Mesh
import TestSupport
import Testing

/// What a peer keeps in a mesh of 300 in which everybody is connected with everybody.
@Suite struct MemoryTests {
  private static let peerCount = 300
  private static let machineCount = 2

  @Test func pictureOfThreeHundredPeersIsBounded() throws {
    let update = TopologyUpdate(peers: (1...Self.peerCount).map(Self.describe))
    let before = Self.residentLength
    var machines: [MeshMachine] = []
    for number in 1...Self.machineCount {
      // Each peer decodes for itself.
      let decoded = try TopologyUpdate(gob: update.gob)
      var machine = Self.machine(number)
      _ = machine.topology.merge(decoded, random: &machine.random)
      machine.calculateRoutes()
      machine.renewForwarding()
      machines.append(machine)
    }
    let length = (Self.residentLength - before) / Self.machineCount
    let connections = machines.map(\.topology.connectionCount)
    let most = Self.peerCount * (Self.peerCount - 1)
    #expect(connections.allSatisfy { $0 <= most })
    #expect(machines.allSatisfy { $0.topology.peers.count == Self.peerCount })
    print("figure: a picture of \(Self.peerCount) peers takes \(length / 1024) KiB")
  }

  private static func machine(_ number: Int) -> MeshMachine {
    let options = MeshMachine.Options(
      name: World.name(number), uid: UInt64(number), nickname: "host")
    return MeshMachine(options, random: SeededGenerator(seed: UInt64(number)))
  }

  private static func describe(_ number: Int) -> PeerDescription {
    let connections = (1...peerCount).filter { $0 != number }.map { other in
      PeerDescription.Connection(
        peer: World.name(other), address: World.address(other).description,
        isOutbound: number < other, isEstablished: true)
    }
    return PeerDescription(
      name: World.name(number), nickname: "host\(number)", uid: UInt64(number), version: 600,
      shortID: ShortID(number), connections: connections)
  }

  /// Bytes of memory that the process has.
  private static var residentLength: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * 4096
  }
}
