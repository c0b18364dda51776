// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Node

@Suite struct ConfigurationMistakeTests {
  @Test func everyKeyHasItsListOfWrongValues() {
    let keys = ConfigurationTable.all.flatMap(\.keys).map(\.dottedName)
    #expect(wrongValuesByKey.keys.sorted() == keys.sorted(), "WrongValues.swift lists them")
  }

  @Test(arguments: ConfigurationTable.all.flatMap(\.keys))
  func keyRefusesEveryWrongKindOfValue(_ key: ConfigurationKey) {
    for value in valuesOfWrongType(for: key) + (wrongValuesByKey[key.dottedName] ?? []) {
      let (text, line) = completeFile.settingValue(of: key, to: value.written)
      let found = issues(in: text)
      #expect(found.count == 1, "\(key.dottedName) = \(value.written): \(found)")
      for issue in found {
        #expect(issue.file == "x.toml" && issue.line == line, "\(issue)")
        #expect(issue.key == key.dottedName, "\(issue)")
        #expect(issue.message.contains(value.found), "\(issue) should say: \(value.found)")
        #expect(issue.accepted == key.accepted, "\(issue)")
        #expect(!issue.description.contains("\n"), "\(issue)")
      }
    }
  }

  @Test(arguments: ConfigurationTable.all.flatMap(\.keys))
  func numberWithAUnitAndNoQuotesIsExplained(_ key: ConfigurationKey) {
    for word in ["1450B", "16Ki", "1s", "0.5s", "10%", "spin", "eth0", "1_", "+-1"] {
      let (text, line) = completeFile.settingValue(of: key, to: word)
      let found = issues(in: text)
      #expect(found.count == 1 && found.first?.line == line, "\(found)")
      #expect(found.first?.column == key.name.utf8.count + 4, "\(found)")
      #expect(found.first?.message.hasPrefix("\"\(word)\" is not a ") == true, "\(found)")
    }
  }

  @Test(arguments: ConfigurationTable.all.flatMap(\.keys))
  func keyThatStandsTwiceIsASyntaxErrorAtTheSecond(_ key: ConfigurationKey) {
    let (text, line) = completeFile.settingValue(of: key, to: "1\n\(key.name) = 1")
    let found = issues(in: text)
    #expect(found.count == 1 && found.first?.line == line + 1, "\(found)")
    #expect(found.first?.message.contains(key.name) == true, "\(found)")
  }

  @Test(arguments: ConfigurationTable.all.flatMap(\.keys))
  func keyWrittenAsASectionIsRefused(_ key: ConfigurationKey) {
    let header = key.dottedName
    for (section, found) in [("[\(header)]", "is a section"), ("[[\(header)]]", "is a list")] {
      let isList = key.type.hasPrefix("list") && found == "is a list"
      let text = completeFile.removing(key) + "\(section)\na = 1\n"
      let issue = issues(in: text).first {
        $0.key == key.dottedName && $0.message != "is missing"
      }
      #expect(issue != nil, "\(section): \(issues(in: text))")
      #expect(issue?.message.contains(isList ? "is a section" : found) == true, "\(section)")
      #expect(issue?.accepted == key.accepted)
    }
  }

  @Test(arguments: ConfigurationTable.all.filter { !$0.name.isEmpty })
  func sectionOfTheWrongKindIsRefused(_ table: ConfigurationTable) {
    let required = "[underlay]\ninterface = \"eth0\"\n"
    let rest = table.name == "underlay" ? "" : required
    let accepted =
      table.isRepeated ? "[[\(table.name)]] sections" : "a [\(table.name)] section"
    for value in valuesOfWrongType(for: anyKey(of: table, type: "section"))
    where !value.found.contains("list") {
      let found = issues(in: "\(table.name) = \(value.written)\n" + rest)
      let issue = found.first { $0.key == table.name }
      #expect(issue?.line == 1 && issue?.accepted == accepted, "\(found)")
      #expect(issue?.message.contains(value.found) == true, "\(found)")
    }
    let other = table.isRepeated ? "[\(table.name)]" : "[[\(table.name)]]"
    let found = issues(in: rest + "\n\(other)\n")
    let issue = found.first { $0.key == table.name }
    #expect(issue?.line == (rest.isEmpty ? 2 : 4), "\(found)")
    #expect(issue?.accepted.contains(table.header) == true, "\(found)")
  }

