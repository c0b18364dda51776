// SPDX-License-Identifier: Apache-2.0

extension TOMLParser {
  /// Reads a value of any kind.
  mutating func content() throws(TOMLSyntaxError) -> TOMLNode.Content {
    switch peek {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return .text(try string(isKey: false))
    case UInt8(ascii: "["): return .array(try array())
    case UInt8(ascii: "{"): return try inlineTable()
    default: return try plain()
    }
  }

  /// Reads `[1, 2,]`, which may span lines.
  private mutating func array() throws(TOMLSyntaxError) -> [TOMLNode] {
    try descend()
    defer { depth -= 1 }
    var elements: [TOMLNode] = []
    try skipLines()
    while !take("]") {
      elements.append(TOMLNode(line: line, content: try content()))
      try skipLines()
      if take(",") {
        try skipLines()
      } else if peek != UInt8(ascii: "]") {
        throw failure("\",\" or \"]\" must stand here in the list, not \(found)")
      }
    }
    return elements
  }

  /// Reads `{ a = 1, b = 2 }`, which may neither span lines nor end in a comma.
  private mutating func inlineTable() throws(TOMLSyntaxError) -> TOMLNode.Content {
    try descend()
    defer { depth -= 1 }
    let section = TOMLSection(line: line, origin: .header)
    skipBlank()
    if take("}") { return section.node.content }
    while true {
      skipBlank()
      try pair(in: section)
      skipBlank()
      if take("}") { return section.node.content }
      guard take(",") else {
        throw failure("\",\" or \"}\" must stand here, on the same line, not \(found)")
      }
    }
  }

  /// Passes an opening bracket.
  private mutating func descend() throws(TOMLSyntaxError) {
    guard depth < Self.depthMax else { throw tooDeep() }
    depth += 1
    offset += 1
  }

  /// Reads a number, a truth value or a date.
  private mutating func plain() throws(TOMLSyntaxError) -> TOMLNode.Content {
    let start = offset
    skipWord()
    var word = String(decoding: bytes[start..<offset], as: UTF8.self)
    // Between a date and its time there may be a blank instead of a T.
    if looksLikeDate(word), word.utf8.count == 10, peek == UInt8(ascii: " "),
      bytes[offset...].dropFirst().first.map(isDigit) == true
    {
      offset += 1
      skipWord()
      word = String(decoding: bytes[start..<offset], as: UTF8.self)
    }
    if let content = plainContent(word) { return content }
    let end = offset
    offset = start
    guard start < end else { throw failure("a value must stand here, not \(found)") }
    if word.utf8.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }) {
      throw failure("\(Quoted.text(word)) is not a number TOML allows, or too large")
    }
    throw failure("\(Quoted.text(word)) is not a value; text needs quotes, numbers have no unit")
  }

  private mutating func skipWord() {
    let ends = Array(" \t\r\n,]}#".utf8)
    while let byte = peek, !ends.contains(byte) { offset += 1 }
  }
}

private func plainContent(_ word: String) -> TOMLNode.Content? {
  switch word {
  case "true": return .boolean(true)
  case "false": return .boolean(false)
  case "inf", "+inf": return .decimal(.infinity)
  case "-inf": return .decimal(-.infinity)
  case "nan", "+nan", "-nan": return .decimal(.nan)
  default: break
  }
  if looksLikeDate(word) || looksLikeTime(word) { return .moment }
  return integer(word).map { .integer($0) } ?? decimal(word).map { .decimal($0) }
}

private func integer(_ word: String) -> Int? {
  for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
    return digits(word.dropFirst(2), radix: radix).flatMap { Int($0, radix: radix) }
  }
  let unsigned = word.hasPrefix("+") || word.hasPrefix("-") ? word.dropFirst() : word[...]
  guard let digits = digits(unsigned, radix: 10), digits == "0" || !digits.hasPrefix("0")
  else { return nil }
  return Int(word.hasPrefix("-") ? "-\(digits)" : digits)
}

private func decimal(_ word: String) -> Double? {
  let unsigned = word.hasPrefix("+") || word.hasPrefix("-") ? word.dropFirst() : word[...]
  let halves = unsigned.split(maxSplits: 1, omittingEmptySubsequences: false) {
    $0 == "e" || $0 == "E"
  }
  guard let mantissa = halves.first else { return nil }
  let parts = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
  guard let whole = parts.first.flatMap({ digits($0, radix: 10) }),
    whole == "0" || !whole.hasPrefix("0"), halves.count + parts.count > 2,
    parts.dropFirst().allSatisfy({ digits($0, radix: 10) != nil }),
    halves.dropFirst().allSatisfy({ exponent in
      let sign = exponent.hasPrefix("+") || exponent.hasPrefix("-")
      return digits(sign ? exponent.dropFirst() : exponent, radix: 10) != nil
    })
  else { return nil }
  return Double(word.filter { $0 != "_" })
}

/// The digits without the underscores that may stand between two of them; nil if it is not that.
private func digits(_ text: Substring, radix: Int) -> String? {
  let groups = text.split(separator: "_", omittingEmptySubsequences: false)
  let areDigits = groups.allSatisfy { group in
    !group.isEmpty
      && group.allSatisfy { $0.isASCII && ($0.hexDigitValue.map { $0 < radix } ?? false) }
  }
  return areDigits ? groups.joined() : nil
}

private func isDigit(_ byte: UInt8) -> Bool { 48...57 ~= byte }

/// `1979-05-27`, and whatever of a time and an offset may follow.
///
/// Not looked at any closer: no key takes a date, so none is accepted in the end.
private func looksLikeDate(_ word: String) -> Bool {
  matches(word, "dddd-dd-dd") && word.utf8.dropFirst(10).allSatisfy(isOfTime)
}

/// `07:32`, and whatever of seconds may follow.
private func looksLikeTime(_ word: String) -> Bool {
  matches(word, "dd:dd") && word.utf8.dropFirst(5).allSatisfy(isOfTime)
}

private func isOfTime(_ byte: UInt8) -> Bool {
  isDigit(byte) || "Tt Zz:+-.".utf8.contains(byte)
}

/// Whether `word` begins like `pattern`, where d is any digit.
private func matches(_ word: String, _ pattern: String) -> Bool {
  word.utf8.count >= pattern.utf8.count
    && zip(word.utf8, pattern.utf8).allSatisfy { byte, expected in
      expected == UInt8(ascii: "d") ? isDigit(byte) : byte == expected
    }
}
