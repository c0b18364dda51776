// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Glibc
import Testing

@testable import Dataplane

/// How many workers an engine starts, and where.
struct EngineStartTests {
  private func engine(cores: [Int]) throws -> Engine {
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 64)
    let writer = try SnapshotWriter(memory: memory, seed: 1)
    #expect(writer.generation > 0)
    return try Engine(
      options: Engine.Options(cores: cores, idle: .adaptive, frameCount: 1024), snapshot: memory)
  }

  @Test func asManyWorkersStartAsReadSnapshots() throws {
    let engine = try engine(cores: Array(repeating: 0, count: Engine.workerCountMax))
    #expect(engine.workerCount == 63)
    for host in engine.hosts { try host.command(WorkerCommand(.stopTrace)) }
    #expect(engine.stop().isEmpty)
  }

  @Test(arguments: [0, 64, 1024]) func otherNumbersOfWorkersAreRefused(count: Int) {
    #expect(throws: DataplaneError.workerCount(count)) {
      try engine(cores: Array(repeating: 0, count: count))
    }
    #expect(
      DataplaneError.workerCount(count).description
        == "\(count) workers cannot be; give 1 to 63 cores under [workers] cores")
  }

  @Test(arguments: [1023, 5000]) func coreThatIsNotThereIsRefused(missing: Int) {
    #expect(throws: DataplaneError.thread(core: missing, number: EINVAL)) {
      try engine(cores: [0, missing])
    }
    #expect(
      DataplaneError.thread(core: missing, number: EINVAL).description.hasSuffix(
        "Invalid argument; give cores under [workers] cores that weftd may run on"))
  }
}
