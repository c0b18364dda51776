// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
package import ControlPlane
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1

/// The daemon's API as seen by a program on the same host.
///
/// Each call opens a connection of its own: the programs that use it make one call and exit.
package struct ControlClient: Sendable {
  /// The daemon's socket.
  package let socketPath: String
  /// How long one call may take from connecting to the last byte.
  package let timeout: Duration

  /// Where weftd listens unless its configuration says otherwise.
  package static let defaultSocketPath = "/run/weft/weft.sock"
  /// Bytes of the longest answer that is read: room for some hundred thousand MAC addresses.
  static let answerLengthMax = 64 << 20

  /// A client for the daemon at `socketPath`; nothing is opened yet.
  package init(
    socketPath: String = ControlClient.defaultSocketPath, timeout: Duration = .seconds(30)
  ) {
    self.socketPath = socketPath
    self.timeout = timeout
  }

  /// Attaches a container.
  package func attach(
    _ request: AttachRequest
  ) async throws(ControlClientError) -> AttachmentReport {
    try await send(.POST, "/attachments", request)
  }

  /// Detaches a container, or some of its addresses; returns what was taken away.
  package func detach(
    _ request: DetachRequest
  ) async throws(ControlClientError) -> [AttachmentReport] {
    try await send(.DELETE, "/attachments", request)
  }

  /// Lists the attached containers.
  package func attachments() async throws(ControlClientError) -> [AttachmentReport] {
    try await send(.GET, "/attachments")
  }

  /// Asks for the state of the whole daemon.
  package func status() async throws(ControlClientError) -> StatusReport {
    try await send(.GET, "/status")
  }

  /// Asks for the MAC table.
  package func macs() async throws(ControlClientError) -> [MACReport] {
    try await send(.GET, "/status/macs")
  }

  /// Follows the next frames; takes as long as the request says, and `timeout` for the rest.
  package func trace(_ request: TraceRequest) async throws(ControlClientError) -> TraceReport {
    let seconds = request.seconds ?? TraceRequest.secondsUsual
    let patient = ControlClient(
      socketPath: socketPath, timeout: timeout + .seconds(min(max(seconds, 0), 60)))
    return try await patient.send(.POST, "/trace", request)
  }
}

extension ControlClient {
  private func send<Answer: Decodable>(
    _ method: HTTPMethod, _ path: String, _ body: (some Encodable)? = String?.none
  ) async throws(ControlClientError) -> Answer {
    guard 1...SocketFile.pathLengthMax ~= socketPath.utf8.count,
      let url = URL(httpURLWithSocketPath: socketPath, uri: path)
    else { throw .unusablePath(socketPath) }
    var configuration = HTTPClient.Configuration()
    // A daemon that is not there now is not there: trying again only hides it until the timeout.
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let outcome: Result<(UInt, Data), any Error>
    do {
      var request = HTTPClientRequest(url: url.absoluteString)
      request.method = method
      if let body {
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(try JSONForm.compact(body))
      }
      outcome = .success(try await exchange(request, over: client))
    } catch {
      outcome = .failure(error)
    }
    try? await client.shutdown()
    return try read(outcome)
  }

  private func exchange(
    _ request: HTTPClientRequest, over client: HTTPClient
  ) async throws -> (UInt, Data) {
    let deadline = NIODeadline.now() + TimeAmount(timeout)
    let response = try await client.execute(request, deadline: deadline)
    let body = try await response.body.collect(upTo: Self.answerLengthMax)
    return (response.status.code, Data(body.readableBytesView))
  }

  private func read<Answer: Decodable>(
    _ outcome: Result<(UInt, Data), any Error>
  ) throws(ControlClientError) -> Answer {
    switch outcome {
    case .failure(let error):
      throw explain(error)
    case .success((200, let body)):
      do {
        return try JSONForm.decode(Answer.self, from: body)
      } catch {
        throw .broken(path: socketPath, reason: "its answer is not what this version expects")
      }
    case .success((let status, let body)):
      let report = try? JSONForm.decode(ErrorReport.self, from: body)
      throw .refused(
        status: status, report ?? ErrorReport(error: "weftd answered with status \(status)"))
    }
  }

  private func explain(_ error: any Error) -> ControlClientError {
    if let error = error as? IOError {
      switch error.errnoCode {
      case ENOENT, ECONNREFUSED, ENOTDIR: return .notRunning(path: socketPath)
      case EACCES, EPERM: return .permissionDenied(path: socketPath)
      default: break
      }
    }
    if let error = error as? HTTPClientError,
      [.deadlineExceeded, .connectTimeout, .readTimeout].contains(error)
    {
      return .timedOut(path: socketPath, seconds: timeout.components.seconds)
    }
    return .broken(path: socketPath, reason: "\(error)")
  }
}
