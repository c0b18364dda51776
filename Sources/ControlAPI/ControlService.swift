// SPDX-License-Identifier: Apache-2.0

package import ControlPlane
package import Inet
package import Mesh

/// What the daemon does for the programs that talk to it.
package protocol ControlService: Sendable {
  /// Gives a container an interface with the request's addresses, or more addresses if it has one.
  ///
  /// The request has passed `validated()` once; the effect is durable when this returns.
  func attach(_ request: AttachRequest) async throws(ServiceError) -> AttachmentReport

  /// Takes the request's addresses away, or all of them; the interface goes with the last one.
  ///
  /// Returns one report per attachment that changed, with the addresses that were taken away.
  func detach(_ request: DetachRequest) async throws(ServiceError) -> [AttachmentReport]

  /// All containers on the overlay.
  func attachments() async -> [AttachmentReport]

  /// The whole daemon at this moment.
  func status() async -> StatusReport

  /// Every learned MAC address.
  func macs() async -> [MACReport]

  /// The ways of the next frames; returns when it has as many as were asked for, when the time is
  /// over, or early when the task is cancelled.
  ///
  /// The request has passed `validated()` once. There is one trace at a time.
  func trace(_ request: TraceRequest) async throws(ServiceError) -> TraceReport

  /// The mesh at this moment; nil if there is none.
  func meshReport() async -> MeshReport?

  /// How frames of each peer are encrypted with whom encrypted ones are exchanged.
  func security() async -> [PeerName: SecurityReport]

  /// Is connected to the request's peers from now on.
  ///
  /// The request has passed `check()`; `notFound` if there is no mesh.
  func connect(_ request: ConnectRequest) async throws(ServiceError)

  /// Dials the request's peers no more; what is connected stays so.
  ///
  /// The request has passed `check()`; `notFound` if there is no mesh.
  func forget(_ request: ForgetRequest) async throws(ServiceError)
}

/// Why the daemon did not do what it was asked.
package struct ServiceError: Error, Equatable, Sendable {
  /// What sort of refusal it is; each has one HTTP status.
  package enum Kind: Int, Sendable, CaseIterable {
    /// The request can never succeed as it is.
    case invalidRequest = 400
    /// The namespace, interface or address is not there.
    case notFound = 404
    /// Something else holds what the request asks for.
    case conflict = 409
    /// The kernel refused, or something broke.
    case failed = 500
    /// The daemon is starting, stopping or has lost its underlay; a later try may succeed.
    case unavailable = 503
  }

  /// What sort of refusal it is.
  package let kind: Kind
  /// What went wrong, as one sentence without a full stop.
  package let message: String
  /// The JSON key at fault, if it is one.
  package let field: String?
  /// What would have been right, if the client could have given it.
  package let accepted: String?

  /// Describes a refusal.
  package init(_ kind: Kind, _ message: String, field: String? = nil, accepted: String? = nil) {
    self.kind = kind
    self.message = message
    self.field = field
    self.accepted = accepted
  }

  /// A mistake in a request as a refusal.
  package init(_ error: RequestError) {
    self.init(
      .invalidRequest, error.message, field: error.field, accepted: error.accepted)
  }

  /// The body that goes with the status.
  var report: ErrorReport {
    ErrorReport(error: message, field: field, accepted: accepted)
  }
}
