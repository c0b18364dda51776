// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the tests read of `weft status connections --json`.
struct ConnectionJSON: Decodable {
  struct Security: Decodable {
    let suite: String
    let packets: String
    let key_age_seconds: Int
    let sealed, opened: UInt64
    let refused: [String: UInt64]

    private enum CodingKeys: String, CodingKey {
      case suite, key_age_seconds, sealed, opened, refused
      case packets = "protocol"
    }
  }

  let state: String
  let overlay: String?
  let security: Security?
}

extension TestHost {
  /// `weft status connections`.
  func connections() throws -> [ConnectionJSON] {
    let outcome = try ask(["status", "connections", "--json"])
    guard outcome.status == 0 else { throw TestbedError("\(outcome)") }
    return try JSONDecoder().decode([ConnectionJSON].self, from: Data(outcome.output.utf8))
  }
}
