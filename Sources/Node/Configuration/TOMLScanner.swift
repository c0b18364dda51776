// SPDX-License-Identifier: Apache-2.0

/// Walks over a TOML text and notes the line of everything that has a path.
///
/// It leaves judging to the library: what is not TOML is skipped to the end of its line. Every loop
/// advances, recursion ends at `TOMLPositions.depthMax`, so any bytes are read in bounded time.
struct TOMLScanner {
  private(set) var positions = TOMLPositions()

  private let bytes: [UInt8]
  private var offset = 0
  private var line = 1
  /// The section that keys are in.
  private var section: TOMLPath = []
  /// How many elements each array of tables has so far.
  private var tableCounts: [TOMLPath: Int] = [:]

  init(_ text: String) {
    bytes = Array(text.utf8)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  /// Reads the text to its end, or to the first thing that must not reach the library.
  mutating func scan() {
    if let nul = bytes.firstIndex(of: 0) {
      let before = bytes[..<nul]
      let column = nul - (before.lastIndex(of: newline) ?? -1)
      let line = before.count { $0 == newline } + 1
      positions.report(line: line, column: column, "holds a NUL byte, which text cannot")
    }
    skipBlank(acrossLines: true)
    while offset < bytes.count, positions.problem == nil {
      scanStatement()
      skipLine()
      skipBlank(acrossLines: true)
    }
  }

  private mutating func scanStatement() {
    let start = line
    if take("[") {
      let isRepeated = take("[")
      guard let keys = scanKeys() else { return }
      openSection(keys, isRepeated: isRepeated, line: start)
    } else {
      scanPair(in: section)
    }
  }

  private mutating func openSection(_ keys: [String], isRepeated: Bool, line: Int) {
    var path: TOMLPath = []
    for (index, key) in keys.enumerated() {
      path.append(.key(key))
      let isLast = index == keys.count - 1
      if isLast && isRepeated {
        tableCounts[path, default: 0] += 1
        if tableCounts[path] == 1 { positions.record(path, line: line, isHeader: true) }
      }
      if let count = tableCounts[path], isRepeated || !isLast {
        path.append(.index(count - 1))
      }
    }
    section = path
    positions.record(path, line: line, isHeader: true)
  }

  /// Reads `key = value`.
  private mutating func scanPair(in table: TOMLPath) {
    let start = line
    guard let keys = scanKeys() else { return }
    let path = table + keys.map { .key($0) }
    skipBlank(acrossLines: false)
    guard take("=") else { return }
    positions.record(path, line: start)
    skipBlank(acrossLines: false)
    scanValue(at: path)
  }

  private mutating func scanValue(at path: TOMLPath) {
    guard positions.problem == nil else { return }
    if take("[") {
      scanArray(at: path)
    } else if take("{") {
      scanInlineTable(at: path)
    } else if peek == quote || peek == apostrophe {
      skipString()
    } else {
      skipPlain(until: [comma, closingBracket, closingBrace, hash, newline])
    }
  }

  private mutating func scanArray(at path: TOMLPath) {
    var index = 0
    skipBlank(acrossLines: true)
    while let next = peek, next != closingBracket, positions.problem == nil {
      let before = offset
      let element = path + [.index(index)]
      positions.record(element, line: line)
      scanValue(at: element)
      skipBlank(acrossLines: true)
      if !take(","), peek != closingBracket { return }
      guard offset > before else { return }
      index += 1
      skipBlank(acrossLines: true)
    }
    _ = take("]")
  }

  private mutating func scanInlineTable(at path: TOMLPath) {
    skipBlank(acrossLines: true)
    while let next = peek, next != closingBrace, positions.problem == nil {
      let before = offset
      scanPair(in: path)
      skipBlank(acrossLines: true)
      if !take(","), peek != closingBrace { return }
      guard offset > before else { return }
      skipBlank(acrossLines: true)
    }
    _ = take("}")
  }
}

// MARK: - Words

extension TOMLScanner {
  /// Reads keys joined by dots; nil if there is none or they are too many.
  private mutating func scanKeys() -> [String]? {
    var keys: [String] = []
    repeat {
      skipBlank(acrossLines: false)
      guard let key = scanKey() else { return nil }
      guard keys.count < TOMLPositions.depthMax else {
        positions.report(line: line, "is nested deeper than \(TOMLPositions.depthMax) levels")
        return nil
      }
      keys.append(key)
      skipBlank(acrossLines: false)
    } while take(".")
    return keys
  }

