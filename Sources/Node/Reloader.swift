// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Reads the configuration and the mesh's passwords again at each SIGHUP and has the daemon take
/// over what it can.
///
/// A file with a mistake changes nothing. What needs a restart is named each time, as long as the
/// file and the running daemon differ.
struct Reloader: Service {
  /// What the daemon runs with at the beginning.
  let configuration: Configuration
  let logger: Logger
  let threshold: LogThreshold
  /// Reads and checks the file, given what is running; the error has a line for each mistake.
  let read: @Sendable (_ running: Configuration) throws(DaemonError) -> Configuration
  /// Hands reloadable values on to whom they concern.
  let apply: @Sendable (Configuration) async -> Void

  func run() async throws {
    let hangups = await UnixSignalsSequence(trapping: .sighup)
    var running = configuration
    for await _ in hangups.cancelOnGracefulShutdown() { await reload(&running) }
  }

  /// Reads the file once.
  func reload(_ running: inout Configuration) async {
    let file: Configuration
    do {
      file = try read(running)
    } catch {
      let problems = error.description.split(separator: "\n")
      for problem in problems {
        logger.error("configuration", metadata: ["problem": "\(problem)"])
      }
      logger.error(
        "not reloaded, everything stays as it was", metadata: ["problems": "\(problems.count)"])
      return
    }
    let levelBefore = running.logLevel
    let changes = running.adopt(file)
    // Whichever of the two levels writes more counts for what is said about the change.
    threshold.level = min(levelBefore, running.logLevel)
    await apply(running)
    logger.notice("reloaded", metadata: ["changed": "\(list(changes.taken))"])
    if !changes.waiting.isEmpty {
      logger.warning(
        "changed keys need a restart of weftd", metadata: ["keys": "\(list(changes.waiting))"])
    }
    threshold.level = running.logLevel
  }

  private func list(_ keys: [String]) -> String {
    keys.isEmpty ? "nothing" : keys.joined(separator: ",")
  }
}
