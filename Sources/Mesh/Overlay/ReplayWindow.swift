// SPDX-License-Identifier: Apache-2.0

/// Remembers which numbers were seen, so that none is taken twice.
///
/// It slides with the highest number: of the last 16,384 every one is known, older ones count as
/// seen. Weave keeps between 2²⁰ and 2²¹ numbers in up to 256 KiB; what this window serves is
/// liveness, and a heartbeat that 16,000 others overtook says nothing new. 2 KiB, taken when the
/// first number comes (the ring of words is that of RFC 6479).
struct ReplayWindow: Sendable {
  /// Numbers that may be late.
  static let length: UInt64 = 16_384

  // One word more than `length` needs: the newest is partly used.
  private static let wordCount = UInt64(ReplayWindow.length / 64 + 1)

  private var words: [UInt64] = []
  private var highest: UInt64 = 0

  /// Marks a number as seen; false if it was already, or is too old to tell.
  mutating func insert(_ number: UInt64) -> Bool {
    if words.isEmpty { words = [UInt64](repeating: 0, count: Int(ReplayWindow.wordCount)) }
    if number > highest {
      slide(to: number)
    } else if highest - number >= ReplayWindow.length {
      return false
    }
    let word = Int(number / 64 % ReplayWindow.wordCount)
    let bit = UInt64(1) << (number % 64)
    guard words[word] & bit == 0 else { return false }
    words[word] |= bit
    return true
  }

  /// Makes a number the highest one and forgets what the words it needs said before.
  private mutating func slide(to number: UInt64) {
    let count = min(number / 64 - highest / 64, ReplayWindow.wordCount)
    for step in 0..<count {
      words[Int((number / 64 - step) % ReplayWindow.wordCount)] = 0
    }
    highest = number
  }
}
