// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Node

@Suite struct NearestWordTests {
  @Test(arguments: [
    ("interfase", "interface"), ("prot", "port"), ("PORT", "port"), ("vxlanport", "vxlan_port"),
    ("core", "cores"),
  ])
  func slipsAreRecognised(_ written: String, _ meant: String) {
    let words = ["interface", "vxlan_port", "port", "cores"]
    #expect(nearestWord(to: written, among: words) == meant)
  }

  @Test func strangersAreNotGuessedAt() {
    #expect(nearestWord(to: "bandwidth", among: ["interface", "port"]) == nil)
    #expect(nearestWord(to: "x", among: []) == nil)
    #expect(nearestWord(to: "", among: ["port"]) == nil)
    #expect(nearestWord(to: String(repeating: "p", count: 100_000), among: ["port"]) == nil)
  }

  @Test func wordsAreListedAsInASentence() {
    #expect(listed([], "or") == "")
    #expect(listed(["a"], "or") == "a")
    #expect(listed(["a", "b", "c"], "or") == "a, b or c")
  }

  @Test func quotedTextIsShortAndHarmless() {
    #expect(Quoted.text("a\"b\u{1B}[2J\n\u{202E}") == "\"a\\\"b\\u{1B}[2J\\n\\u{202E}\"")
    #expect(Quoted.text(String(repeating: "x", count: 1000)).count == 51)
    #expect(Quoted.key("a_b-9") == "a_b-9")
    #expect(Quoted.key("a.b") == "\"a.b\"")
    #expect(Quoted.key("") == "\"\"")
  }
}
