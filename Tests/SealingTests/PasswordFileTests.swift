// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Sealing

@Suite struct PasswordFileTests {
  @Test(arguments: [
    ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), ("secret\r", "secret"),
    (" a\n\n", " a\n"), ("s", "s"), ("eight by", "eight by"), ("eight by\r\n", "eight by"),
  ])
  func passwordIsTheFileWithoutALineBreakAtItsEnd(contents: String, password: String) throws {
    try withFile(contents) { path in
      let found = try Password(file: path, lengthMax: 8)
      #expect(found == Password(Array(password.utf8)))
    }
  }

  @Test(arguments: [
    ("", 0), ("\n", 0), ("\r\n", 0), ("nine byte", 9), ("nine byte\n", 9), ("nine byte\r\n", 9),
    (String(repeating: "x", count: 100_000), 11),
  ])
  func filesWithoutBytesOrWithTooManyAreRefused(contents: String, length: Int) throws {
    try withFile(contents) { path in
      #expect(throws: Password.FileProblem.length(length)) {
        try Password(file: path, lengthMax: 8)
      }
    }
  }

  @Test func fileThatIsMissingOrNoneIsToldApart() {
    for (path, problem) in [
      ("/nonexistent/x", .missing), ("/dev/null/x", .missing), ("/dev", .unreadable),
    ] as [(String, Password.FileProblem)] {
      #expect(throws: problem) { try Password(file: path, lengthMax: 8) }
    }
  }

  private func withFile(_ contents: String, _ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "weft-\(UUID())")
    try Data(contents.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try body(file.path)
  }
}
