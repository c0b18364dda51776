// SPDX-License-Identifier: Apache-2.0

/// Why two peers cannot exchange frames.
public enum OverlayError: Error, Equatable, Sendable, CustomStringConvertible {
  /// None in common.
  case nothingInCommon(ours: [String], theirs: [String])
  /// The peer is too old to say what it speaks.
  case notAdvertised
  /// No way of sealing in common.
  case noCommonSuite(ours: [String], theirs: [String])
  /// The only one in common cannot be used; the text says why.
  case notUsable(String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .nothingInCommon(let ours, let theirs):
      return "the peer has no overlay that we have: it offers \(Self.list(theirs)),"
        + " we have \(Self.list(ours)); let it offer one of ours"
    case .noCommonSuite(let ours, let theirs):
      return "the peer seals in no way that we do: it offers \(Self.list(theirs)), we offer"
        + " \(Self.list(ours)); let one of the peers offer one more"
    case .notAdvertised:
      return "the peer is too old to say which overlays it has: upgrade it to Weave Net 2.8 or Weft"
    case .notUsable(let reason):
      return "\(reason): let both peers offer sleeve as well"
    }
  }

  /// Names for people; a stranger's text may be as long as a message.
  private static func list(_ names: [String]) -> String {
    let names = names.prefix(8).map { "\"\($0.prefix(16))\"" }.joined(separator: ", ")
    return names.isEmpty ? "none" : names
  }
}
