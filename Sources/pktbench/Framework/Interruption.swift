// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Whether the user wants a run to end.
final class Interruption: Sendable {
  /// What an interrupted scenario throws.
  static let error = ScenarioError(.interrupted, "interrupted; nothing was recorded")

  private let requested = Mutex(false)
  private let semaphore = DispatchSemaphore(value: 0)

  /// Nobody wants it to end yet.
  init() {}

  /// Whether it was requested.
  var isRequested: Bool { requested.withLock { $0 } }

  /// Requests the end; returns whether that had been requested before.
  @discardableResult
  func request() -> Bool {
    let before = requested.withLock { requested in
      defer { requested = true }
      return requested
    }
    semaphore.signal()
    return before
  }

  /// Waits; returns true, and at once, if the end is requested.
  func wait(seconds: Double) -> Bool {
    guard semaphore.wait(timeout: .now() + seconds) == .success else { return false }
    // Whoever waits next must not wait either.
    semaphore.signal()
    return true
  }
}

/// Turns ^C, SIGTERM and SIGHUP into interruptions for as long as it lives.
///
/// The first signal asks the scenario to end, which then takes down what it made. If it has not
/// ended after `graceSeconds`, or at a second signal, the clean-ups run here, and the process ends.
/// Programs that a scenario starts ignore these signals too, unless they are told otherwise.
final class SignalTrap {
  /// How long a scenario may take to end by itself.
  static let graceSeconds = 10.0

  private static let numbers = [SIGINT, SIGTERM, SIGHUP]
  private let sources: [any DispatchSourceSignal]

  /// Begins to take signals.
  init(_ run: ScenarioRun) {
    let queue = DispatchQueue(label: "pktbench.signals")
    let (interruption, cleanUps) = (run.interruption, run.cleanUps)
    sources = SignalTrap.numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if interruption.request() { SignalTrap.end(cleanUps) }
        queue.asyncAfter(deadline: .now() + SignalTrap.graceSeconds) { SignalTrap.end(cleanUps) }
      }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources { source.cancel() }
    for number in SignalTrap.numbers { signal(number, SIG_DFL) }
  }

  private static func end(_ cleanUps: CleanUps) {
    cleanUps.run()
    exit(ExitStatus.interrupted.rawValue)
  }
}
