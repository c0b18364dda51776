// SPDX-License-Identifier: Apache-2.0

/// A step from a table or an array to what it contains.
enum TOMLPathStep: Hashable, Sendable {
  case key(String)
  case index(Int)
}

/// The way from the top of a file to a value.
typealias TOMLPath = [TOMLPathStep]

extension TOMLPath {
  /// The keys joined by dots, as in `workers.cores`; positions in arrays are left to the line.
  var dottedName: String {
    compactMap { step in
      guard case .key(let name) = step else { return nil }
      return Quoted.key(name)
    }.joined(separator: ".")
  }
}

/// The line of every key, section and array element of a TOML text.
///
/// The TOML library gives positions for syntax errors only. This is a second, much simpler reading
/// of the same text that keeps nothing but lines; `TOMLScanner` does it. It accepts any bytes, and
/// for valid TOML finds exactly the paths that the library finds.
struct TOMLPositions: Sendable {
  /// The longest path that is accepted; ours have at most three steps.
  static let depthMax = 32

  /// Positions kept; further values are reported at the line of what contains them.
  static let countMax = 10_000

  private(set) var lines: [TOMLPath: Int] = [:]

  /// Something that must not be handed to the library.
  private(set) var problem: TOMLSyntaxError?

  init() {}

  init(scanning text: String) {
    var scanner = TOMLScanner(text)
    scanner.scan()
    self = scanner.positions
  }

  /// The line of `path`, or of the nearest thing around it that has one.
  func line(of path: TOMLPath) -> Int? {
    var path = path[...]
    while !path.isEmpty {
      if let line = lines[TOMLPath(path)] { return line }
      path.removeLast()
    }
    return nil
  }

  /// Notes the line of `path`; what stands around it counts as begun there, if not before.
  mutating func record(_ path: TOMLPath, line: Int, isHeader: Bool = false) {
    guard path.count <= Self.depthMax else {
      report(line: line, "is nested deeper than \(Self.depthMax) levels")
      return
    }
    guard lines.count + path.count <= Self.countMax else { return }
    for length in path.indices.dropFirst() where lines[TOMLPath(path[..<length])] == nil {
      lines[TOMLPath(path[..<length])] = line
    }
    if isHeader || lines[path] == nil { lines[path] = line }
  }

  /// Keeps the first problem.
  mutating func report(line: Int, column: Int? = nil, _ message: String) {
    if problem == nil {
      problem = TOMLSyntaxError(line: line, column: column, message: message)
    }
  }
}
