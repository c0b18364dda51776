// SPDX-License-Identifier: Apache-2.0

/// Why a session cannot go on.
public enum LinkError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The other end speaks something else.
  case notWeave
  /// The other end speaks only older or newer versions.
  case version(minimum: UInt8, maximum: UInt8)
  /// One end has a password and the other has none.
  case passwordMismatch(isOurs: Bool)
  /// A message does not open: another password, or somebody in between.
  case notAuthentic(isFirst: Bool)
  /// A message is longer than allowed.
  case tooLong(length: Int)
  /// The features cannot be read.
  case features(String)
  /// A message was to be sent before the features came.
  case notReady

  /// A sentence for people.
  public var description: String { "" }
}
