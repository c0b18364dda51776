// SPDX-License-Identifier: Apache-2.0

/// Bytes that came and are not used up yet: those of one unfinished frame, and of the last read.
///
/// They take memory only once they are there. Each byte is moved a bounded number of times, as
/// only `compact` moves the rest, and all of the rest came with the last read.
struct LinkBuffer: Sendable {
  private var bytes: [UInt8] = []
  private var start = 0

  /// How many bytes wait.
  var count: Int { bytes.count - start }

  /// For how many bytes there is memory.
  var capacity: Int { bytes.capacity }

  /// The byte at a place among those that wait.
  subscript(index: Int) -> UInt8 { bytes[start + index] }

  /// Adds what was read.
  mutating func append(_ more: [UInt8]) {
    if bytes.isEmpty {
      bytes = more
    } else {
      bytes += more
    }
  }

  /// Takes bytes off the front; nil if fewer wait.
  mutating func take(_ length: Int) -> ArraySlice<UInt8>? {
    guard length <= count else { return nil }
    defer { start += length }
    return bytes[start..<start + length]
  }

  /// Lets go of what was taken; to be called once after each read.
  mutating func compact() {
    guard start > 0 else { return }
    bytes = Array(bytes[start...])
    start = 0
  }
}
