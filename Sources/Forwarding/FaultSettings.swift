// SPDX-License-Identifier: Apache-2.0

/// How bad a port is made on purpose: what happens to frames right after they came from it.
///
/// For tests on kernels without such a device of their own, and for people who want to see what
/// their network does on a bad day. Each kind is decided for each frame by itself, so that a frame
/// may be truncated, corrupted, duplicated and late at once; a lost one is only lost.
public struct FaultSettings: BitwiseCopyable, Sendable, Hashable {
  /// Where the generator starts; the same frames in the same order meet the same faults.
  public var seed: UInt64
  /// Frames in a million that are dropped, as `DropReason.faultInjected`.
  public var loss: UInt32
  /// Frames in a million that arrive twice; the copy counts as `copied`.
  public var duplication: UInt32
  /// Frames in a million that are overtaken by one to eight later ones.
  public var reordering: UInt32
  /// Frames in a million of which one to three bytes are changed.
  public var corruption: UInt32
  /// Frames in a million that lose a part of their end.
  public var truncation: UInt32

  /// What a rate counts in; a rate of this much is every frame.
  @inlinable public static var scale: UInt32 { 1_000_000 }

  /// Rates in a million; what is not given does not happen.
  public init(
    seed: UInt64, loss: UInt32 = 0, duplication: UInt32 = 0, reordering: UInt32 = 0,
    corruption: UInt32 = 0, truncation: UInt32 = 0
  ) {
    self.seed = seed
    self.loss = loss
    self.duplication = duplication
    self.reordering = reordering
    self.corruption = corruption
    self.truncation = truncation
  }

  /// Whether nothing happens to any frame.
  public var isNone: Bool { loss | duplication | reordering | corruption | truncation == 0 }

  /// The same rates with a seed for one queue of one port.
  ///
  /// Ports and queues with one seed in the configuration would else lose the same of their frames.
  public func derived(for port: PortIndex, queue: UInt32) -> FaultSettings {
    var derived = self
    let place = UInt64(port.number) << 32 | UInt64(queue)
    derived.seed = seed &+ place &* 0x9E37_79B9_7F4A_7C15
    return derived
  }
}
