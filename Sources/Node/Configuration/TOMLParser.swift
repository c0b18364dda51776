// SPDX-License-Identifier: Apache-2.0

/// Reads TOML 1.0, strictly, and notes the line of every value.
///
/// Any text is read in time proportional to its length; nesting ends at `depthMax`. Why there is a
/// reader of our own is told in `docs/decisions/001-toml-reader.md`. Its parts: sections and keys
/// here, strings and plain values in two extensions, the cursor below.
struct TOMLParser {
  /// The deepest nesting of values and the longest dotted key; ours need three levels.
  static let depthMax = 32

  let bytes: [UInt8]
  var offset = 0
  var line = 1
  var depth = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
    // A byte order mark is allowed and means nothing.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  /// The members of the table that is the file.
  mutating func parse() throws(TOMLSyntaxError) -> [String: TOMLNode] {
    let root = TOMLSection(line: 1, origin: .header)
    var section = root
    try skipLines()
    while peek != nil {
      if take("[") {
        section = try header(root)
      } else {
        try pair(in: section)
      }
      skipBlank()
      try endOfLine()
      try skipLines()
    }
    return root.members.mapValues(\.node)
  }

  /// Reads the rest of `[a.b]` or `[[a.b]]`, and returns the section that it opens.
  private mutating func header(_ root: TOMLSection) throws(TOMLSyntaxError) -> TOMLSection {
    let isRepeated = take("[")
    let start = line
    skipBlank()
    var parts = try keys()
    let name = parts.popLast() ?? ""
    try expect("]", "to close the section's name")
    if isRepeated { try expect("]", "as this section began with two") }
    var section = root
    for part in parts {
      section = try unlessTaken(section.entered(by: part, line: start), part, in: section)
    }
    return isRepeated
      ? try unlessTaken(section.appended(to: name, line: start), name, in: section)
      : try unlessTaken(section.opened(by: name, line: start), name, in: section)
  }

  /// Reads `a.b = value`.
  mutating func pair(in table: TOMLSection) throws(TOMLSyntaxError) {
    let start = line
    var parts = try keys()
    skipBlank()
    try expect("=", "after the key")
    skipBlank()
    let value = TOMLNode(line: start, content: try content())
    var section = table
    let name = parts.popLast() ?? ""
    for part in parts {
      section = try unlessTaken(section.dotted(by: part, line: start), part, in: section)
    }
    guard section.members[name] == nil else { throw alreadyThere(name, in: section) }
    section.members[name] = .value(value)
  }

  private func unlessTaken(
    _ section: TOMLSection?, _ name: String, in parent: TOMLSection
  ) throws(TOMLSyntaxError) -> TOMLSection {
    guard let section else { throw alreadyThere(name, in: parent) }
    return section
  }

  private func alreadyThere(_ name: String, in section: TOMLSection) -> TOMLSyntaxError {
    let first = section.members[name]?.line ?? line
    return failure("\(Quoted.key(name)) is already there, in line \(first)")
  }

  /// Reads keys joined by dots; there is at least one.
  private mutating func keys() throws(TOMLSyntaxError) -> [String] {
    var keys = [try key()]
    skipBlank()
    while take(".") {
      guard keys.count < Self.depthMax else { throw tooDeep() }
      skipBlank()
      keys.append(try key())
      skipBlank()
    }
    return keys
  }

  private mutating func key() throws(TOMLSyntaxError) -> String {
    if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") { return try string(isKey: true) }
    let start = offset
    while let byte = peek, Quoted.isBare(byte) { offset += 1 }
    guard start < offset else {
      throw failure("a name must stand here (letters, digits, _ and -), not \(found)")
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }
}

// MARK: - The cursor

extension TOMLParser {
  var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: scalar) else { return false }
    offset += 1
    return true
  }

  /// Passes `run` if it comes next.
  mutating func take(run: String) -> Bool {
    guard bytes[offset...].starts(with: run.utf8) else { return false }
    offset += run.utf8.count
    return true
  }

  mutating func expect(_ scalar: Unicode.Scalar, _ place: String) throws(TOMLSyntaxError) {
    guard take(scalar) else {
      throw failure("\"\(scalar)\" must stand here \(place), not \(found)")
    }
  }

  mutating func skipBlank() {
    while peek == UInt8(ascii: " ") || peek == UInt8(ascii: "\t") { offset += 1 }
  }

  /// Passes a line's end, in either of its two spellings.
  mutating func takeNewline() -> Bool {
    guard take(run: "\n") || take(run: "\r\n") else { return false }
    line += 1
    return true
  }

  /// Passes blanks, comments and empty lines.
  mutating func skipLines() throws(TOMLSyntaxError) {
    repeat {
      skipBlank()
      try skipComment()
    } while takeNewline()
  }

  private mutating func skipComment() throws(TOMLSyntaxError) {
    guard peek == UInt8(ascii: "#") else { return }
    while let byte = peek, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
      try refuseControl(byte)
      offset += 1
    }
  }

  private mutating func endOfLine() throws(TOMLSyntaxError) {
    try skipComment()
    guard peek == nil || takeNewline() else {
      throw failure("the line must end here, not go on with \(found)")
    }
  }

  /// Comments and strings hold no control character but the tabulator.
  func refuseControl(_ byte: UInt8) throws(TOMLSyntaxError) {
    if byte < 32 && byte != UInt8(ascii: "\t") || byte == 127 {
      throw failure("\(found) may not stand here")
    }
  }

  func failure(_ message: String) -> TOMLSyntaxError {
    let start = bytes[..<offset].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    // Continuation bytes are not characters of their own.
    let column = bytes[start..<offset].count { $0 & 0xC0 != 0x80 } + 1
    return TOMLSyntaxError(line: line, column: column, message: message)
  }

  func tooDeep() -> TOMLSyntaxError {
    failure("nesting deeper than \(Self.depthMax) levels is refused")
  }

  /// What comes next, as one says it.
  var found: String {
    guard let byte = peek else { return "the end of the file" }
    if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { return "the end of the line" }
    let next = String(decoding: bytes[offset...].prefix(4), as: UTF8.self)
    if byte < 32 || byte == 127 { return "control character \(byte)" }
    return Quoted.text(String(next.prefix(1)))
  }
}
