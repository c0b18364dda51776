// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import NIOCore
import ServiceLifecycle

@testable import ControlAPI

/// A server on a socket in a directory of its own, for the time of one test.
struct RunningServer: Sendable {
  /// The socket's path.
  let path: String
  private let group: ServiceGroup

  /// A client with a short timeout, so that a hanging server fails the test and not the machine.
  var client: ControlClient { ControlClient(socketPath: path, timeout: .seconds(20)) }

  /// Begins a graceful stop, as a signal would.
  func stop() async {
    await group.triggerGracefulShutdown()
  }

  /// Runs a server at `path`, calls `body` once clients can connect, and stops it in the end.
  @discardableResult
  static func run<Value: Sendable>(
    _ service: FakeControlService = FakeControlService(), at path: String,
    logger: Logger = .silent, idleTimeout: TimeAmount = .seconds(10),
    _ body: @Sendable @escaping (RunningServer) async throws -> Value
  ) async throws -> Value {
    let (running, announce) = AsyncStream<Void>.makeStream()
    var server = ControlServer(service, socketPath: path, logger: logger) { announce.yield() }
    server.idleTimeout = idleTimeout
    let group = ServiceGroup(
      configuration: .init(
        services: [.init(service: server, successTerminationBehavior: .ignore)], logger: .silent))
    return try await withThrowingTaskGroup(of: Value?.self) { tasks in
      tasks.addTask {
        defer { announce.finish() }
        try await group.run()
        return nil
      }
      for await _ in running { break }
      tasks.addTask {
        let outcome: Result<Value, any Error>
        do {
          outcome = .success(try await body(RunningServer(path: path, group: group)))
        } catch {
          outcome = .failure(error)
        }
        await group.triggerGracefulShutdown()
        return try outcome.get()
      }
      var value: Value?
      for try await result in tasks { value = result ?? value }
      guard let value else { throw CancellationError() }
      return value
    }
  }
}

extension Logger {
  /// A logger that says nothing.
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// A directory that exists for the time of one test.
enum TemporaryDirectory {
  /// Makes a directory with a short path, as a socket's address is short too.
  static func with<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let number = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    let path = "/tmp/weft-api-\(number)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
  }
}
