// SPDX-License-Identifier: Apache-2.0

/// The parameters of `POST /connect`: be connected to these peers.
package struct ConnectRequest: Sendable, Equatable {
  /// The peers, as typed.
  package var targets: [String]
  /// Whether they take the place of those before.
  package var isReplacing: Bool

  /// A request as the user gave it; nothing is checked yet.
  package init(targets: [String], isReplacing: Bool = false) {
    self.targets = targets
    self.isReplacing = isReplacing
  }

  /// Refuses what can never succeed; only a replacement may name nobody.
  package func check() throws(RequestError) {
    try PeerList.check(targets, mayBeEmpty: isReplacing)
  }
}

/// The parameters of `POST /forget`: dial these peers no more.
package struct ForgetRequest: Sendable, Equatable {
  /// The peers, as they were typed for `ConnectRequest`.
  package var targets: [String]

  /// A request as the user gave it; nothing is checked yet.
  package init(targets: [String]) {
    self.targets = targets
  }

  /// Refuses what can never succeed.
  package func check() throws(RequestError) {
    try PeerList.check(targets, mayBeEmpty: false)
  }
}

/// What a list of peers must be.
private enum PeerList {
  static func check(_ targets: [String], mayBeEmpty: Bool) throws(RequestError) {
    guard mayBeEmpty || !targets.isEmpty else {
      throw RequestError("no peer is named", field: "peer", accepted: PeerTarget.accepted)
    }
    for target in targets where PeerTarget(target) == nil {
      // The words are those that Weave's users know.
      throw RequestError(
        "invalid peer name \(quoted(target)), should be host[:port]", field: "peer",
        accepted: PeerTarget.accepted)
    }
  }

  private static func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(64).map { $0.escaped(asASCII: true) }.joined()
    return "\"\(shown)\(text.unicodeScalars.count > 64 ? "…" : "")\""
  }
}
