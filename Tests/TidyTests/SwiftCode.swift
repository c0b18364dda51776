// SPDX-License-Identifier: Apache-2.0

/// Swift source with everything blanked that is not code: comments and quoted text.
///
/// Lines and columns stay; code inside an interpolation stays, too. A simple reading, not a parser:
/// it does not know regular expression literals.
struct SwiftCode {
  /// One byte for each of the source; newlines are where they were.
  private(set) var bytes: [UInt8]

  private let source: [UInt8]
  private var offset = 0

  init(_ text: String) {
    source = Array(text.utf8)
    bytes = source.map { $0 == newline ? newline : space }
    readCode(untilParenthesis: false)
  }

  /// The code's lines; the first has number one.
  var lines: [(number: Int, text: String)] {
    bytes.split(separator: newline, omittingEmptySubsequences: false).enumerated().map {
      ($0.offset + 1, String(decoding: $0.element, as: UTF8.self))
    }
  }

  private mutating func readCode(untilParenthesis: Bool) {
    var depth = 0
    while offset < source.count {
      if begins("//") {
        while offset < source.count, source[offset] != newline { offset += 1 }
      } else if begins("/*") {
        skipBlockComment()
      } else if let hashes = hashesBeforeQuote() {
        readString(hashes: hashes)
      } else {
        let byte = source[offset]
        if untilParenthesis, byte == UInt8(ascii: ")"), depth == 0 { return }
        if byte == UInt8(ascii: "(") { depth += 1 }
        if byte == UInt8(ascii: ")") { depth -= 1 }
        keep(1)
      }
    }
  }

  /// Block comments nest in Swift.
  private mutating func skipBlockComment() {
    var depth = 0
    repeat {
      if begins("/*") {
        depth += 1
        offset += 2
      } else if begins("*/") {
        depth -= 1
        offset += 2
      } else {
        offset += 1
      }
    } while depth > 0 && offset < source.count
  }

  /// Reads a literal of any kind; its quotation marks are kept.
  private mutating func readString(hashes: Int) {
    let marks = String(repeating: "#", count: hashes)
    keep(hashes)
    let delimiter = begins("\"\"\"") ? "\"\"\"" : "\""
    keep(delimiter.utf8.count)
    while offset < source.count {
      if begins(delimiter + marks) {
        keep(delimiter.utf8.count + hashes)
        return
      }
      if delimiter.utf8.count == 1, source[offset] == newline { return }
      if begins("\\\(marks)(") {
        offset += hashes + 1
        keep(1)
        readCode(untilParenthesis: true)
        if offset < source.count { keep(1) }
      } else if begins("\\\(marks)") {
        // What is escaped may be a quotation mark.
        offset = min(offset + hashes + 2, source.count)
      } else {
        offset += 1
      }
    }
  }

  private func hashesBeforeQuote() -> Int? {
    var end = offset
    while end < source.count, source[end] == UInt8(ascii: "#") { end += 1 }
    return end < source.count && source[end] == UInt8(ascii: "\"") ? end - offset : nil
  }

  private func begins(_ text: String) -> Bool { source[offset...].starts(with: text.utf8) }

  private mutating func keep(_ count: Int) {
    let end = min(offset + count, source.count)
    bytes.replaceSubrange(offset..<end, with: source[offset..<end])
    offset = end
  }
}

private let newline = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")

extension SwiftCode {
  /// The identifiers and keywords of a line, with the characters around each.
  static func words(of line: String) -> [Word] {
    var words: [Word] = []
    let bytes = Array(line.utf8)
    var offset = 0
    while offset < bytes.count {
      let start = offset
      while offset < bytes.count, isPartOfWord(bytes[offset]) { offset += 1 }
      if start < offset {
        words.append(
          Word(
            text: String(decoding: bytes[start..<offset], as: UTF8.self),
            before: start > 0 ? bytes[start - 1] : space,
            after: String(decoding: bytes[offset...].prefix(12), as: UTF8.self)))
      } else {
        offset += 1
      }
    }
    return words
  }

  struct Word {
    let text: String
    /// The byte before it; a blank at the beginning of the line.
    let before: UInt8
    /// A few characters that follow.
    let after: String
  }

  static func isPartOfWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...255:
      true
    default: false
    }
  }
}
