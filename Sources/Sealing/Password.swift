// SPDX-License-Identifier: Apache-2.0

/// The secret that all peers of a mesh share.
///
/// Nothing that prints or inspects it shows its bytes or how many there are. Two are compared in
/// a time that tells only whether their lengths are the same.
public final class Password: Sendable, Equatable {
  let secret: SecretBytes

  /// Takes the bytes of a password; the caller's array is the caller's to forget.
  public init(_ bytes: [UInt8]) { secret = SecretBytes(bytes) }

  /// Takes bytes that are nowhere else.
  init(secret: SecretBytes) { self.secret = secret }

  /// Whether there are no bytes; that is no password, and nothing is encrypted with it.
  public var isEmpty: Bool { secret.count == 0 }

  /// Whether two passwords have the same bytes.
  public static func == (left: Password, right: Password) -> Bool { left.secret == right.secret }
}

extension Password: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// That there is one.
  public var description: String { "Password(hidden)" }

  /// That there is one.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
