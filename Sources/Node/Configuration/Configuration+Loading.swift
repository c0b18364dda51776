// SPDX-License-Identifier: Apache-2.0

extension Configuration {
  /// The longest file that is read, in bytes.
  package static let fileLengthMax = TOMLFile.lengthMax

  /// Reads and checks a file; with `machine`, also whether it can work here.
  ///
  /// Throws every mistake at once, in the order of the lines.
  package static func load(
    path: String, against machine: MachineFacts? = nil
  ) throws(ConfigurationErrors) -> Configuration {
    try parse(text: try TOMLFile.text(path), file: path, against: machine)
  }

  /// Checks a file's text; `file` is its name for messages.
  ///
  /// Throws every mistake at once, in the order of the lines. Only the first syntax error is
  /// told, as what follows it cannot be trusted.
  package static func parse(
    text: String, file: String, against machine: MachineFacts? = nil
  ) throws(ConfigurationErrors) -> Configuration {
    let root = try TOMLFile.members(of: text, file: file)
    var reader = ConfigurationReader(file: file)
    let configuration = reader.configuration(from: root)
    if let machine { configuration.check(against: machine, into: &reader.issues) }
    if let errors = reader.issues.errors() { throw errors }
    return configuration
  }
}
