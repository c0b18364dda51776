// SPDX-License-Identifier: Apache-2.0

extension TOMLParser {
  /// Reads a string of any of the four kinds; a key must be one of the two short ones.
  mutating func string(isKey: Bool) throws(TOMLSyntaxError) -> String {
    if take(run: "\"\"\"") { return try long(UInt8(ascii: "\""), isKey: isKey) }
    if take(run: "'''") { return try long(UInt8(ascii: "'"), isKey: isKey) }
    let delimiter: UInt8 = take("'") ? UInt8(ascii: "'") : UInt8(ascii: "\"")
    if delimiter == UInt8(ascii: "\"") { offset += 1 }
    var content: [UInt8] = []
    while let byte = peek, byte != delimiter {
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
      try appendNext(to: &content, delimiter: delimiter)
    }
    guard peek == delimiter else {
      throw failure("the closing quotation mark is missing before \(found)")
    }
    offset += 1
    return String(decoding: content, as: UTF8.self)
  }

  private mutating func long(
    _ delimiter: UInt8, isKey: Bool
  ) throws(TOMLSyntaxError) -> String {
    guard !isKey else { throw failure("a key may not be text of several lines") }
    var content: [UInt8] = []
    _ = takeNewline()
    while peek != nil {
      let run = bytes[offset...].prefix(5).prefix { $0 == delimiter }.count
      if run >= 3 {
        // Up to two more of the delimiters belong to the text.
        content += repeatElement(delimiter, count: run - 3)
        offset += run
        return String(decoding: content, as: UTF8.self)
      }
      if takeNewline() {
        content.append(UInt8(ascii: "\n"))
      } else if delimiter == UInt8(ascii: "\""), takeLineContinuation() {
        skipBlankLines()
      } else {
        try appendNext(to: &content, delimiter: delimiter)
      }
    }
    throw failure("the three closing quotation marks are missing")
  }

  /// Reads one character, or one escape where they are allowed.
  private mutating func appendNext(
    to content: inout [UInt8], delimiter: UInt8
  ) throws(TOMLSyntaxError) {
    guard let byte = peek else { return }
    if byte == UInt8(ascii: "\\"), delimiter == UInt8(ascii: "\"") {
      content += Array(String(try escape()).utf8)
    } else {
      try refuseControl(byte)
      content.append(byte)
      offset += 1
    }
  }

  private mutating func escape() throws(TOMLSyntaxError) -> Unicode.Scalar {
    let plain: [UInt8: Unicode.Scalar] = [
      UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "t"): "\t", UInt8(ascii: "n"): "\n",
      UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "r"): "\r", UInt8(ascii: "\""): "\"",
      UInt8(ascii: "\\"): "\\",
    ]
    let kind = bytes[offset...].dropFirst().first ?? 0
    if let scalar = plain[kind] {
      offset += 2
      return scalar
    }
    let length = kind == UInt8(ascii: "u") ? 4 : kind == UInt8(ascii: "U") ? 8 : 0
    let digits = bytes[offset...].dropFirst(2).prefix(length)
    let isHexadecimal = digits.allSatisfy {
      Character(Unicode.Scalar($0)).isHexDigit && $0 < 128
    }
    guard length > 0, digits.count == length, isHexadecimal,
      let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
      let scalar = Unicode.Scalar(number)
    else {
      throw failure(
        "this backslash begins no escape TOML knows; write \\\\ for a backslash, or '…' around "
          + "the text")
    }
    offset += 2 + length
    return scalar
  }

  /// Passes a backslash that has nothing but blanks between it and the end of its line.
  private mutating func takeLineContinuation() -> Bool {
    guard peek == UInt8(ascii: "\\") else { return false }
    let rest = bytes[offset...].dropFirst().drop {
      $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t")
    }
    guard rest.starts(with: [10]) || rest.starts(with: [13, 10]) else { return false }
    offset = rest.startIndex
    return true
  }

  private mutating func skipBlankLines() {
    repeat { skipBlank() } while takeNewline()
  }
}
