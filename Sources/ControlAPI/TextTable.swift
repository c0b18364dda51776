// SPDX-License-Identifier: Apache-2.0

/// Rows of text in columns that line up, for terminals.
///
/// A column is as wide as its widest cell. The last one is not padded, so that no line ends in
/// spaces.
package struct TextTable {
  /// Where a cell stands in its column.
  package enum Alignment {
    /// Names.
    case left
    /// Numbers.
    case right
  }

  private let alignments: [Alignment]
  private let separator: String
  private var rows: [[String]]

  /// A table without rows; there is a column for each alignment.
  package init(_ alignments: [Alignment], separator: String = "  ") {
    self.alignments = alignments
    self.separator = separator
    self.rows = []
  }

  /// A table that begins with a row of titles.
  package init(columns: [(title: String, alignment: Alignment)]) {
    self.init(columns.map(\.alignment))
    rows = [columns.map(\.title)]
  }

  /// Columns that a row can have.
  var columnCount: Int { alignments.count }

  /// Adds a row; cells without a column are left out, missing ones are empty.
  package mutating func append(_ cells: [String]) {
    rows.append(cells.map(TextTable.printable))
  }

  /// The lines, each behind `indent`, with columns at least as wide as `minimum` says.
  package func lines(indent: String = "", minimum: [Int] = []) -> [String] {
    let widths = alignments.indices.map { column in
      let widest = rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
      return max(widest, column < minimum.count ? minimum[column] : 0)
    }
    return rows.map { row in
      let cells = zip(zip(row, widths), alignments).map { pad($0.0, to: $0.1, $1) }
      return (indent + cells.joined(separator: separator)).trimmingTrailingSpaces
    }
  }

  private func pad(_ cell: String, to width: Int, _ alignment: Alignment) -> String {
    let spaces = String(repeating: " ", count: max(0, width - cell.count))
    return alignment == .left ? cell + spaces : spaces + cell
  }

  /// The text with control characters replaced, and those that turn or break lines, so that a name
  /// cannot steer the terminal.
  static func printable(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: scalars.append("?")
      default: scalars.append(scalar)
      }
    }
    return String(scalars)
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)])
  }
}
