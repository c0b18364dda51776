// SPDX-License-Identifier: Apache-2.0

public import CIntrinsics

/// A row of 64-bit counters with one writer and any number of readers.
///
/// The writer brackets a change of several counters with `begin()` and `end()`; a reader that asks
/// for `values()` gets them as they were between two such changes. The bracket is a sequence number
/// that is odd while a change is under way, so the writer never waits; a reader tries again.
///
/// Proof of safety: the words are part of memory that whoever makes a block keeps mapped for the
/// block's life; indices are checked against `count`; every access is one aligned word.
@safe
public struct CounterBlock: @unchecked Sendable {
  @usableFromInline let words: UnsafeMutablePointer<UInt64>
  /// Counters in the block.
  public let count: Int

  /// Words a block of `count` counters takes, rounded up to cache lines.
  public static func wordCount(for count: Int) -> Int { (count + 1 + 7) & ~7 }

  /// Makes a block of `count` counters over `wordCount(for: count)` zeroed words.
  @unsafe
  public init(words: UnsafeMutablePointer<UInt64>, count: Int) {
    unsafe self.words = words
    self.count = count
  }

  /// Adds to one counter.
  ///
  /// Only the writer calls this.
  @inlinable
  @inline(__always)
  public func add(_ amount: UInt64, to index: Int) {
    assert(index >= 0 && index < count, "a counter of the block")
    let word = unsafe words + (index &+ 1)
    unsafe cintrinsics_store_relaxed_64(word, cintrinsics_load_relaxed_64(word) &+ amount)
  }

  /// Sets one counter.
  ///
  /// Only the writer calls this.
  @inlinable
  @inline(__always)
  public func set(_ value: UInt64, at index: Int) {
    assert(index >= 0 && index < count, "a counter of the block")
    unsafe cintrinsics_store_relaxed_64(words + (index &+ 1), value)
  }

  /// A change of several counters starts.
  @inlinable
  public func begin() {
    unsafe cintrinsics_store_relaxed_64(words, cintrinsics_load_relaxed_64(words) &+ 1)
    cintrinsics_fence_release()
  }

  /// The change is complete.
  @inlinable
  public func end() {
    unsafe cintrinsics_store_release_64(words, cintrinsics_load_relaxed_64(words) &+ 1)
  }

  /// One counter, as it is this instant.
  public func value(at index: Int) -> UInt64 {
    precondition(index >= 0 && index < count, "a counter of the block")
    return unsafe cintrinsics_load_relaxed_64(words + (index + 1))
  }

  /// All counters as they were between two changes.
  ///
  /// Nil if every one of `attempts` looks fell into a change, which a caller answers by waiting.
  public func values(attempts: Int = 1000) -> [UInt64]? {
    var values = Array(repeating: UInt64(0), count: count)
    for _ in 0..<attempts {
      let before = unsafe cintrinsics_load_acquire_64(words)
      if before & 1 == 1 {
        cintrinsics_pause()
        continue
      }
      for index in 0..<count { values[index] = value(at: index) }
      cintrinsics_fence_acquire()
      if unsafe cintrinsics_load_relaxed_64(words) == before { return values }
    }
    return nil
  }
}
