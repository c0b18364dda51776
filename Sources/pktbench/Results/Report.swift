// SPDX-License-Identifier: Apache-2.0

import ControlAPI
import FoundationEssentials

/// All that a run found, and on which machine; the whole of the result file.
struct Report: Codable, Equatable, Sendable {
  /// Raised when a key changes its meaning or goes away.
  static let schema = 1

  var schema = Report.schema
  var machine: MachineReport
  var measures: [Measure]

  /// Gathers a run's results.
  init(machine: MachineReport, measures: [Measure]) {
    self.machine = machine
    self.measures = measures
  }

  /// Frames of ours that nobody can account for.
  var lost: Int { measures.reduce(0) { $0 + $1.lost } }

  /// The result file's text, with a line break at the end.
  func json() throws -> String { try JSONForm.pretty(self) + "\n" }
}

/// Where results go besides the terminal.
enum ReportDestination: Equatable {
  /// Standard output, instead of the table.
  case standardOutput
  /// A file that is replaced as a whole or not at all.
  case file(String)

  /// Reads an argument: `-` is standard output.
  init(argument: String) {
    self = argument == "-" ? .standardOutput : .file(argument)
  }

  /// Throws if it is clear already that the file cannot be written, as a run takes minutes.
  func check() throws(ScenarioError) {
    guard case .file(let path) = self else { return }
    let manager = FileManager.default
    var isFolder = false
    if manager.fileExists(atPath: path, isDirectory: &isFolder), isFolder {
      throw ScenarioError(.cannotWrite, "--json: \(path) is a folder; accepted: a file's path or -")
    }
    let folder = URL(filePath: path).deletingLastPathComponent().path
    guard manager.isWritableFile(atPath: folder) else {
      throw ScenarioError(
        .cannotWrite,
        "--json: no file can be made in \(folder); accepted: a path in a folder that exists and "
          + "may be written, or - for standard output")
    }
  }

  /// Writes the file; whoever reads it at the same time sees the old or the new one whole.
  func write(_ report: Report) throws(ScenarioError) {
    do {
      let text = try report.json()
      switch self {
      case .standardOutput: print(text, terminator: "")
      case .file(let path): try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
      }
    } catch {
      throw ScenarioError(.cannotWrite, "--json: the results cannot be written: \(error)")
    }
  }
}
