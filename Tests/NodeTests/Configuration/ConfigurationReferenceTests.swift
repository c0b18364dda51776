// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Node

@Suite struct ConfigurationReferenceTests {
  @Test func configurationPageIsTheGeneratedOne() throws {
    let page = repository.appending(path: "docs/configuration.md")
    if ProcessInfo.processInfo.environment["WEFT_UPDATE_DOCS"] != nil {
      try Data(ConfigurationReference.markdown.utf8).write(to: page)
    }
    let written = try String(contentsOf: page, encoding: .utf8)
    #expect(
      written == ConfigurationReference.markdown,
      """
      docs/configuration.md differs from the key table; write it anew with
      WEFT_UPDATE_DOCS=1 swift test --filter ConfigurationReferenceTests
      """)
  }

  @Test func referenceNamesEveryKeyWithWhatItAccepts() {
    for key in ConfigurationTable.all.flatMap(\.keys) {
      for text in [ConfigurationReference.text, ConfigurationReference.markdown] {
        #expect(text.contains(key.name) && text.contains(key.accepted))
        #expect(text.contains(key.meaning) && text.contains(key.fallback ?? "required"))
      }
    }
  }

  @Test func defaultsInTheReferenceAreTheOnesThatHold() throws {
    // Writing a default down must change nothing.
    let bare = "[underlay]\ninterface = \"eth0\"\n"
    for table in ConfigurationTable.all where !table.isRepeated {
      let section = table.isSwitch ? "[\(table.name)]\n" : ""
      let expected = try Configuration.parse(text: bare + section, file: "x.toml")
      for key in table.keys {
        guard let fallback = key.fallback,
          fallback.hasPrefix("\"") || Int(fallback) != nil || Bool(fallback) != nil
        else { continue }
        let text =
          table.name.isEmpty
          ? "\(key.name) = \(fallback)\n" + bare : bare + "\(key.dottedName) = \(fallback)\n"
        let spelled = text.replacing("underlay.underlay.", with: "")
          .replacing("\nunderlay.", with: "\n")
        if table.name.isEmpty || table.name == "underlay" {
          #expect(try Configuration.parse(text: spelled, file: "x.toml") == expected)
        } else {
          let section = bare + "[\(table.name)]\n\(key.name) = \(fallback)\n"
          #expect(try Configuration.parse(text: section, file: "x.toml") == expected)
        }
      }
    }
  }

  @Test func meaningsAreSentences() {
    for meaning in ConfigurationTable.all.flatMap({ [$0.meaning] + $0.keys.map(\.meaning) }) {
      #expect(meaning.hasSuffix(".") && meaning.first?.isUppercase == true, "\(meaning)")
    }
  }
}
