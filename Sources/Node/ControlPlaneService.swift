// SPDX-License-Identifier: Apache-2.0

internal import ControlAPI
internal import ControlPlane
internal import HostNetwork
internal import Inet
internal import Mesh

/// The control plane as the API knows it: the same calls, with errors as HTTP says them.
struct ControlPlaneService: ControlService {
  let control: ControlPlane

  func attach(_ request: AttachRequest) async throws(ServiceError) -> AttachmentReport {
    do {
      return try await control.attach(request)
    } catch {
      throw serviceError(error)
    }
  }

  func detach(_ request: DetachRequest) async throws(ServiceError) -> [AttachmentReport] {
    do {
      return try await control.detach(request)
    } catch {
      throw serviceError(error)
    }
  }

  func attachments() async -> [AttachmentReport] { await control.attachmentReports() }

  func status() async -> StatusReport { await control.statusReport() }

  func macs() async -> [MACReport] { await control.macReports() }

  func trace(_ request: TraceRequest) async throws(ServiceError) -> TraceReport {
    do {
      return try await control.trace(request)
    } catch {
      throw serviceError(error)
    }
  }

  func meshReport() async -> MeshReport? { await control.meshReport() }

  func security() async -> [PeerName: SecurityReport] { await control.securityReports() }

  func connect(_ request: ConnectRequest) async throws(ServiceError) {
    do {
      try await control.connect(request.targets, isReplacing: request.isReplacing)
    } catch {
      throw serviceError(error)
    }
  }

  func forget(_ request: ForgetRequest) async throws(ServiceError) {
    do {
      try await control.forget(request.targets)
    } catch {
      throw serviceError(error)
    }
  }

  private func serviceError(_ error: ControlPlaneError) -> ServiceError {
    switch error {
    case .request(let request): ServiceError(request)
    case .notAttached: ServiceError(.notFound, error.description)
    case .noMesh: ServiceError(.notFound, error.description)
    case .tracing: ServiceError(.conflict, error.description)
    case .alreadyAttached: ServiceError(.conflict, error.description)
    case .host(.interfaceExists): ServiceError(.conflict, error.description)
    case .host(.namespaceMissing): ServiceError(.notFound, error.description)
    case .host(.notANetworkNamespace), .host(.hostNamespace):
      ServiceError(.invalidRequest, error.description)
    case .stopping: ServiceError(.unavailable, error.description)
    default: ServiceError(.failed, error.description)
    }
  }
}
