// SPDX-License-Identifier: Apache-2.0

import Testing

/// Planted violations: each rule must find them where they are, and nothing beside them.
@Suite struct RuleTests {
  @Test func longFilesAreFound() {
    let text = String(repeating: "x\n", count: 501)
    #expect(lines(SizeRules.fileLength, "Sources/Wire/A.swift", text) == [501])
    #expect(lines(SizeRules.fileLength, "Sources/Wire/A.swift", String(text.dropLast(2))) == [])
    #expect(lines(SizeRules.fileLength, "Tests/WireTests/FrameTable.swift", text) == [])
    #expect(lines(SizeRules.fileLength, "Sources/Wire/FrameTable.swift", text) == [501])
  }

  @Test func longFunctionsAreFound() {
    let body = String(repeating: "  x()\n", count: 59)
    let text = "struct S {\nfunc f() {\n\(body)}\nfunc g() {}\n}\n"
    #expect(lines(SizeRules.functionLength, "Sources/Wire/A.swift", text) == [2])
    let shorter = text.replacing("{\n  x()\n", with: "{\n", maxReplacements: 1)
    #expect(lines(SizeRules.functionLength, "Sources/Wire/A.swift", shorter) == [])
  }

  @Test func longLinesAreFoundByCharactersNotBytes() {
    let euros = String(repeating: "\u{20AC}", count: 100)
    #expect(lines(SizeRules.columns, "a.c", "\(euros)\n\(euros)x\n") == [2])
  }

  @Test func largeFilesAreFound() {
    let large = RepositoryFile("Tests/Fixtures/a.pcap", "", length: 262_145)
    #expect(SizeRules.trackedLength(large).count == 1)
    #expect(SizeRules.trackedLength(RepositoryFile("a", "", length: 262_144)).isEmpty)
  }

  @Test(arguments: [
    "let x = unsafe y", "let p: UnsafeRawPointer", "x.withUnsafeBytes { _ in }",
    "final class C: @unchecked Sendable {}", "nonisolated(unsafe) var x = 1", "@unsafe init() {}",
    "var p: OpaquePointer?", "_overrideLifetime(a, borrowing: b)", "\"\\(unsafe p.pointee)\"",
  ])
  func unsafeCodeIsFound(_ line: String) {
    let text = "let a = 1\n\(line)\n"
    let rule = SafetyRules.unsafeOnlyWhereItIsNamed
    #expect(lines(rule, "Sources/XDP/UMEM.swift", text) == [2])
    #expect(lines(rule, "Sources/Node/Node+Unsafe.swift", text) == [2])
    #expect(lines(rule, "Sources/Dataplane/WorkerRing.swift", text) == [2])
    #expect(lines(rule, "Sources/XDP/UMEM+Unsafe.swift", text) == [])
    #expect(lines(rule, "Sources/XDP/ProducerRing.swift", text) == [])
    #expect(lines(rule, "Tests/XDPTests/UMEMTests.swift", text) == [])
  }

  @Test(arguments: [
    "// unsafe", "\"unsafe\"", "x.isUnsafe", "let unsafely = 1", "init(unchecked: 1)",
    "@safe struct S {}", "func unsafeties() {}",
  ])
  func whatOnlySoundsUnsafeIsNot(_ line: String) {
    #expect(lines(SafetyRules.unsafeOnlyWhereItIsNamed, "Sources/Wire/A.swift", line) == [])
  }

  @Test(arguments: [
    "try! f()", "x as! Int", "fatalError()", "x!.y", "f()!", "a[0]!", "var x: Int!", "f(x!)",
    "\"\\(x!)\"", "x! + 1", "x?.y!",
  ])
  func forceIsFound(_ line: String) {
    let rule = SafetyRules.nothingEndsTheProcess
    #expect(lines(rule, "Sources/Wire/A.swift", "\n\(line)") == [2])
    #expect(lines(rule, "Tests/WireTests/A.swift", "\n\(line)") == [])
  }

