// SPDX-License-Identifier: Apache-2.0

/// Keeps peers and strangers from flooding the log: each kind has a budget of lines.
struct NoteLimiter: Sendable {
  /// Who makes us write a line.
  enum Cause: Int, CaseIterable, Sendable {
    /// Anybody who reaches our port.
    case strangers
    /// Those we are, or want to be, connected with.
    case peers
    /// The same, for what single messages of theirs lead to.
    case messages
  }

  private struct Budget: Sendable {
    var lines = NoteLimiter.lineCountMax
    var suppressed = 0
    var renewedAt: MeshInstant?
  }

  /// Lines that may be written at once; afterwards one each second.
  static let lineCountMax = 20

  private var budgets = [Budget](repeating: Budget(), count: Cause.allCases.count)

  /// Whether one more line may be written: then how many were not written since the last one,
  /// otherwise nil.
  mutating func admit(_ cause: Cause, now: MeshInstant) -> Int? {
    var budget = budgets[cause.rawValue]
    defer { budgets[cause.rawValue] = budget }
    let renewed = budget.renewedAt ?? now
    let seconds = renewed.duration(to: now).components.seconds
    if seconds > 0 {
      budget.lines = Int(min(Int64(budget.lines) + seconds, Int64(Self.lineCountMax)))
    }
    // What is left of a second counts towards the next line.
    budget.renewedAt = seconds > 0 ? renewed.advanced(by: .seconds(seconds)) : renewed
    guard budget.lines > 0 else {
      budget.suppressed += 1
      return nil
    }
    budget.lines -= 1
    defer { budget.suppressed = 0 }
    return budget.suppressed
  }
}

extension String {
  /// The text as it may stand in a line of a log, whoever wrote it: short and without control
  /// characters.
  var forPeople: String {
    var text = ""
    for (count, scalar) in unicodeScalars.enumerated() {
      if count == 300 { return text + "…" }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
        text.unicodeScalars.append("\u{FFFD}")
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
