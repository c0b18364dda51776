// SPDX-License-Identifier: Apache-2.0

/// Why a session ended before it was a connection: the keys of `MeshReport.Counts.refusals`.
///
/// The set is fixed, so that no stranger can make the counts grow.
enum Refusal: String, CaseIterable, Sendable {
  case notWeave = "not_weave"
  case version
  case password
  case notAuthentic = "not_authentic"
  case tooLong = "too_long"
  case features
  case closed
  case slow
  case crowded
  case selfConnection = "connect_to_self"
  case nameCollision = "name_collision"
  case unknownPeer = "unknown_peer"
  case overlay
  case limit
  case duplicate
  case dial

  /// The reason that belongs to an error of the session.
  init(_ error: LinkError) {
    self =
      switch error {
      case .notWeave: .notWeave
      case .version: .version
      case .passwordMismatch: .password
      case .notAuthentic, .weakPublicKey: .notAuthentic
      case .tooLong: .tooLong
      case .features, .notReady: .features
      }
  }

  /// Whether dialling again cannot help.
  var isFinal: Bool { self == .selfConnection || self == .nameCollision }
}

/// How a link ends.
struct LinkEnding {
  /// The reason that counts if the link was not a connection yet.
  var refusal: Refusal
  /// A sentence for people.
  var problem: String
  /// Whether the transport has closed the link already.
  var isClosed = false
  /// Whether another connection with the same peer takes its place.
  var isReplaced = false
}