  @Test(arguments: [
    "!x", "a != b", "a!=b", "(!x)", "[!x]", "x && !y", "\"x!\"", "// x!", "a !== b",
  ])
  func negationIsNotForce(_ line: String) {
    #expect(lines(SafetyRules.nothingEndsTheProcess, "Sources/Wire/A.swift", line) == [])
  }

  @Test(arguments: [
    "// TO-DO: x", "// TO-DO(x): y", "# TO-DO(#)", "let x = 1 // TO-DO (#12)", "// FIX-ME(#1)",
    "\"TO-DO\"",
  ])
  func openWorkWithoutNumberIsFound(_ line: String) {
    let text =
      "\n" + line.replacing("TO-DO", with: "TO" + "DO").replacing("FIX-ME", with: "FIX" + "ME")
    #expect(lines(TextRules.openWorkHasANumber, "Makefile", text) == [2])
  }

  @Test func openWorkWithNumberIsFine() {
    let text = "// TO" + "DO(#12): x\n// toDo, TO" + "DOS, x_TO" + "DO"
    #expect(lines(TextRules.openWorkHasANumber, "a.swift", text) == [])
  }

  @Test func blanksAtTheEndAndTabulatorsAreFound() {
    let rule = TextRules.noTrailingBlanksOrTabulators
    #expect(lines(rule, "a.md", "a \nb\t\nc\r\n\td\n  e\n") == [1, 2, 3, 4])
    #expect(lines(rule, "Makefile", "a:\n\tb\n\tc\td\n") == [3])
    #expect(lines(TextRules.endsWithOneNewline, "a.md", "a") == [1])
    #expect(lines(TextRules.endsWithOneNewline, "a.md", "a\n\n") == [2])
    #expect(lines(TextRules.endsWithOneNewline, "a.md", "a\n") == [])
    #expect(lines(TextRules.endsWithOneNewline, "a.md", "") == [])
  }

  @Test func pathsOfOneMachineAreFound() {
    for folder in TextRules.machineFolders {
      let text = "see \(folder)x\n\"\(folder)y\"\nx=\(folder)\n"
      #expect(lines(TextRules.noPathsOfOneMachine, "a.md", text) == [1, 2, 3])
      #expect(lines(TextRules.noPathsOfOneMachine, "a.md", "net\(folder)x ..\(folder)y") == [])
    }
  }

  @Test func missingLicencesAreFound() {
    let mark = "SPDX-License-Identifier: "
    let rule = TextRules.licenceComesFirst
    #expect(lines(rule, "Sources/Wire/A.swift", "import Inet\n") == [1])
    #expect(lines(rule, "Sources/Wire/A.swift", "\n// \(mark)Apache-2.0\n") == [1])
    #expect(lines(rule, "Sources/Wire/A.swift", "// \(mark)MIT\n") == [1])
    #expect(lines(rule, "Sources/Wire/A.swift", "// \(mark)Apache-2.0\n") == [])
    #expect(lines(rule, "Package.swift", "// tools\n// \(mark)Apache-2.0\n") == [])
    #expect(lines(rule, ".ci/run", "#!/bin/bash\n# \(mark)Apache-2.0\n") == [])
    #expect(lines(rule, ".ci/run", "#!/bin/bash\nset -e\n") == [1])
    #expect(lines(rule, "bpf/a.c", "// \(mark)GPL-2.0-only OR BSD-2-Clause\n") == [])
    #expect(lines(rule, "bpf/a.c", "// \(mark)Apache-2.0\n") == [1])
    #expect(lines(rule, "docs/a.md", "# A\n") == [])
    let both = "// \(mark)Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause\n"
    #expect(lines(rule, "Sources/CPrograms/include/layout.h", both) == [])
    #expect(lines(rule, "Sources/CXDP/include/layout.h", both) == [1])
  }

  private func lines(_ rule: Rule, _ path: String, _ text: String) -> [Int] {
    rule(RepositoryFile(path, text)).map(\.line)
  }
}
