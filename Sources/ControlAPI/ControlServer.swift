// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The HTTP API on its unix socket, as a service that runs until it is told to stop.
///
/// A graceful stop takes the socket out of sight, lets requests that have begun finish and then
/// returns. Neither bodies nor what is in them is ever logged.
package struct ControlServer: Service {
  private let service: any ControlService
  private let socket: SocketFile
  private let logger: Logger
  private let onRunning: @Sendable () async -> Void

  /// Connections at a time; further ones wait in the kernel's queue.
  static let connectionCountMax = 256
  /// How long a connection may be silent between requests or in the middle of one; also the
  /// longest that a silent client can delay a graceful stop.
  var idleTimeout = TimeAmount.seconds(10)
  /// Bytes of all header fields of a request.
  static let headerLengthMax = 16 * 1024

  /// A server that is not yet running; `onRunning` is called when clients can connect.
  package init(
    _ service: some ControlService, socketPath: String, logger: Logger,
    onRunning: @escaping @Sendable () async -> Void = {}
  ) {
    self.service = service
    self.socket = SocketFile(path: socketPath)
    self.logger = logger
    self.onRunning = onRunning
  }

  /// Checks the path without serving: throws if another daemon answers there or it is unusable.
  ///
  /// For a daemon that wants to know before it touches the network; `run()` checks again.
  package func prepare() async throws(ControlServerError) {
    try await socket.prepare()
  }

  /// Serves until the service group stops it or the task is cancelled.
  package func run() async throws {
    try await socket.prepare()
    let hidden = try socket.makeHiddenPlace()
    let outcome = Mutex<Result<SocketFile.Identity, ControlServerError>?>(nil)
    defer {
      if case .success(let identity)? = outcome.withLock({ $0 }) { socket.remove(identity) }
      socket.removeHiddenPlace(hidden)
    }
    let application = application(boundTo: hidden) { channel in
      let result = Result { () throws(ControlServerError) in try socket.publish(from: hidden) }
      outcome.withLock { $0 = result }
      guard case .success = result else { return channel.close(promise: nil) }
      logger.info("API ready", metadata: ["socket": "\(socket.path)"])
      await onRunning()
    }
    do {
      try await application.run()
    } catch {
      if case .failure(let reason)? = outcome.withLock({ $0 }) { throw reason }
      throw error
    }
  }

  private func application(
    boundTo path: String, onRunning: @escaping @Sendable (any Channel) async -> Void
  ) -> some ApplicationProtocol {
    // Below warnings, Hummingbird would announce the hidden path and log per connection.
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
    decoder.maxHeaderListSize = Self.headerLengthMax
    decoder.maxHeaderFieldSize = Self.headerLengthMax
    decoder.maxHeaderFieldCount = 100
    return Application(
      router: ControlRoutes(service).router(),
      server: .http1(
        configuration: .init(
          idleTimeout: idleTimeout, httpDecoderConfiguration: decoder)),
      configuration: ApplicationConfiguration(
        address: .unixDomainSocket(path: path),
        availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionCountMax)),
      onServerRunning: onRunning, logger: quiet)
  }
}

/// Why the API cannot be served.
package enum ControlServerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A daemon answers at the path.
  case anotherServer(String)
  /// The path is relative or too long for a socket.
  case unusablePath(String)
  /// There is a file at the path that is no socket; it is not touched.
  case notASocket(String)
  /// What could not be done with files, and why.
  case fileSystem(String, String)

  /// The error in one sentence.
  package var description: String {
    switch self {
    case .anotherServer(let path):
      "another weftd answers on \(path): stop it, or give this one another socket"
    case .unusablePath(let path):
      "'\(path)' cannot be a socket: give an absolute path of at most "
        + "\(SocketFile.pathLengthMax) bytes"
    case .notASocket(let path):
      "there is a file at \(path) that is not a socket: remove it, or give another path"
    case .fileSystem(let what, let reason):
      "\(what): \(reason)"
    }
  }
}
