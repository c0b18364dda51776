// SPDX-License-Identifier: Apache-2.0

// The only file that knows the TOML library, so that it can be replaced.

import TOMLKit

/// A value of a TOML file, reduced to what a configuration can hold.
enum TOMLNode: Equatable, Sendable {
  case text(String)
  case integer(Int)
  case decimal(Double)
  case boolean(Bool)
  /// A date, a time or both; no key takes one, so its content is of no interest.
  case moment
  case array([TOMLNode])
  case table([String: TOMLNode])
}

/// Why a text is not TOML, and where.
struct TOMLSyntaxError: Error, Equatable {
  /// Counted from one; nil if it concerns the whole text.
  let line: Int?
  /// Counted from one.
  let column: Int?
  /// What was found and what would have been right.
  let message: String
}

/// Reads a whole TOML text.
///
/// The library works on C strings, so a NUL would silently end the file or shorten a value, and it
/// recurses, so deep nesting would exhaust the stack. `TOMLPositions` looks for both beforehand.
/// The library never frees what it parsed; a daemon reads its file once.
func parseTOML(
  _ text: String, positions: TOMLPositions
) throws(TOMLSyntaxError) -> [String: TOMLNode] {
  if let problem = positions.problem { throw problem }
  do {
    return members(of: try TOMLTable(string: text))
  } catch let error as TOMLParseError {
    let begin = error.source.begin
    throw TOMLSyntaxError(line: begin.line, column: begin.column, message: error.description)
  } catch {
    throw TOMLSyntaxError(line: nil, column: nil, message: "is not TOML: \(error)")
  }
}

/// Looks each key up, where the library's own iterator would trap on one that it cannot find again.
private func members(of table: TOMLTable) -> [String: TOMLNode] {
  var nodes: [String: TOMLNode] = [:]
  for key in table.keys {
    if let value = table[key] { nodes[key] = node(of: value.tomlValue) }
  }
  return nodes
}

private func node(of value: TOMLValue) -> TOMLNode {
  switch value.type {
  case .table: .table(value.table.map(members(of:)) ?? [:])
  case .array: .array(value.array.map { array in array.map { node(of: $0.tomlValue) } } ?? [])
  case .string: .text(value.string ?? "")
  case .int: .integer(value.int ?? 0)
  case .double: .decimal(value.double ?? 0)
  case .bool: .boolean(value.bool ?? false)
  case .date, .time, .dateTime: .moment
  }
}
