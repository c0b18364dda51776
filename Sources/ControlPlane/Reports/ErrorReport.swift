// SPDX-License-Identifier: Apache-2.0

/// The body of every answer of the HTTP API that is not a success.
package struct ErrorReport: Codable, Sendable, Equatable {
  /// What went wrong, as one sentence without a full stop.
  package var error: String
  /// The JSON key at fault, with an index where it is a list; nil if it is not about one key.
  package var field: String?
  /// What would have been right; nil if there is nothing the client could have given.
  package var accepted: String?

  /// Describes one error.
  package init(error: String, field: String? = nil, accepted: String? = nil) {
    self.error = error
    self.field = field
    self.accepted = accepted
  }
}
