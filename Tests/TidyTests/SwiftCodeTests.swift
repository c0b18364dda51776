// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite struct SwiftCodeTests {
  @Test(arguments: [
    ("a // b", "a     "),
    ("a /* b /* c */ d */ e", "a                   e"),
    ("a \"b // c\" d", "a \"      \" d"),
    ("\"\\\"x\" y", "\"   \" y"),
    ("\"a\\(b + \"c\" + d)e\" f", "\"  (b + \" \" + d) \" f"),
    ("\"\\(f(\"(\"))\" g", "\" (f(\" \"))\" g"),
    ("#\"a\"b\\(c)\\#(d)\"# e", "#\"         (d)\"# e"),
    ("\"\"\"\n a \"b\" \\(c)\n \"\"\" d", "\"\"\"\n        (c)\n \"\"\" d"),
    ("#if DEBUG", "#if DEBUG"),
    ("\"open\nnext", "\"    \nnext"),
    ("/* open", "       "),
    ("\"\\", "\" "),
    ("", ""),
  ])
  func onlyCodeIsLeft(_ source: String, _ code: String) {
    #expect(String(decoding: SwiftCode(source).bytes, as: UTF8.self) == code)
  }

  @Test func anyTextCanBeRead() {
    for file in Repository.ownText {
      let code = SwiftCode(file.text ?? "")
      #expect(code.bytes.count == file.text?.utf8.count, "\(file.path)")
    }
  }

  @Test func functionsAreFoundWithTheirLengths() {
    let source = """
      protocol P {
        func required(_ x: Int) throws
        var value: Int { get }
        init()
      }
      struct S {
        let text = "func fake() {"
        var stored = { 1 }()
        func first(
          _ body: () -> Void = {}
        ) async throws
          -> Int
          where T: P
        {
          func nested() {}
          return { $0 }(1)
        }
        init?(_ a: Int) { self.init() }
        subscript(i: Int) -> Int { i }
        deinit { }
      }
      """
    let found = SwiftFunction.all(in: SwiftCode(source)).map {
      "\($0.name) \($0.line) \($0.lineCount)"
    }
    #expect(
      found == [
        "value 3 1", "first 9 9", "nested 15 1", "init 18 1", "subscript 19 1", "deinit 20 1",
      ])
  }
}
