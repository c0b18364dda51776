// SPDX-License-Identifier: Apache-2.0

/// The version that the programs, the status report and the HTTP API announce.
package enum Version {
  /// `major.minor.patch`.
  package static let text = "0.1.0"
}
