// SPDX-License-Identifier: Apache-2.0

import Inet
import Testing

@testable import Mesh

/// Unfinished messages of many sessions have a bound in common.
@Suite struct BufferBoundTests {
  @Test func bytesOfEndedSessionsAreNotCounted() {
    var network = MachineNetwork(seed: 1)
    network.add(1) { $0.hasDiscovery = false }
    network.add(2) { $0.hasDiscovery = false }
    network.connect(1, to: 2)
    network.run(for: .seconds(5))
    network.stop(2)
    network.run(for: .seconds(90))
    #expect(network.hosts[1]?.machine.bufferedCount == 0)
    #expect(network.hosts[1]?.machine.connections.isEmpty == true)
  }
}
