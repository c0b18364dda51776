// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import FoundationEssentials
import Hummingbird
import NIOCore
import ServiceLifecycle

/// The paths of the API and what each does with a `ControlService`.
struct ControlRoutes: Sendable {
  let service: any ControlService
  /// The time of day.
  let now: @Sendable () -> Date

  /// Serves `service`.
  init(_ service: any ControlService, now: @escaping @Sendable () -> Date = { Date() }) {
    self.service = service
    self.now = now
  }

  /// Every path with its methods, in the order they are listed to somebody who got lost.
  static let methods: [(path: String, methods: [HTTPRequest.Method])] = [
    ("/attachments", [.get, .post, .delete]), ("/status", [.get]), ("/status/macs", [.get]),
    ("/trace", [.post]), ("/status/connections", [.get]), ("/status/peers", [.get]),
    ("/status/targets", [.get]), ("/report", [.get]), ("/metrics", [.get]), ("/connect", [.post]),
    ("/forget", [.post]),
  ]

  /// The router, with refusals as JSON.
  func router() -> Router<BasicRequestContext> {
    let router = Router(context: BasicRequestContext.self)
    router.add(middleware: ErrorReporting())
    router.get("status/macs") { _, _ in try await Self.answer(service.macs()) }
    router.get("attachments") { _, _ in try await Self.answer(service.attachments()) }
    router.post("attachments") { request, _ in
      let order = try await Self.body(of: request, as: AttachRequest.self)
      try Self.check(order.validated)
      return try await Self.answer(service.attach(order))
    }
    router.delete("attachments") { request, _ in
      let order = try await Self.body(of: request, as: DetachRequest.self)
      try Self.check(order.validated)
      return try await Self.answer(service.detach(order))
    }
    router.post("trace") { request, _ in try await trace(request) }
    addWeavePaths(to: router)
    return router
  }

  /// Lasts until the trace ends; a client that goes away or a stop of the server ends it early.
  private func trace(_ request: Request) async throws -> Response {
    try await request.body.consumeWithCancellationOnInboundClose { body in
      let buffer = try await body.collect(upTo: RequestDecoder.bodyLengthMax)
      let order = try RequestDecoder.decode(
        TraceRequest.self, from: Data(buffer.readableBytesView))
      try Self.check(order.validated)
      let report = try await cancelWhenGracefulShutdown { [service] in
        try await service.trace(order)
      }
      return try Self.answer(report)
    }
  }

  private static func body<Order: StrictRequest>(
    of request: Request, as type: Order.Type
  ) async throws -> Order {
    let buffer = try await request.body.collect(upTo: RequestDecoder.bodyLengthMax)
    return try RequestDecoder.decode(type, from: Data(buffer.readableBytesView))
  }

  static func check<Value>(
    _ validated: () throws(RequestError) -> Value
  ) throws(ServiceError) {
    do {
      _ = try validated()
    } catch {
      throw ServiceError(error)
    }
  }

  static func answer(_ value: some Encodable) throws -> Response {
    try response(.ok, value)
  }

  fileprivate static func response(
    _ status: HTTPResponse.Status, _ value: some Encodable
  ) throws -> Response {
    let body = ByteBuffer(bytes: try JSONForm.compact(value))
    return Response(
      status: status, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
  }

  /// A refusal in the form that the request can read.
  fileprivate static func refusal(
    _ status: HTTPResponse.Status, _ report: ErrorReport, of request: Request
  ) throws -> Response {
    wantsText(request) ? text(report.error + "\n", status) : try response(status, report)
  }
}

/// Turns what handlers and the router throw into an `ErrorReport`.
///
/// What it does not know goes on to Hummingbird: those are errors of the connection itself, for
/// which there is no one left to answer.
private struct ErrorReporting<Context: RequestContext>: RouterMiddleware {
  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as ServiceError {
      return try ControlRoutes.refusal(
        .init(code: error.kind.rawValue), error.report, of: request)
    } catch let error as HTTPError where error.status == .notFound {
      return try lost(request)
    } catch is NIOTooManyBytesError {
      let report = ErrorReport(
        error: "the body is too long",
        accepted: "at most \(RequestDecoder.bodyLengthMax) bytes")
      return try ControlRoutes.refusal(.contentTooLarge, report, of: request)
    } catch is EncodingError {
      return try ControlRoutes.response(
        .internalServerError, ErrorReport(error: "the report cannot be written as JSON"))
    }
  }

  /// 405 if the path exists, else 404; both say what there is.
  private func lost(_ request: Request) throws -> Response {
    let path = request.uri.path
    guard let methods = ControlRoutes.methods.first(where: { $0.path == path })?.methods else {
      let paths = ControlRoutes.methods.map(\.path).joined(separator: ", ")
      return try ControlRoutes.response(
        .notFound, ErrorReport(error: "there is no such path", accepted: paths))
    }
    let names = methods.map(\.rawValue).joined(separator: ", ")
    var response = try ControlRoutes.refusal(
      .methodNotAllowed,
      ErrorReport(error: "\(path) does not know the method", accepted: names), of: request)
    response.headers[.allow] = names
    return response
  }
}
