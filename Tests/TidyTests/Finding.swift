// SPDX-License-Identifier: Apache-2.0

import Testing

/// A place where the repository breaks one of its rules, and what to do about it.
struct Finding: Equatable, CustomStringConvertible {
  let path: String
  let line: Int
  let advice: String

  var description: String { "\(path):\(line): \(advice)" }
}

/// A rule looks at one file and lists what is wrong with it.
typealias Rule = @Sendable (RepositoryFile) -> [Finding]

/// Fails with a line for each finding.
func expectTidy(
  _ files: [RepositoryFile], _ rule: Rule, sourceLocation: SourceLocation = #_sourceLocation
) {
  // A rule that sees no file would always pass.
  #expect(!files.isEmpty, "there is nothing to check", sourceLocation: sourceLocation)
  expectNone(files.flatMap(rule), sourceLocation: sourceLocation)
}

/// Fails with a line for each finding.
func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
  for finding in findings {
    Issue.record("\(finding)", sourceLocation: sourceLocation)
  }
}
