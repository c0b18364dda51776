// SPDX-License-Identifier: Apache-2.0

import ControlAPI
import Foundation

extension Report {
  /// The report for people: a line about the machine, a line for each measure.
  func text() -> String {
    (machine.lines + [""] + table.lines() + notes).joined(separator: "\n") + "\n"
  }

  /// A row for each measure, without the columns that no measure has anything for.
  private var table: TextTable {
    let rows = measures.map(\.cells)
    let columns = Measure.columns.indices.filter { column in
      rows.contains { $0[column] != Measure.nothing }
    }
    var table = TextTable(columns: columns.map { Measure.columns[$0] })
    for row in rows { table.append(columns.map { row[$0] }) }
    return table
  }

  /// What the figures alone would not tell.
  private var notes: [String] {
    var notes: [String] = []
    if measures.contains(where: { ($0.idleBreaths ?? 0) > Measure.idleBreathsMax }) {
      notes += [
        "", "Where IDLE is above 5 % the generator was the limit: the ratio is a lower bound.",
      ]
    }
    return notes
  }
}

extension Measure {
  /// From here on the generator was the limit, not the worker.
  static let idleBreathsMax = 0.05

  /// A cell for what does not apply.
  fileprivate static let nothing = "-"

  fileprivate static let columns: [(title: String, alignment: TextTable.Alignment)] = [
    ("MEASURE", .left), ("SIZE", .right), ("ENTRIES", .right), ("BATCH", .right),
    ("PEERS", .right), ("AGAINST", .left), ("OURS", .right), ("RANGE", .left), ("THEIRS", .right),
    ("UNIT", .left), ("RATIO", .left),
    ("PER CPU SECOND", .left), ("FORWARDER NS", .left), ("IDLE", .right), ("LOST", .right),
  ]

  fileprivate var cells: [String] {
    let cells: [String?] = [
      name, size.map { "\($0)" }, entries.map { "\($0)" }, batch.map { "\($0)" },
      peers.map { "\($0)" }, against, figure(ours),
      range.map { "\(figure($0.min)) to \(figure($0.max))" }, theirs.map(figure), unit,
      ratio.map { String(format: "%.2f (%.2f to %.2f)", $0.median, $0.min, $0.max) },
      perCPUSecond.map(sides), forwarderTime.map(sides),
      idleBreaths.map { String(format: "%.1f %%", $0 * 100) }, "\(lost)",
    ]
    return cells.map { $0 ?? Measure.nothing }
  }

  private func sides(_ sides: Sides) -> String {
    figure(sides.ours) + (sides.theirs.map { " : \(figure($0))" } ?? "")
  }
}

/// A figure with three to four digits that count.
func figure(_ value: Double) -> String {
  switch abs(value) {
  case 1e6...: String(format: "%.3f M", value / 1e6)
  case 1e4...: String(format: "%.1f k", value / 1e3)
  case 100...: String(format: "%.0f", value)
  default: String(format: "%.2f", value)
  }
}
