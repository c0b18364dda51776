// SPDX-License-Identifier: Apache-2.0

/// What is taken from a neighbour over one link.
public struct LinkReception: Sendable, Equatable {
  /// Whether anything is, also as long as nothing can be sent.
  public var isReceiving = false
  /// Where the key is that opens it (`FrameKeys`); nil if it comes in clear.
  public var opening: UInt16?
  /// Where the key before that one is, as long as packets sealed with it may come.
  public var formerOpening: UInt16?
  /// By VXLAN: the SPIs of these keys.
  public var identifiers: [UInt32] = []

  /// Nothing is taken.
  public init() {}

  /// Says what is taken.
  public init(
    isReceiving: Bool, opening: UInt16? = nil, formerOpening: UInt16? = nil,
    identifiers: [UInt32] = []
  ) {
    self.isReceiving = isReceiving
    self.opening = opening
    self.formerOpening = formerOpening
    self.identifiers = identifiers
  }
}
