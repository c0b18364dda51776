// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a running scenario is given: somebody to tell, and somebody to clean up after it.
final class ScenarioRun: Sendable {
  /// Whether and since when the run is to end.
  let interruption: Interruption
  /// What is to be undone in the end.
  let cleanUps: CleanUps
  private let sink: @Sendable (String) -> Void

  /// A run that tells its progress to `sink`, one line at a time, without line breaks.
  init(
    interruption: Interruption = Interruption(), cleanUps: CleanUps = CleanUps(),
    progress sink: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.interruption = interruption
    self.cleanUps = cleanUps
    self.sink = sink
  }

  /// Says what is being done, in one line.
  func report(_ line: String) { sink(line) }

  /// Has `body` run when the scenario is over, however it ends: what was registered last runs
  /// first.
  ///
  /// To be called before the thing to be removed is made, so that nothing is left if making it is
  /// interrupted; `body` therefore takes it as no error if the thing is not there. It may run on
  /// another thread.
  func atEnd(_ body: @escaping @Sendable () -> Void) { cleanUps.add(body) }

  /// Throws if the user wants the run to end.
  func check() throws(ScenarioError) {
    if interruption.isRequested { throw Interruption.error }
  }

  /// Lets time pass; throws at once if the user wants the run to end.
  func wait(seconds: Double) throws(ScenarioError) {
    if interruption.wait(seconds: seconds) { throw Interruption.error }
  }

  /// Lets time pass until a moment of `Stopwatch`; throws as the other one does.
  func wait(until moment: UInt64) throws(ScenarioError) {
    let now = Stopwatch.now
    if moment > now { try wait(seconds: Double(moment - now) / 1e9) }
  }
}

/// What has to be undone when a run is over, each thing once.
final class CleanUps: Sendable {
  private let bodies = Mutex<[@Sendable () -> Void]>([])

  /// Registers something.
  func add(_ body: @escaping @Sendable () -> Void) { bodies.withLock { $0.append(body) } }

  /// Undoes everything registered so far, the last first.
  ///
  /// May be called from several threads and again; each thing is undone once.
  func run() {
    while let body = bodies.withLock({ $0.popLast() }) { body() }
  }
}