  private mutating func scanKey() -> String? {
    if peek == quote || peek == apostrophe { return skipString() }
    let start = offset
    skipPlain(until: [
      space, tab, dot, equals, quote, apostrophe, comma, openingBracket, closingBracket,
      openingBrace, closingBrace, hash, newline,
    ])
    return start < offset ? String(decoding: bytes[start..<offset], as: UTF8.self) : nil
  }

  /// Skips a string of any of the four kinds, and returns what a key of that text would be.
  @discardableResult
  private mutating func skipString() -> String {
    guard let delimiter = peek else { return "" }
    let isLong = bytes[offset...].prefix(3).elementsEqual([delimiter, delimiter, delimiter])
    offset += isLong ? 3 : 1
    let start = offset
    while let byte = peek, isLong || byte != newline {
      if byte == delimiter, endsString(delimiter, isLong: isLong) { break }
      if byte == newline { line += 1 }
      if byte == backslash, delimiter == quote { noteEscape() } else { offset += 1 }
    }
    let content = bytes[start..<offset]
    offset = min(offset + (isLong ? 3 : 1), bytes.count)
    return delimiter == quote && content.contains(backslash)
      ? unescaped(content) : String(decoding: content, as: UTF8.self)
  }

  /// A long string may end in up to two more of its delimiters, which belong to it.
  private mutating func endsString(_ delimiter: UInt8, isLong: Bool) -> Bool {
    guard isLong else { return true }
    let run = bytes[offset...].prefix(5).prefix { $0 == delimiter }.count
    guard run >= 3 else { return false }
    offset += run - 3
    return true
  }

  /// Passes a backslash and the byte after it; a NUL in disguise is as bad as a plain one.
  private mutating func noteEscape() {
    let digits = bytes[offset...].dropFirst(2)
    let length =
      switch bytes[offset...].dropFirst().first {
      case UInt8(ascii: "x"): 2
      case UInt8(ascii: "u"): 4
      case UInt8(ascii: "U"): 8
      default: 0
      }
    if length > 0, digits.count >= length,
      digits.prefix(length).allSatisfy({ $0 == UInt8(ascii: "0") })
    {
      positions.report(line: line, "holds an escaped NUL, which text cannot")
    }
    if bytes[offset...].dropFirst().first == newline { line += 1 }
    offset = min(offset + 2, bytes.count)
  }

  private func unescaped(_ content: ArraySlice<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    var rest = Substring(decoding: content, as: UTF8.self).unicodeScalars
    while let scalar = rest.popFirst() {
      guard scalar == "\\", let kind = rest.popFirst() else {
        text.append(scalar)
        continue
      }
      let length: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
      if let length = length[kind] {
        let digits = String(rest.prefix(length))
        rest.removeFirst(min(length, rest.count))
        text.append(UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) ?? "\u{FFFD}")
      } else {
        let plain: [Unicode.Scalar: Unicode.Scalar] = [
          "b": "\u{8}", "t": "\t", "n": "\n", "f": "\u{C}", "r": "\r", "e": "\u{1B}",
        ]
        text.append(plain[kind] ?? kind)
      }
    }
    return String(text)
  }
}

// MARK: - Bytes

extension TOMLScanner {
  private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: scalar) else { return false }
    offset += 1
    return true
  }

  private mutating func skipBlank(acrossLines: Bool) {
    while let byte = peek {
      if byte == hash, acrossLines {
        skipPlain(until: [newline])
      } else if byte == newline, acrossLines {
        line += 1
        offset += 1
      } else if byte == space || byte == tab || byte == carriageReturn {
        offset += 1
      } else {
        return
      }
    }
  }

  private mutating func skipLine() {
    skipPlain(until: [newline])
    if peek == newline {
      offset += 1
      line += 1
    }
  }

  private mutating func skipPlain(until ends: [UInt8]) {
    while let byte = peek, !ends.contains(byte) { offset += 1 }
  }
}

private let tab = UInt8(ascii: "\t")
private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
private let space = UInt8(ascii: " ")
private let quote = UInt8(ascii: "\"")
private let apostrophe = UInt8(ascii: "'")
private let backslash = UInt8(ascii: "\\")
private let hash = UInt8(ascii: "#")
private let comma = UInt8(ascii: ",")
private let dot = UInt8(ascii: ".")
private let equals = UInt8(ascii: "=")
private let openingBracket = UInt8(ascii: "[")
private let closingBracket = UInt8(ascii: "]")
private let openingBrace = UInt8(ascii: "{")
private let closingBrace = UInt8(ascii: "}")
