// SPDX-License-Identifier: Apache-2.0

import Node

/// A scenario and its plan, from a TOML file.
struct ScenarioFile {
  let scenario: any Scenario.Type
  let plan: ScenarioPlan

  /// The keys of a file, which are the options' names.
  static let keys = [
    "scenario", "size", "entries", "batch", "peers", "wire-mtu", "encrypted", "against", "pairs",
    "seconds",
  ]

  /// Reads and checks a file; throws every mistake at once, in the order of the lines.
  static func load(path: String) throws(ConfigurationErrors) -> ScenarioFile {
    try read(try TOMLFile.members(path: path), file: path, Scenarios.all)
  }

  /// Checks a file's text; `file` is its name for messages.
  static func parse(
    text: String, file: String, scenarios: [any Scenario.Type] = Scenarios.all
  ) throws(ConfigurationErrors) -> ScenarioFile {
    try read(try TOMLFile.members(of: text, file: file), file: file, scenarios)
  }

  private static func read(
    _ members: [String: TOMLNode], file: String, _ scenarios: [any Scenario.Type]
  ) throws(ConfigurationErrors) -> ScenarioFile {
    var reader = ScenarioFileReader(file: file, members: members)
    let scenario = reader.scenario(among: scenarios)
    let wishes = reader.wishes()
    reader.reportUnknownKeys()
    var plan: ScenarioPlan?
    if let scenario {
      do throws(OptionProblems) {
        plan = try scenario.description.plan(for: wishes)
      } catch {
        for problem in error.problems { reader.add(problem) }
      }
    }
    if let errors = reader.issues.errors() { throw errors }
    guard let scenario, let plan else {
      preconditionFailure("a file without a scenario or a plan has an issue")
    }
    return ScenarioFile(scenario: scenario, plan: plan)
  }
}

/// Turns a file's members into wishes, collecting every mistake on the way.
private struct ScenarioFileReader {
  var issues: ConfigurationIssues
  let members: [String: TOMLNode]

  init(file: String, members: [String: TOMLNode]) {
    issues = ConfigurationIssues(file: file)
    self.members = members
  }

  mutating func scenario(among scenarios: [any Scenario.Type]) -> (any Scenario.Type)? {
    let names = scenarios.map { $0.description.name }
    let accepted = listed(names.map(Quoted.text), "or")
    guard let node = members["scenario"] else {
      issues.add(line: nil, key: "scenario", "is missing", accepted: accepted)
      return nil
    }
    guard case .text(let name) = node.content else {
      issues.add(
        line: node.line, key: "scenario", "\(node.kind), not a word in quotes", accepted: accepted)
      return nil
    }
    if let scenario = scenarios.first(where: { $0.description.name == name }) { return scenario }
    let hint = nearestWord(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
    issues.add(
      line: node.line, key: "scenario", "\(Quoted.text(name)) is not a scenario\(hint)",
      accepted: accepted)
    return nil
  }

  mutating func wishes() -> ScenarioWishes {
    var wishes = ScenarioWishes()
    wishes.sizes = list("size", of: "whole numbers") { $0.wholeNumber }
    wishes.entries = list("entries", of: "whole numbers") { $0.wholeNumber }
    wishes.batches = list("batch", of: "whole numbers") { $0.wholeNumber }
    wishes.peers = list("peers", of: "whole numbers") { $0.wholeNumber }
    wishes.wireMTU = value("wire-mtu", "a whole number") { $0.wholeNumber }
    wishes.isEncrypted = value("encrypted", "true or false") { $0.flag }
    wishes.against = list("against", of: "names in quotes") { $0.name }
    wishes.pairs = value("pairs", "a whole number") { $0.wholeNumber }
    wishes.seconds = value("seconds", "a number") { $0.number }
    return wishes
  }

  mutating func reportUnknownKeys() {
    for (key, node) in members.sorted(by: { $0.key < $1.key })
    where !ScenarioFile.keys.contains(key) {
      let nearest = nearestWord(to: key, among: ScenarioFile.keys)
      let hint = nearest.map { "; did you mean \($0)?" } ?? ""
      issues.add(
        line: node.line, key: Quoted.key(key), "is not a known key\(hint)",
        accepted: listed(ScenarioFile.keys, "and"))
    }
  }

  mutating func add(_ problem: OptionProblem) {
    issues.add(
      line: members[problem.option]?.line, key: problem.option, problem.message,
      accepted: problem.accepted)
  }

  private mutating func value<Value>(
    _ key: String, _ kind: String, _ read: (TOMLNode) -> Value?
  ) -> Value? {
    guard let node = members[key] else { return nil }
    if let value = read(node) { return value }
    issues.add(line: node.line, key: key, "\(node.kind)", accepted: kind)
    return nil
  }

  private mutating func list<Value>(
    _ key: String, of kind: String, _ read: (TOMLNode) -> Value?
  ) -> [Value]? {
    guard let node = members[key] else { return nil }
    guard case .array(let elements) = node.content else {
      issues.add(line: node.line, key: key, "\(node.kind)", accepted: "a list of \(kind)")
      return nil
    }
    var values: [Value] = []
    for element in elements {
      if let value = read(element) {
        values.append(value)
      } else {
        issues.add(line: element.line, key: key, "\(element.kind)", accepted: "a list of \(kind)")
      }
    }
    // A list that lost its wrong elements must not be complained about again.
    return values.count == elements.count ? values : nil
  }
}

extension TOMLNode {
  fileprivate var wholeNumber: Int? {
    if case .integer(let number) = content { number } else { nil }
  }

  fileprivate var number: Double? {
    switch content {
    case .integer(let number): Double(number)
    case .decimal(let number): number
    default: nil
    }
  }

  fileprivate var flag: Bool? {
    if case .boolean(let flag) = content { flag } else { nil }
  }

  fileprivate var name: String? {
    if case .text(let text) = content { text } else { nil }
  }
}
