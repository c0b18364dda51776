// SPDX-License-Identifier: Apache-2.0

/// Keys, counters and replay windows of all links, shared by all workers without locks.
///
/// One thread adds and removes keys; any thread seals and opens, several of them at the same time
/// with one key. No number is given out twice, and nothing is opened twice.
@safe
public final class FrameKeys: @unchecked Sendable {
  /// Keys at a time.
  public static let capacity = 4096
  /// Stands for no key.
  public static let none: UInt16 = .max

  /// Maps the table; without memory from the kernel there is room for no key.
  public init() {}

  // MARK: For the control plane

  /// Adds a key; nil if there are too many.
  public func add(_ key: FrameKey) -> UInt16? { nil }

  /// Removes a key and zeroes it; to be called when no worker can come across it any more.
  public func remove(_ place: UInt16) {}

  /// What was done with the key at a place; zeros if there is none.
  public func counts(of place: UInt16) -> KeyCounts { KeyCounts() }

  // MARK: For the workers

  /// Seals the packets of a batch where they are in `memory`: writes number and tag, of ESP the SPI
  /// and the IV as well, and encrypts the text.
  ///
  /// Packets of a batch that have the same key are sealed together, with numbers in a row in their
  /// order. Whatever is not sealed stays as it was.
  @_lifetime(memory: copy memory)
  public func seal(_ batch: inout SealingBatch, in memory: inout MutableSpan<UInt8>) {}

  /// Opens the packets of a batch where they are in `memory`, each once.
  ///
  /// Of `key` and `formerKey` each packet says by which it is opened. The text of one that does not
  /// open is not to be used.
  @_lifetime(memory: copy memory)
  public func open(_ batch: inout SealingBatch, in memory: inout MutableSpan<UInt8>) {}
}
