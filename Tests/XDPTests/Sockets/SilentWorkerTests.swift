// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Glibc
import Synchronization
import Testing
import XDP

@testable import Dataplane

/// An engine whose worker does not answer for longer than anybody waits for it.
@Suite(.enabled(if: isRoot, rootComment))
struct SilentWorkerTests {
  @Test(.timeLimit(.minutes(5))) func queuesAreKeptUntilTheWorkerAnswers() async throws {
    try await inNewNamespace {
      try makePair()
      // The worker inherits what is blocked here, which may be nearly all.
      var silencing = sigset_t()
      unsafe sigemptyset(&silencing)
      unsafe sigaddset(&silencing, SIGUSR2)
      unsafe pthread_sigmask(SIG_UNBLOCK, &silencing, nil)
      let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 64)
      let writer = try SnapshotWriter(memory: memory, seed: 1)
      let engine = try Engine(
        options: Engine.Options(cores: [0], idle: .adaptive, frameCount: 1024), snapshot: memory)
      defer { engine.stop() }
      let port = PortSpecification(
        port: PortIndex(3), kind: .station, interface: "left",
        interfaceIndex: try interfaceIndex("left"), queueCount: 1, frameLengthMax: 1518,
        attach: .automatic)

      try silence(engine) {
        #expect(throws: DataplaneError.workerSilent(0)) { try engine.openPort(port) }
        #expect(engine.abandonedCount == 1)
        #expect(throws: DataplaneError.workerSilent(0)) { try engine.openPort(port) }
      }
      try expectRecovery(engine, port)
      #expect(engine.abandonedCount == 0)

      try silence(engine) {
        #expect(engine.closePort(port.port) == [.workerSilent(0)])
        #expect(engine.abandonedCount == 1)
      }
      try expectRecovery(engine, port)
      #expect(engine.abandonedCount == 0)
      #expect(engine.closePort(port.port) == [])
      #expect(writer.generation > 0)
    }
  }

  /// The port can be opened once the worker is back, which needs what was abandoned to be closed.
  private func expectRecovery(_ engine: Engine, _ port: PortSpecification) throws {
    let hasAnswered = eventually { engine.hosts[0].hasAnswered }
    #expect(hasAnswered)
    try engine.openPort(port)
  }

  /// Holds the worker's thread in a signal handler while `body` runs.
  private func silence(_ engine: Engine, _ body: () throws -> Void) throws {
    isHeld.store(true, ordering: .sequentiallyConsistent)
    isSilent.store(false, ordering: .sequentiallyConsistent)
    defer { isHeld.store(false, ordering: .sequentiallyConsistent) }
    signal(SIGUSR2) { _ in
      isSilent.store(true, ordering: .sequentiallyConsistent)
      while isHeld.load(ordering: .sequentiallyConsistent) { usleep(1000) }
    }
    let result = pthread_kill(pthread_t(engine.hosts[0].thread.thread), SIGUSR2)
    guard result == 0 else { throw TestFailure("pthread_kill: \(result)") }
    let hasFallenSilent = eventually { isSilent.load(ordering: .sequentiallyConsistent) }
    guard hasFallenSilent else { throw TestFailure("the signal does not arrive") }
    try body()
  }
}

/// Whether the silenced thread stays where it is; made before any signal comes.
private let isHeld = Atomic<Bool>(false)
private let isSilent = Atomic<Bool>(false)

extension Engine {
  fileprivate var abandonedCount: Int { abandoned.withLock { $0.count } }
}