  @Test(arguments: ConfigurationTable.all.flatMap(\.keys))
  func misspeltKeyIsReportedWithTheNearestOne(_ key: ConfigurationKey) {
    var misspelt = key.name
    misspelt.insert("x", at: misspelt.index(after: misspelt.startIndex))
    let found = mistakes(
      in: completeFile.replacing("\n\(key.name) = ", with: "\n\(misspelt) = ")
        .replacingPrefix("\(key.name) = ", with: "\(misspelt) = "))
    #expect(found.contains { $0.contains("\(misspelt): is not a known key; did you mean ") })
    #expect(found.contains { $0.contains("did you mean \(key.name)?") }, "\(found)")
  }

  @Test(arguments: mistakeTable)
  func mistakeIsToldInFull(_ text: String, _ expected: [String]) {
    #expect(mistakes(in: text) == expected.map { "x.toml:\($0)" })
  }

  @Test func oneMistakeInEveryKeyIsReportedAtOnceByLine() {
    var text = completeFile
    var expected: [String] = []
    for key in ConfigurationTable.all.flatMap(\.keys) {
      let (changed, line) = text.settingValue(of: key, to: "{ wrong = true }")
      text = changed
      expected.append("x.toml:\(line): \(key.dottedName): is a section, not ")
    }
    let found = issues(in: text)
    #expect(found.count == expected.count, "\(found)")
    for (issue, start) in zip(found, expected) {
      #expect(issue.description.hasPrefix(start), "\(issue)")
    }
    let lines = found.compactMap(\.line)
    #expect(lines == lines.sorted() && Set(lines).count == lines.count)
  }

  @Test func allMistakesOfAFileAreReportedAtOnceByLine() {
    let text = """
      log_level = "loud"
      [underlay]
      interface = "eth9"
      vxlan_port = 0
      xpd = "native"
      [workers]
      cores = [0,
        0, "1",
        7]
      frames = 5000
      [overlay]
      mtu = "1500"
      [underlai]
      [[vtep]]
      address = "224.0.0.1"
      """
    let machine = MachineFacts(cores: [0, 1], interfaces: ["lo"])
    let found = mistakes(in: text, against: machine)
    #expect(
      found.map { $0.split(separator: ": ").prefix(2).joined(separator: " ") } == [
        "x.toml:1 log_level", "x.toml:3 underlay.interface", "x.toml:4 underlay.vxlan_port",
        "x.toml:5 underlay.xpd", "x.toml:8 workers.cores", "x.toml:8 workers.cores",
        "x.toml:9 workers.cores", "x.toml:10 workers.frames", "x.toml:12 overlay.mtu",
        "x.toml:13 underlai", "x.toml:14 vtep.vni", "x.toml:15 vtep.address",
      ], "\(found.joined(separator: "\n"))")
  }

  @Test func aFileFullOfMistakesGivesABoundedReport() {
    let text = (0..<5000).map { "k\($0) = 1\n" }.joined()
    let found = mistakes(in: text)
    #expect(found.count == ConfigurationIssues.countMax + 1)
    #expect(found.last == "x.toml: 4800 more problems are not shown")
  }
}

private func issues(in text: String) -> [ConfigurationIssue] {
  do throws(ConfigurationErrors) {
    _ = try Configuration.parse(text: text, file: "x.toml")
    return []
  } catch {
    return error.issues
  }
}

/// A key of the section with another type; only the type counts.
private func anyKey(of table: ConfigurationTable, type: String) -> ConfigurationKey {
  ConfigurationKey(
    table: table.name, name: "any", type: type, fallback: nil, accepted: "",
    takesEffect: .restart, meaning: "")
}

extension String {
  /// The file with the first line of that key's section that sets it set differently, and the
  /// number of the line.
  fileprivate func settingValue(
    of key: ConfigurationKey, to value: String
  ) -> (text: String, line: Int) {
    var lines = split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let section = lines.firstIndex { $0 == "[\(key.table)]" || $0 == "[[\(key.table)]]" } ?? 0
    let start = key.table.isEmpty ? 0 : section
    guard let index = lines[start...].firstIndex(where: { $0.hasPrefix("\(key.name) = ") })
    else { return (self, 0) }
    lines[index] = "\(key.name) = \(value)"
    return (lines.joined(separator: "\n"), index + 1)
  }

  /// The file without the lines that set the key.
  fileprivate func removing(_ key: ConfigurationKey) -> String {
    split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("\(key.name) = ") }.joined(separator: "\n")
  }

  fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
