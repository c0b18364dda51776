// SPDX-License-Identifier: Apache-2.0

/// A value of a TOML file, reduced to what a configuration can hold, and the line it is on.
package struct TOMLNode: Equatable, Sendable {
  /// Counted from one; that of the key or, in a list, of the element.
  package let line: Int
  /// What it is.
  package let content: Content

  /// The kinds of values a file can hold.
  package enum Content: Equatable, Sendable {
    /// A string of any spelling.
    case text(String)
    /// A whole number.
    case integer(Int)
    /// A number with a point or an exponent.
    case decimal(Double)
    /// True or false.
    case boolean(Bool)
    /// A date, a time or both; no key takes one, so which it is is of no interest.
    case moment
    /// A list, or the sections of one name.
    case array([TOMLNode])
    /// A section.
    case table([String: TOMLNode])
  }

  /// What a value is, for saying that it is the wrong thing.
  package var kind: String {
    switch content {
    case .text(let text): "\(Quoted.text(text)) is text"
    case .integer(let number): "\(number) is a number"
    case .decimal(let number): "\(number) is a decimal number"
    case .boolean(let flag): "\(flag) is a truth value"
    case .moment: "is a date or time"
    case .array: "is a list"
    case .table: "is a section"
    }
  }

  var isTable: Bool {
    if case .table = content { true } else { false }
  }
}

/// Why a text is not TOML, and where.
struct TOMLSyntaxError: Error, Equatable {
  /// Counted from one.
  let line: Int
  /// In characters, counted from one.
  let column: Int
  /// What was found and what would have been right.
  let message: String
}
