// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a program that has ended leaves.
struct Outcome: CustomStringConvertible {
  /// The command.
  let line: String
  /// Its exit code, or 128 + the signal that killed it.
  let status: Int32
  /// What it wrote to standard output.
  let output: String
  /// What it wrote to standard error.
  let errors: String

  var description: String { "'\(line)' ended with \(status): \(output)\(errors)" }

  /// The lines of standard error that are not empty.
  var errorLines: [Substring] { errors.split(separator: "\n") }
}

/// Runs a program to its end, whatever its exit code; throws when it takes longer than `limit`.
func attempt(
  _ words: [String], environment: [String: String] = [:], limit: Duration = .seconds(90)
) throws -> Outcome {
  let process = try RunningProcess(words, environment: environment)
  guard let status = process.wait(limit) else {
    process.stop(with: SIGKILL)
    throw TestbedError(
      "'\(process.line)' did not end within \(limit): \(process.output)\(process.errors)")
  }
  return Outcome(
    line: process.line, status: status, output: process.output, errors: process.errors)
}

/// Runs a program that has to succeed and returns what it wrote to standard output.
@discardableResult
func run(_ words: [String], limit: Duration = .seconds(90)) throws -> String {
  let outcome = try attempt(words, limit: limit)
  guard outcome.status == 0 else { throw TestbedError("\(outcome)") }
  return outcome.output
}

/// Runs a program that has to succeed; its words are separated by blanks.
@discardableResult
func run(_ line: String, limit: Duration = .seconds(90)) throws -> String {
  try run(words(line), limit: limit)
}

/// The words of a command.
func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
