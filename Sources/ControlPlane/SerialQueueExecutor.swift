// SPDX-License-Identifier: Apache-2.0

package import Dispatch

/// Runs an actor on a dispatch queue of its own, on which event sources can fire as well.
package final class SerialQueueExecutor: SerialExecutor {
  /// The queue; what runs on it is isolated to the actor.
  package let queue: DispatchQueue

  package init(label: String) { queue = DispatchQueue(label: label) }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedSerialExecutor()
    queue.async { job.runSynchronously(on: executor) }
  }

  package func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
