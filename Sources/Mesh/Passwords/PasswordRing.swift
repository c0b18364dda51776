// SPDX-License-Identifier: Apache-2.0

public import Sealing

/// The passwords of a mesh while it changes from one to another.
///
/// What we begin uses the primary one; whoever knows any of them is one of us. So the peers get a
/// new password one after the other: first all accept it, then each makes it its primary one, and
/// in the end nobody accepts the old one. No ring at all means that nothing is encrypted.
public struct PasswordRing: Sendable, Equatable {
  /// Most passwords besides the primary one; more would be work that strangers can ask for.
  public static let countMaxOfOthers = 3

  /// The one that we prove to others.
  public let primary: Password
  /// What others may have instead, without the primary one and each once.
  public let others: [Password]

  /// All of them, the primary one first.
  public var all: [Password] { [primary] + others }

  /// Empty and repeated passwords are left out, and what is too much at the end.
  ///
  /// Returns nil without a primary password, whatever the others are: to send anything under one of
  /// those would be to choose a primary one.
  public init?(_ primary: Password?, others: [Password] = []) {
    guard let primary, !primary.isEmpty else { return nil }
    self.primary = primary
    var taken: [Password] = []
    for password in others where taken.count < PasswordRing.countMaxOfOthers {
      guard !password.isEmpty, password != primary, !taken.contains(password) else { continue }
      taken.append(password)
    }
    self.others = taken
  }

  /// Whether a password is one of these.
  public func accepts(_ password: Password) -> Bool {
    // All are compared, so that the time tells nothing about which one it is.
    all.reduce(false) { isAccepted, own in own == password || isAccepted }
  }
}

extension PasswordRing: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// That there is one.
  public var description: String { "PasswordRing(hidden)" }

  /// That there is one.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
