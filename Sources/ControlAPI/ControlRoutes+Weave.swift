// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import FoundationEssentials
import Hummingbird
import Mesh
import NIOCore

/// Paths that Weave has too: they answer with JSON to whoever asks for it, else with Weave's text.
extension ControlRoutes {
  /// Paths whose refusals are text, unless JSON is asked for.
  private static let weavePaths: Set<String> = [
    "/status", "/status/connections", "/status/peers", "/status/targets", "/report", "/connect",
    "/forget",
  ]

  func addWeavePaths(to router: Router<BasicRequestContext>) {
    router.get("status") { request, _ in try await status(for: request) }
    router.get("status/connections") { request, _ in
      let mesh = try await mesh()
      if Self.wantsJSON(request) {
        return try Self.answer(
          ConnectionReport.all(in: mesh, security: await service.security()))
      }
      return Self.text(WeaveText.connections(await routerReport(mesh)))
    }
    router.get("status/peers") { request, _ in
      let peers = MeshPeerReport.all(in: try await mesh())
      return Self.wantsJSON(request)
        ? try Self.answer(peers) : Self.text(WeaveText.peers(peers))
    }
    router.get("status/targets") { request, _ in
      let targets = try await mesh().targets
      return Self.wantsJSON(request)
        ? try Self.answer(targets) : Self.text(WeaveText.targets(targets))
    }
    router.get("metrics") { _, _ in await metrics() }
    router.get("report") { request, _ in try await report(for: request) }
    router.post("connect") { request, _ in
      let form = try await Self.form(of: request, knowing: ["peer", "replace"])
      let order = ConnectRequest(
        targets: form.values(of: "peer"),
        isReplacing: form.values(of: "replace").last == "true")
      try Self.check(order.check)
      try await service.connect(order)
      return Response(status: .ok)
    }
    router.post("forget") { request, _ in
      let form = try await Self.form(of: request, knowing: ["peer"])
      let order = ForgetRequest(targets: form.values(of: "peer"))
      try Self.check(order.check)
      try await service.forget(order)
      return Response(status: .ok)
    }
  }

  private func status(for request: Request) async throws -> Response {
    let status = await service.status()
    if Self.wantsJSON(request) { return try Self.answer(status) }
    guard let mesh = await service.meshReport() else { return Self.text(TextReport.text(status)) }
    let report = RouterReport(mesh, status: status, macs: [], now: now())
    return Self.text(WeaveText.status(report, version: status.version))
  }

  private func report(for request: Request) async throws -> Response {
    guard Self.wantsJSON(request) else {
      let format = Self.parameters(of: request)?.values(of: "format") ?? []
      throw ServiceError(
        .invalidRequest,
        format.count == 1
          ? "error: templates are not known here; ask with the header 'Accept: application/json'"
          : "error: must supply one format parameter")
    }
    let mesh = try await mesh()
    let report = RouterReport(
      mesh, status: await service.status(), macs: await service.macs(), now: now())
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: .init(byteBuffer: ByteBuffer(string: report.weaveReport.written + "\n")))
  }

  private func metrics() async -> Response {
    let status = await service.status()
    let connections =
      if let mesh = await service.meshReport() {
        ConnectionReport.all(in: mesh, security: await service.security())
      } else {
        [] as [ConnectionReport]
      }
    return Response(
      status: .ok, headers: [.contentType: PrometheusText.mediaType],
      body: .init(byteBuffer: ByteBuffer(string: MetricsText.text(status, connections))))
  }

  private func mesh() async throws(ServiceError) -> MeshReport {
    guard let mesh = await service.meshReport() else {
      throw ServiceError(.notFound, ControlPlaneError.noMesh.description)
    }
    return mesh
  }

  private func routerReport(_ mesh: MeshReport) async -> RouterReport {
    RouterReport(mesh, status: await service.status(), macs: [], now: now())
  }
}

extension ControlRoutes {
  /// Whether the request says that it reads JSON; what reads anything gets Weave's text.
  static func wantsJSON(_ request: Request) -> Bool {
    request.headers[.accept]?.lowercased().contains("application/json") == true
  }

  /// Whether a refusal has to be text.
  static func wantsText(_ request: Request) -> Bool {
    weavePaths.contains(request.uri.path) && !wantsJSON(request)
  }

  static func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "text/plain; charset=utf-8"],
      body: .init(byteBuffer: ByteBuffer(string: text)))
  }

  private static func parameters(of request: Request) -> FormParameters? {
    FormParameters(encoded: request.uri.query ?? "")
  }

  /// The parameters in the body and then in the query.
  private static func form(
    of request: Request, knowing names: [String]
  ) async throws -> FormParameters {
    let buffer = try await request.body.collect(upTo: RequestDecoder.bodyLengthMax)
    let accepted = "\(names.joined(separator: " and ")), as the fields of a form"
    guard let text = String(validating: buffer.readableBytesView, as: UTF8.self),
      let body = FormParameters(encoded: text), let query = parameters(of: request)
    else {
      throw ServiceError(
        .invalidRequest, "the parameters cannot be read", accepted: accepted)
    }
    let form = FormParameters(body.pairs + query.pairs)
    for pair in form.pairs where !names.contains(pair.name) {
      let name = TextTable.printable(String(pair.name.prefix(64)))
      throw ServiceError(
        .invalidRequest, "there is no parameter '\(name)'", field: name, accepted: accepted)
    }
    return form
  }
}
