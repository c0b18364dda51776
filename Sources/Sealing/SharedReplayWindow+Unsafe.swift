// SPDX-License-Identifier: Apache-2.0

internal import CIntrinsics

/// Remembers which numbers were accepted, for several threads at once and without a lock.
///
/// Numbers go round: 16 in a row share a word, 1024 words are a round of 16,384 numbers. A word
/// has one bit for each of its 16 numbers and, above these, the round that they are of, plus one,
/// so that zero is a word that nobody touched. A number of a later round takes the word over; one
/// of an earlier round is refused, since what was seen of it is forgotten. A word changes in one
/// step and its round never falls, so that **no number is accepted twice**, whatever the order in
/// which threads come.
///
/// A number that follows the newest one by however much is accepted and moves only its own word. A
/// number that is not more than 16,368 behind the newest one is never too old. Weave remembers
/// 2^20 numbers in 256 KiB a connection; what is late by this much is of no use to TCP, and only
/// reordering within the window has to pass.
///
/// Why this is sound: whoever makes a window hands in `length` bytes of zeros, aligned to a word;
/// `word` is below `wordCount`. All accesses are atomic.
@safe
struct SharedReplayWindow: BitwiseCopyable {
  /// Bytes of a window.
  static let length = wordCount * 8
  /// The first number that is refused, for sealing as well: its round would not fit.
  static let numberLimit: UInt64 = (1 << 48 - 1) << 14

  private static let wordCount = 1024

  private let words: UnsafeMutablePointer<UInt64>

  @unsafe
  @inline(__always)
  init(at memory: UnsafeMutableRawPointer) {
    unsafe words = memory.assumingMemoryBound(to: UInt64.self)
  }

  /// Whether the number is new and not too old; to one thread only it is.
  @inline(__always)
  func accept(_ number: UInt64) -> Bool {
    guard number < SharedReplayWindow.numberLimit else { return false }
    let index = Int(truncatingIfNeeded: number >> 4) & (SharedReplayWindow.wordCount - 1)
    let word = unsafe words + index
    let round = (number >> 14) + 1
    let bit: UInt64 = 1 << (number & 15)
    var current = unsafe cintrinsics_load_relaxed_64(word)
    while true {
      let changed: UInt64
      if current >> 16 == round {
        guard current & bit == 0 else { return false }
        changed = current | bit
      } else {
        guard current >> 16 < round else { return false }
        changed = round << 16 | bit
      }
      let found = unsafe cintrinsics_compare_exchange_relaxed_64(word, current, changed)
      guard found != current else { return true }
      current = found
    }
  }
}
