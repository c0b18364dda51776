// SPDX-License-Identifier: Apache-2.0

internal import Dispatch

/// Runs an actor on a dispatch queue of its own, on which event sources can fire as well.
///
/// Proof of safety: a job is run once, by the queue, which holds it; the executor outlives the
/// actor that refers to it unowned, because the actor holds it.
final class SerialQueueExecutor: SerialExecutor {
  /// The queue; what runs on it is isolated to the actor.
  let queue: DispatchQueue

  init(label: String) { queue = DispatchQueue(label: label) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = unsafe asUnownedSerialExecutor()
    queue.async { unsafe job.runSynchronously(on: executor) }
  }

  func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}

extension ControlPlane {
  /// The actor's own executor (SE-0392).
  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }
}
