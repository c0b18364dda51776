// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Node

@Suite struct TOMLParserTests {
  @Test(arguments: validTable)
  func validTextIsReadWithItsLines(_ text: String, _ expected: String) throws {
    #expect(try read(text) == expected)
  }

  @Test(arguments: invalidTable)
  func invalidTextIsRefusedWhereItIsWrong(_ text: String, _ line: Int, _ column: Int) {
    let error = #expect(throws: TOMLSyntaxError.self, "\(text)") { try read(text) }
    #expect(error?.line == line && error?.column == column, "\(text): \(String(describing: error))")
  }

  @Test(arguments: [
    ("[", "a name must stand here (letters, digits, _ and -), not the end of the file"),
    ("[#underlay]", "a name must stand here (letters, digits, _ and -), not \"#\""),
    ("[underlay\n", "\"]\" must stand here to close the section's name, not the end of the line"),
    ("a\n", "\"=\" must stand here after the key, not the end of the line"),
    ("a = eth0", "\"eth0\" is not a value; text needs quotes, numbers have no unit"),
    ("a = 9k", "\"9k\" is not a value; text needs quotes, numbers have no unit"),
    ("a = 007", "\"007\" is not a number TOML allows, or too large"),
    ("a = \"x", "the closing quotation mark is missing before the end of the file"),
    ("a = 1 b = 2", "the line must end here, not go on with \"b\""),
    ("a = 1\na = 2", "a is already there, in line 1"),
    ("a = [1\nb = 2", "\",\" or \"]\" must stand here in the list, not \"b\""),
    ("a = \"\u{1}\"", "control character 1 may not stand here"),
    ("a = \u{20AC}", "\"\u{20AC}\" is not a value; text needs quotes, numbers have no unit"),
    (
      #"a = "C:\x""#,
      #"this backslash begins no escape TOML knows; write \\ for a backslash, or '…' around the "#
        + "text"
    ),
  ])
  func messageSaysWhatIsWrongAndWhatWouldBeRight(_ text: String, _ message: String) {
    let error = #expect(throws: TOMLSyntaxError.self) { try read(text) }
    #expect(error?.message == message)
  }

  @Test func nestingIsBounded() throws {
    let most = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
    _ = try read("a = \(most)")
    _ = try read("a" + String(repeating: ".a", count: 31) + " = 1")
    let many = 100_000
    let deep = [
      "a = [\(most)]", "a = " + String(repeating: "[", count: many),
      "a = " + String(repeating: "{a=", count: many),
      "a" + String(repeating: ".a", count: many) + " = 1",
      "[a" + String(repeating: ".a", count: many) + "]",
    ]
    for text in deep {
      let error = #expect(throws: TOMLSyntaxError.self) { try read(text) }
      #expect(error?.message == "nesting deeper than 32 levels is refused")
    }
  }
}

/// The text as values in the order of their keys, each with its line: `a@1=1`.
@discardableResult
private func read(_ text: String) throws -> String {
  var parser = TOMLParser(text)
  return try spelled(parser.parse())
}

private func spelled(_ members: [String: TOMLNode]) -> String {
  members.sorted { $0.key < $1.key }
    .map { "\($0.key)@\($0.value.line)=\(spelled($0.value))" }.joined(separator: " ")
}

private func spelled(_ node: TOMLNode) -> String {
  switch node.content {
  case .text(let text): "'\(text)'"
  case .integer(let number): "\(number)"
  case .decimal(let number): "\(number)"
  case .boolean(let flag): "\(flag)"
  case .moment: "moment"
  case .table(let members): "{\(spelled(members))}"
  case .array(let elements):
    "[" + elements.map { "@\($0.line)=\(spelled($0))" }.joined(separator: " ") + "]"
  }
}
