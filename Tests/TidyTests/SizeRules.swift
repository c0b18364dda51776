// SPDX-License-Identifier: Apache-2.0

enum SizeRules {
  static let fileLinesMax = 500
  static let functionLinesMax = 60
  static let columnsMax = 100
  static let trackedBytesMax = 256 * 1024

  /// Larger files that are there for a reason, with the reason.
  static let largeFiles: [String: String] = [:]

  static let fileLength: Rule = { file in
    // A test's table is read by looking up a line, not from the top.
    guard !(file.isTest && file.name.hasSuffix("Table.swift")) else { return [] }
    let count = file.lines.count - (file.text?.hasSuffix("\n") == true ? 1 : 0)
    guard count > fileLinesMax else { return [] }
    return [
      Finding(
        path: file.path, line: fileLinesMax + 1,
        advice: "the file has \(count) lines; split it by topic, at most \(fileLinesMax)")
    ]
  }

  static let columns: Rule = { file in
    file.lines.enumerated().compactMap { index, line in
      guard line.unicodeScalars.count > columnsMax else { return nil }
      return Finding(
        path: file.path, line: index + 1,
        advice: "the line has \(line.unicodeScalars.count) columns; break it, at most \(columnsMax)"
      )
    }
  }

  static let functionLength: Rule = { file in
    SwiftFunction.all(in: SwiftCode(file.text ?? "")).compactMap { function in
      guard function.lineCount > functionLinesMax else { return nil }
      return Finding(
        path: file.path, line: function.line,
        advice: "\(function.name) has \(function.lineCount) lines; move a step of it into a "
          + "function with a name, at most \(functionLinesMax)")
    }
  }

  static let trackedLength: Rule = { file in
    guard file.length > trackedBytesMax, largeFiles[file.path] == nil else { return [] }
    return [
      Finding(
        path: file.path, line: 1,
        advice: "the file has \(file.length) bytes; generate it, or list it with its reason in "
          + "SizeRules.largeFiles")
    ]
  }
}

/// A function, initialiser or accessor with a body.
struct SwiftFunction: Equatable {
  let name: String
  /// Where it begins.
  let line: Int
  /// From there to its closing brace.
  let lineCount: Int

  /// All of them, the nested ones too.
  static func all(in code: SwiftCode) -> [SwiftFunction] {
    let introducers: Set = ["func", "init", "deinit", "subscript", "var"]
    var found: [SwiftFunction] = []
    let bytes = code.bytes
    var line = 1
    var offset = 0
    while offset < bytes.count {
      let start = offset
      while offset < bytes.count, SwiftCode.isPartOfWord(bytes[offset]) { offset += 1 }
      if start == offset {
        if bytes[offset] == UInt8(ascii: "\n") { line += 1 }
        offset += 1
        continue
      }
      let word = String(decoding: bytes[start..<offset], as: UTF8.self)
      let isMember = start > 0 && bytes[start - 1] == UInt8(ascii: ".")
      guard introducers.contains(word), !isMember,
        let body = body(after: offset, in: bytes, isVariable: word == "var")
      else { continue }
      let count = bytes[start..<body.upperBound].count { $0 == UInt8(ascii: "\n") } + 1
      found.append(SwiftFunction(name: name(word, bytes[offset...]), line: line, lineCount: count))
    }
    return found
  }

  private static func name(_ introducer: String, _ rest: ArraySlice<UInt8>) -> String {
    guard introducer == "func" || introducer == "var" else { return introducer }
    let word = rest.drop { $0 == UInt8(ascii: " ") }.prefix(while: SwiftCode.isPartOfWord)
    return word.isEmpty ? introducer : String(decoding: word, as: UTF8.self)
  }

  /// The braces of the body; nil if the declaration ends without one.
  private static func body(
    after start: Int, in bytes: [UInt8], isVariable: Bool
  ) -> ClosedRange<Int>? {
    var depth = 0
    for offset in start..<bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"):
        depth -= 1
        if depth < 0 { return nil }
      case UInt8(ascii: "{") where depth == 0:
        return closing(of: offset, in: bytes).map { offset...$0 }
      case UInt8(ascii: "}") where depth == 0, UInt8(ascii: ";") where depth == 0: return nil
      case UInt8(ascii: "=") where depth == 0 && isVariable: return nil
      case UInt8(ascii: "\n") where depth == 0 && endsDeclaration(offset, in: bytes, isVariable):
        return nil
      default: break
      }
    }
    return nil
  }

  /// Whether a declaration without a body ends with this line: a variable always does, a function
  /// unless its result, its effects or its constraints follow.
  private static func endsDeclaration(_ offset: Int, in bytes: [UInt8], _ isVariable: Bool) -> Bool
  {
    if isVariable { return true }
    let rest = bytes[offset...].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    let goesOn = ["{", "->", "where", "throws", "async", "rethrows"]
    let before = bytes[..<offset].last { $0 != UInt8(ascii: " ") }
    let isOpen = before == UInt8(ascii: ",") || before == UInt8(ascii: ">")
    return !isOpen && !goesOn.contains { rest.starts(with: $0.utf8) }
  }

  private static func closing(of opening: Int, in bytes: [UInt8]) -> Int? {
    var depth = 0
    for offset in opening..<bytes.count {
      if bytes[offset] == UInt8(ascii: "{") { depth += 1 }
      if bytes[offset] == UInt8(ascii: "}") {
        depth -= 1
        if depth == 0 { return offset }
      }
    }
    return nil
  }
}
