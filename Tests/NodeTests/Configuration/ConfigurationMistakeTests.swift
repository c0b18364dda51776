// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Node

@Suite struct ConfigurationMistakeTests {
  @Test(arguments: ConfigurationTable.all.flatMap(\.keys))
  func keyRefusesEveryWrongKindOfValue(_ key: ConfigurationKey) throws {
    for value in wrongValues(for: key) {
      let text = completeFile.replacingValue(of: key, with: value)
      let errors = #expect(throws: ConfigurationErrors.self, "\(key.dottedName) = \(value)") {
        _ = try Configuration.parse(text: text, file: "x.toml")
      }
      let line = text.line(setting: key)
      for issue in errors?.issues ?? [] {
        #expect(issue.line == line.map { $0 + 1 }, "\(issue)")
        #expect(issue.key == key.dottedName, "\(issue)")
        #expect(issue.accepted == key.accepted, "\(issue)")
        #expect(!issue.message.isEmpty)
      }
      #expect(errors?.issues.count == 1, "\(key.dottedName) = \(value)")
    }
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

  @Test func allMistakesOfAFileAreReportedAtOnceByLine() {
    let text = """
      log_level = "loud"
      [underlay]
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
        "x.toml:1 log_level", "x.toml:2 underlay.interface", "x.toml:3 underlay.vxlan_port",
        "x.toml:4 underlay.xpd", "x.toml:7 workers.cores", "x.toml:7 workers.cores",
        "x.toml:8 workers.cores", "x.toml:9 workers.frames", "x.toml:11 overlay.mtu",
        "x.toml:12 underlai", "x.toml:13 vtep.vni", "x.toml:14 vtep.address",
      ], "\(found.joined(separator: "\n"))")
  }

  @Test func aFileFullOfMistakesGivesABoundedReport() {
    let text = (0..<5000).map { "k\($0) = 1\n" }.joined()
    let found = mistakes(in: text)
    #expect(found.count == ConfigurationIssues.countMax + 1)
    #expect(found.last == "x.toml: 4801 more problems are not shown")
  }
}

private func wrongValues(for key: ConfigurationKey) -> [String] {
  let neverRight = ["1.5", "inf", "true", "1979-05-27", "07:32:00", "[]", "{}", "{ a = 1 }"]
  let notText = ["0", "1", "-1", "[\"eth0\"]", "[[1]]", "\"\"", "''", "\"\\t\"", "\"\\u001b[2J\""]
  let notANumber = [
    "0", "-1", "9223372036854775807", "\"\"", "\"4789\"", "\"1500 bytes\"", "\"9k\"", "\"x\"",
    "[1024]", "[[]]",
  ]
  switch key.type {
  case "text": return neverRight + notText
  case "percentage":
    return neverRight.filter { $0 != "1.5" } + [
      "-1", "-0.1", "100.1", "101", "0.00001", "nan", "-inf", "9223372036854775807", "\"10\"",
      "\"10 %\"", "[1]",
    ]
  case "number": return neverRight + notANumber
  default:
    return neverRight + [
      "0", "\"0\"", "\"0-1\"", "[-1]", "[1024]", "[1.0]", "[\"1\"]", "[true]", "[[0]]", "[{}]",
      "[1, 1]",
    ]
  }
}

extension String {
  /// The file with the first line of that key's section that sets it set differently.
  fileprivate func replacingValue(of key: ConfigurationKey, with value: String) -> String {
    var lines = split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if let line = line(setting: key) { lines[line] = "\(key.name) = \(value)" }
    return lines.joined(separator: "\n")
  }

  /// The line, counted from 0, that sets a key in the first section of its name.
  fileprivate func line(setting key: ConfigurationKey) -> Int? {
    let lines = split(separator: "\n", omittingEmptySubsequences: false)
    let headers: [Substring] = ["[\(key.table)]", "[[\(key.table)]]"]
    let header = key.table.isEmpty ? 0 : lines.firstIndex { headers.contains($0) }
    return header.flatMap { header in
      lines[header...].firstIndex { $0.hasPrefix("\(key.name) = ") }
    }
  }

  fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
