// SPDX-License-Identifier: Apache-2.0

import ControlAPI
import Foundation

extension Report {
  /// The report for people: a line about the machine, a line for each measure.
  func text() -> String {
    var table = TextTable(columns: [
      ("MEASURE", .left), ("SIZE", .right), ("ENTRIES", .right), ("OURS", .right),
      ("THEIRS", .right), ("UNIT", .left), ("RATIO (SPREAD)", .left), ("PER CPU SECOND", .left),
      ("IDLE", .right), ("LOST", .right), ("AGAINST", .left),
    ])
    for measure in measures { table.append(measure.cells) }
    return (machine.lines + [""] + table.lines() + notes).joined(separator: "\n") + "\n"
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

  fileprivate var cells: [String] {
    [
      name, "\(size)", entries.map { "\($0)" } ?? "-", figure(ours), theirs.map(figure) ?? "-",
      unit, comparison, perCPUSecond.map(sides) ?? "-",
      idleBreaths.map { String(format: "%.1f %%", $0 * 100) } ?? "-", "\(lost)", against ?? "-",
    ]
  }

  /// The ratio with its spread, or how steady ours was if there is nothing to compare it with.
  private var comparison: String {
    if let ratio {
      return String(format: "%.2f (%.2f–%.2f)", ratio.median, ratio.min, ratio.max)
    }
    return range.map { "(\(figure($0.min))–\(figure($0.max)))" } ?? "-"
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
