// SPDX-License-Identifier: Apache-2.0

public import Sealing

/// The keys of one overlay of one connection, as of now.
public struct LinkSecurity: Sendable, Equatable {
  /// How packets are sealed, in both directions.
  public var suite: CipherSuite
  /// For what we send; nil as long as the other end has not chosen one.
  public var sealing: FrameKey?
  /// For what the other end sends, the newest first: two at most.
  public var openings: [FrameKey]
  /// When the one for what we send was made.
  public var renewedAt: MeshInstant

  /// Describes keys.
  public init(
    suite: CipherSuite, sealing: FrameKey?, openings: [FrameKey], renewedAt: MeshInstant
  ) {
    self.suite = suite
    self.sealing = sealing
    self.openings = openings
    self.renewedAt = renewedAt
  }
}
