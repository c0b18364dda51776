// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a stream, and where.
public struct GobError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Sendable, Equatable {
    /// The stream ends within a message.
    case truncated
    /// Something that no encoder writes; the text says what.
    case malformed(String)
    /// A limit is exceeded; the text says which.
    case tooLarge(String)
    /// A value is not of the type that the reader expects.
    case unexpectedType(expected: String)
  }

  /// What is wrong.
  public var reason: Reason
  /// The byte in the stream, from 0, where it was found.
  public var offset: Int

  /// Pairs a reason with its place.
  public init(_ reason: Reason, offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// A sentence for people.
  public var description: String {
    let text =
      switch reason {
      case .truncated: "the gob stream ends within a message"
      case .malformed(let what): "malformed gob: \(what)"
      case .tooLarge(let what): "gob beyond a limit: \(what)"
      case .unexpectedType(let expected): "gob value of another type than \(expected)"
      }
    return "\(text), at byte \(offset)"
  }
}
