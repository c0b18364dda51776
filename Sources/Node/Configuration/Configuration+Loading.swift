// SPDX-License-Identifier: Apache-2.0

extension Configuration {
  /// The longest file that is read, in bytes.
  package static let fileLengthMax = TOMLFile.lengthMax

  /// Reads and checks a file; with `machine`, also whether it can work here.
  ///
  /// With `machine` the secrets of the mesh are read as well, from the files that the configuration
  /// names or else our own from `environment`. Throws every mistake at once, in the order of the
  /// lines.
  package static func load(
    path: String, against machine: MachineFacts? = nil, environment: [String: String] = [:]
  ) throws(ConfigurationErrors) -> Configuration {
    var (configuration, issues) = try read(
      text: try TOMLFile.text(path), file: path, against: machine)
    if machine != nil { configuration.readPasswords(from: environment, into: &issues) }
    if let errors = issues.errors() { throw errors }
    return configuration
  }

  /// Checks a file's text; `file` is its name for messages.
  ///
  /// Throws every mistake at once, in the order of the lines. Only the first syntax error is
  /// told, as what follows it cannot be trusted.
  package static func parse(
    text: String, file: String, against machine: MachineFacts? = nil
  ) throws(ConfigurationErrors) -> Configuration {
    let (configuration, issues) = try read(text: text, file: file, against: machine)
    if let errors = issues.errors() { throw errors }
    return configuration
  }

  private static func read(
    text: String, file: String, against machine: MachineFacts?
  ) throws(ConfigurationErrors) -> (Configuration, ConfigurationIssues) {
    let root = try TOMLFile.members(of: text, file: file)
    var reader = ConfigurationReader(file: file)
    let configuration = reader.configuration(from: root)
    if let machine { configuration.check(against: machine, into: &reader.issues) }
    return (configuration, reader.issues)
  }
}
