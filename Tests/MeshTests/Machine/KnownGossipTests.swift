// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import TestSupport
import Testing

/// Gossip that was merged before is not decoded again, unless something was forgotten since.
@Suite struct KnownGossipTests {
  private let payload: [UInt8] = [1, 2, 3]

  private func moment(_ seconds: Int) -> MeshInstant {
    MeshInstant(nanoseconds: UInt64(seconds) * 1_000_000_000)
  }

  @Test func payloadIsKnownForAGossipInterval() {
    var seen = SeenPayloads()
    func isKnown(_ channel: String, _ seconds: Int) -> Bool {
      seen.contains(payload, channel: channel, now: moment(seconds))
    }
    #expect(!isKnown("a", 0))
    _ = seen.insert(payload, channel: "a", now: moment(0))
    #expect(isKnown("a", 29))
    #expect(!isKnown("b", 29))
    #expect(!isKnown("a", 30))
    #expect(seen.count == 0)
  }

  @Test func whoForgetsPeersListensAnew() throws {
    var network = MachineNetwork(seed: 1)
    for number: UInt8 in 1...3 { network.add(number) { $0.hasDiscovery = false } }
    network.connect(1, to: 2)
    network.connect(3, to: 2)
    network.run(for: .seconds(100))
    let before = try #require(network.hosts[1]?.machine.merged.count)
    #expect(before > 0)
    network.stop(3)
    #expect(network.run(atMost: .seconds(5)) { $0.report(1).peers.count == 2 })
    #expect(try #require(network.hosts[1]?.machine.merged.count) == 0)
  }
}
