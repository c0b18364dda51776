// SPDX-License-Identifier: Apache-2.0

import Inet

/// One thing that is wrong with a configuration file.
package struct ConfigurationIssue: Equatable, Sendable {
  /// The file as it was named by whoever asked for it.
  package let file: String
  /// The line counted from one; nil if there is none to show.
  package let line: Int?
  /// The column counted from one, for syntax errors.
  package let column: Int?
  /// The key with its table, like `workers.cores`; empty if the whole file is meant.
  package let key: String
  /// What is wrong.
  package let message: String
  /// What would have been right; empty where only the syntax can tell.
  package let accepted: String
}

extension ConfigurationIssue: CustomStringConvertible {
  /// One line: `two-hosts-a.toml:12: workers.cores: core 7 does not exist; accepted: 0 to 1`.
  package var description: String {
    var text = file
    if let line { text += ":\(line)" }
    if let column { text += ":\(column)" }
    text += ": "
    if !key.isEmpty { text += "\(key): " }
    text += message
    if !accepted.isEmpty { text += "; accepted: \(accepted)" }
    return text
  }
}

/// Everything that is wrong with a configuration file, in the order of its lines.
package struct ConfigurationErrors: Error, Equatable, Sendable {
  /// At least one.
  package let issues: [ConfigurationIssue]
}

extension ConfigurationErrors: CustomStringConvertible {
  /// A line for each issue.
  package var description: String {
    issues.map(\.description).joined(separator: "\n")
  }
}

/// Issues as they are found.
///
/// Bounded, because a file of a megabyte can hold some hundred thousand mistakes and nobody reads
/// more than the first few.
package struct ConfigurationIssues {
  /// Issues that are kept at most.
  static let countMax = 200

  let file: String
  private(set) var found: [ConfigurationIssue] = []
  private var omitted = 0

  /// None yet, in a file of this name.
  package init(file: String) {
    self.file = file
  }

  /// Notes that what `key` names is wrong.
  package mutating func add(line: Int?, key: String, _ message: String, accepted: String) {
    guard found.count < Self.countMax else {
      omitted += 1
      return
    }
    found.append(
      ConfigurationIssue(
        file: file, line: line, column: nil, key: key, message: message, accepted: accepted))
  }

  /// All of them by line, or nil if there are none.
  package func errors() -> ConfigurationErrors? {
    guard !found.isEmpty else { return nil }
    var sorted = found.enumerated().sorted {
      ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
    }.map(\.element)
    if omitted > 0 {
      sorted.append(
        ConfigurationIssue(
          file: file, line: nil, column: nil, key: "",
          message: "\(omitted) more problems are not shown", accepted: ""))
    }
    return ConfigurationErrors(issues: sorted)
  }
}

/// The file a configuration came from, and where in it stands what depends on the machine.
struct ConfigurationOrigin: Sendable {
  let file: String
  /// The line of `underlay.interface`.
  var interfaceLine: Int?
  /// The line of `mesh.port`, or of its section if it has its default.
  var meshPortLine: Int?
  /// The line of `mesh.listen`.
  var listenLine: Int?
  /// The line of `mesh.password_file`.
  var passwordFileLine: Int?
  /// The line of `mesh.cipher`.
  var cipherLine: Int?
  /// The line of `mesh.accepted_password_files`.
  var acceptedPasswordsLine: Int?
  /// The line each of these files is on.
  var acceptedPasswordLines: [String: Int] = [:]
  /// The line of `underlay.vxlan_port`, or of its section if it has its default.
  var vxlanPortLine: Int?
  /// The line each core of `workers.cores` is on.
  var coreLines: [Int: Int] = [:]
  /// The line each address of a `[[vtep]]` is on, first come.
  var vtepLines: [IPv4Address: Int] = [:]
}
