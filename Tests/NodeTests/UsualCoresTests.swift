// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Node

/// The workers' cores where the configuration names none.
struct UsualCoresTests {
  @Test func allCoresButTheFirstAreWorkersUnlessTheUnderlayHasFewerQueues() {
    #expect(Daemon.usualCores(of: [0, 1, 4, 5], queueCount: nil) == [1, 4, 5])
    #expect(Daemon.usualCores(of: [0, 1, 4, 5], queueCount: 2) == [1, 4])
    #expect(Daemon.usualCores(of: [0, 1, 4, 5], queueCount: 8) == [1, 4, 5])
    #expect(Daemon.usualCores(of: Array(0..<9), queueCount: nil) == [1, 2, 3, 4])
  }

  @Test func thereIsAWorkerWithOneCoreAndForAnInterfaceThatIsNotThere() {
    #expect(Daemon.usualCores(of: [3], queueCount: nil) == [3])
    #expect(Daemon.usualCores(of: [3, 4, 5], queueCount: 0) == [4])
  }

  @Test func thereAreNoMoreWorkersThanAnEngineHas() {
    #expect(Daemon.usualCores(of: Array(0..<128), queueCount: 64) == Array(1...63))
  }
}
