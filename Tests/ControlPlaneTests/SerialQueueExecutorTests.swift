// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Testing

@testable import ControlPlane

@Suite struct SerialQueueExecutorSuite {
  /// An actor on the executor that the control plane uses.
  private actor Counter {
    nonisolated let executor = SerialQueueExecutor(label: "weft.test")
    nonisolated var unownedExecutor: UnownedSerialExecutor {
      unsafe executor.asUnownedSerialExecutor()
    }
    private(set) var count = 0

    func add() {
      dispatchPrecondition(condition: .onQueue(executor.queue))
      count += 1
    }
  }

  @Test func callsRunOnTheQueueOneAfterTheOther() async {
    let counter = Counter()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<1000 { group.addTask { await counter.add() } }
    }
    #expect(await counter.count == 1000)
  }

  @Test func whatFiresOnTheQueueIsIsolatedToTheActor() async {
    let counter = Counter()
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      counter.executor.queue.async {
        counter.assumeIsolated { $0.add() }
        done.resume()
      }
    }
    #expect(await counter.count == 1)
  }
}
