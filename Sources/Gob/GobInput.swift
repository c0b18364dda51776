// SPDX-License-Identifier: Apache-2.0

/// Takes numbers and bytes off a stream, up to the end of the message that is being read.
struct GobInput: Sendable {
  private let stream: [UInt8]
  /// The next byte to read.
  private(set) var position = 0
  /// Where the message ends; between messages, where the stream ends.
  private var end: Int
  /// The ends that hold again when what `enter` began is over.
  private var outerEnds: [Int] = []

  init(_ stream: [UInt8]) {
    self.stream = stream
    end = stream.count
  }

  var remaining: Int { end - position }

  /// Whether what is being read is a message, and no part of one with a length of its own.
  var isMessage: Bool { outerEnds.count == 1 }

  /// An error at the next byte.
  func malformed(_ what: String) -> GobError { GobError(.malformed(what), offset: position) }

  /// An error at the next byte.
  func tooLarge(_ what: String) -> GobError { GobError(.tooLarge(what), offset: position) }

  private var overrun: GobError {
    end == stream.count
      ? GobError(.truncated, offset: position) : malformed("a value longer than its message")
  }

  mutating func byte() throws(GobError) -> UInt8 {
    guard position < end else { throw overrun }
    defer { position += 1 }
    return stream[position]
  }

  /// A number up to 127 is its byte; otherwise a byte tells how many follow, from 255 for one.
  mutating func uint() throws(GobError) -> UInt64 {
    let first = try byte()
    guard first > 127 else { return UInt64(first) }
    let count = 256 - Int(first)
    guard count <= 8 else { throw malformed("a number of \(count) bytes") }
    guard count <= remaining else { throw overrun }
    let number = stream[position..<position + count].reduce(0) { $0 << 8 | UInt64($1) }
    position += count
    return number
  }

  /// The lowest bit says whether all others are inverted.
  mutating func int() throws(GobError) -> Int64 {
    let bits = try uint()
    let half = Int64(bits >> 1)
    return bits & 1 == 0 ? half : ~half
  }

  /// The most significant bytes, which vary most, come last.
  mutating func float() throws(GobError) -> Double {
    Double(bitPattern: try uint().byteSwapped)
  }

  /// How many things follow, each of at least `size` bytes.
  mutating func count(size: Int = 1) throws(GobError) -> Int {
    let count = try uint()
    guard count <= UInt64(remaining / size) else { throw overrun }
    return Int(count)
  }

  /// That many bytes after their count.
  mutating func bytes(lengthMax: Int) throws(GobError) -> ArraySlice<UInt8> {
    let count = try count()
    guard count <= lengthMax else { throw tooLarge("text of \(count) bytes") }
    defer { position += count }
    return stream[position..<position + count]
  }

  /// Confines what follows to a number of bytes, which are there.
  mutating func enter(_ length: Int) {
    outerEnds.append(end)
    end = position + length
  }

  /// Passes over what is left of what `enter` began.
  mutating func skip() { position = end }

  /// Ends what `enter` began; all of it must have been read.
  mutating func leave() throws(GobError) {
    guard position == end else { throw malformed("\(remaining) bytes after a value") }
    end = outerEnds.popLast() ?? stream.count
  }
}
