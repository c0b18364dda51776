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

  /// Asks how each peer is reached.
  package func connections() async throws(ControlClientError) -> [ConnectionReport] {
    try await send(.GET, "/status/connections")
  }

  /// Asks who is connected with whom.
  package func peers() async throws(ControlClientError) -> [MeshPeerReport] {
    try await send(.GET, "/status/peers")
  }

  /// Asks which peers are to be connected with, as they were typed.
  package func targets() async throws(ControlClientError) -> [String] {
    try await send(.GET, "/status/targets")
  }

  /// Asks for Weave's report, which is JSON.
  package func report() async throws(ControlClientError) -> String {
    String(decoding: try await fetch(.GET, "/report"), as: UTF8.self)
  }

  /// Has the daemon be connected with peers.
  package func connect(_ request: ConnectRequest) async throws(ControlClientError) {
    let form = FormParameters(
      request.targets.map { ("peer", $0) } + (request.isReplacing ? [("replace", "true")] : []))
    _ = try await fetch(.POST, "/connect", FormParameters.contentType, Data(form.encoded.utf8))
  }

  /// Has the daemon dial peers no more.
  package func forget(_ request: ForgetRequest) async throws(ControlClientError) {
    let form = FormParameters(request.targets.map { ("peer", $0) })
    _ = try await fetch(.POST, "/forget", FormParameters.contentType, Data(form.encoded.utf8))
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
    let contents: Data?
    do { contents = try body.map { try JSONForm.compact($0) } } catch {
      throw .broken(path: socketPath, reason: "the request cannot be written: \(error)")
    }
    let answer = try await fetch(method, path, "application/json", contents)
    do {
      return try JSONForm.decode(Answer.self, from: answer)
    } catch {
      throw .broken(path: socketPath, reason: "its answer is not what this version expects")
    }
  }

  /// The body of a good answer, as it came.
  private func fetch(
    _ method: HTTPMethod, _ path: String, _ contentType: String = "", _ body: Data? = nil
  ) async throws(ControlClientError) -> Data {
    guard 1...SocketFile.pathLengthMax ~= socketPath.utf8.count,
      let url = URL(httpURLWithSocketPath: socketPath, uri: path)
    else { throw .unusablePath(socketPath) }
    var configuration = HTTPClient.Configuration()
    // A daemon that is not there now is not there: trying again only hides it until the timeout.
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    var request = HTTPClientRequest(url: url.absoluteString)
    request.method = method
    request.headers.add(name: "accept", value: "application/json")
    if let body {
      request.headers.add(name: "content-type", value: contentType)
      request.body = .bytes(body)
    }
    let outcome: Result<(UInt, Data), any Error>
    do {
      outcome = .success(try await exchange(request, over: client))
    } catch {
      outcome = .failure(error)
    }
    try? await client.shutdown()
    return try goodBody(of: outcome)
  }

  private func exchange(
    _ request: HTTPClientRequest, over client: HTTPClient
  ) async throws -> (UInt, Data) {
    let deadline = NIODeadline.now() + TimeAmount(timeout)
    let response = try await client.execute(request, deadline: deadline)
    let body = try await response.body.collect(upTo: Self.answerLengthMax)
    return (response.status.code, Data(body.readableBytesView))
  }

  private func goodBody(
    of outcome: Result<(UInt, Data), any Error>
  ) throws(ControlClientError) -> Data {
    switch outcome {
    case .failure(let error):
      throw explain(error)
    case .success((200, let body)):
      return body
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
