// SPDX-License-Identifier: Apache-2.0

/// What pktbench's exit status means; numbers are those of sysexits.h where it has one.
enum ExitStatus: Int32, Sendable, CaseIterable {
  /// Everything was measured, and every frame is accounted for.
  case measured = 0
  /// Something failed, or frames are missing from the books.
  case failed = 1
  /// The command line is wrong.
  case usage = 64
  /// The machine cannot do what the scenario needs: a competitor or a kernel feature is missing.
  case unavailable = 69
  /// The result file cannot be written.
  case cannotWrite = 73
  /// The scenario needs root.
  case permission = 77
  /// The scenario file is wrong.
  case file = 78
  /// It was interrupted and has taken everything down.
  case interrupted = 130

  /// One line for each, as `--help` shows them.
  static let help = """
    EXIT STATUS
      0    everything was measured, and every frame is accounted for
      1    something failed, or frames are missing from the books
      64   the command line is wrong
      69   something the scenario needs is missing on this machine
      73   the result file cannot be written
      77   the scenario needs root
      78   the scenario file is wrong
      130  interrupted; everything the scenario made has been removed
    """
}

/// Why a scenario does not run or go on: one sentence, and the status to exit with.
struct ScenarioError: Error, Equatable, CustomStringConvertible {
  let status: ExitStatus
  let description: String

  /// Says what failed and what to do.
  init(_ status: ExitStatus, _ description: String) {
    self.status = status
    self.description = description
  }
}
