// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Logging
import Routing
import Synchronization
import Testing

@testable import ControlPlane

@Suite struct StopTests {
  @Test func whatCannotBeTakenDownIsLogged() async throws {
    let log = Log()
    let control = try ControlPlane(
      options: ControlPlane.Options(
        hostName: "hosta", underlay: "absent0", vxlanPort: 4789, overlayMTU: nil, endpoints: [],
        keepsAttachments: false),
      engine: StubbornEngine(),
      model: try ForwardingModel(
        memory: try SnapshotMemory(pageCount: 64, entryCountMax: 64), seed: 1,
        options: ForwardingModel.Options()),
      logger: Logger(label: "test") { _ in log }, random: SystemRandomNumberGenerator(),
      openTransport: noSockets
    ) { 1 }
    await control.stop()
    let lines = log.lines.withLock { $0 }
    #expect(lines.contains("error left behind: a worker does not answer"), "\(lines)")
    #expect(lines.last == "info stopped: ")
    await control.stop()
    #expect(log.lines.withLock { $0 } == lines, "a stop is done once")
  }
}

/// A data plane that cannot be taken down.
private struct StubbornEngine: IdleEngine {
  func stop(keepsPrograms: Bool) -> [EngineFailure] {
    [EngineFailure("a worker does not answer")]
  }
}

/// Keeps what is logged as `LEVEL MESSAGE: PROBLEM`.
private final class Log: LogHandler {
  let lines = Mutex<[String]>([])
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }

  subscript(metadataKey _: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(event: LogEvent) {
    let problem = event.metadata?["problem"].map { "\($0)" } ?? ""
    lines.withLock { $0.append("\(event.level) \(event.message): \(problem)") }
  }
}
