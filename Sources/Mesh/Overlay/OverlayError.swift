// SPDX-License-Identifier: Apache-2.0

/// Why two peers cannot exchange frames.
public enum OverlayError: Error, Equatable, Sendable, CustomStringConvertible {
  /// None in common.
  case nothingInCommon(ours: [String], theirs: [String])
  /// The peer is too old to say what it speaks.
  case notAdvertised
  /// The only one in common cannot be used; the text says why.
  case notUsable(String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .nothingInCommon(let ours, let theirs):
      // Theirs is a stranger's text, as long as a message may be.
      let names = theirs.prefix(8).map { "\"\($0.prefix(16))\"" }.joined(separator: ", ")
      let known = ours.map { "\"\($0)\"" }.joined(separator: ", ")
      return "the peer has no overlay that we have: it offers \(names.isEmpty ? "none" : names),"
        + " we have \(known); let it offer one of ours"
    case .notAdvertised:
      return "the peer is too old to say which overlays it has: upgrade it to Weave Net 2.8 or Weft"
    case .notUsable(let reason):
      return "\(reason): let both peers offer sleeve as well"
    }
  }
}
