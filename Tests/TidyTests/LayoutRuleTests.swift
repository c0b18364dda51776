// SPDX-License-Identifier: Apache-2.0

import Testing

/// Planted violations of the rules about modules and files.
@Suite struct LayoutRuleTests {
  @Test(arguments: [
    ("Wire", "Forwarding", true), ("Forwarding", "Wire", true), ("Dataplane", "XDP", true),
    ("ControlPlane", "Dataplane", false), ("Dataplane", "ControlPlane", false),
    ("Dataplane", "Routing", false), ("Routing", "XDP", false), ("Inet", "XDP", false),
    ("ControlPlane", "HostNetwork", true), ("ControlAPI", "Dataplane", false),
    ("Node", "Dataplane", true), ("Node", "ControlPlane", true), ("weftd", "Node", true),
    ("ControlPlane", "ControlAPI", false), ("Wire", "Glibc", true), ("XDP", "CXDP", true),
  ])
  func importsAreJudgedByLayerAndSide(_ module: String, _ other: String, _ isAllowed: Bool) {
    let file = RepositoryFile("Sources/\(module)/A.swift", "\npackage import \(other)\n")
    let found = LayerRules.importsGoDownwards(file)
    #expect(found.isEmpty == isAllowed, "\(found)")
    #expect(found.allSatisfy { $0.line == 2 })
  }

  @Test func strangeModulesAreFound() {
    let file = RepositoryFile("Sources/Gadget/Gadget.swift", "")
    #expect(LayerRules.importsGoDownwards(file).count == 1)
  }

  @Test(arguments: [
    ("import Foundation", "XDP", false), ("import FoundationEssentials", "Dataplane", false),
    ("import Foundation", "HostNetwork", true), ("import Logging", "Tables", false),
    ("internal import Logging", "Dataplane", true), ("import XCTest", "Node", false),
    ("// import Foundation", "XDP", true), ("import struct Foundation.Data", "Wire", false),
    ("@preconcurrency public import Foundation", "Wire", false),
  ])
  func librariesAreJudgedByLayer(_ line: String, _ module: String, _ isAllowed: Bool) {
    let file = RepositoryFile("Sources/\(module)/A.swift", line)
    #expect(LayerRules.librariesStayAbove(file).isEmpty == isAllowed)
  }

  @Test func waitingInLowLayersIsFound() {
    let text = "func f() async {}\nactor A {}\nlet x = await y\nlet actors = 1 // await\n"
    let low = RepositoryFile("Sources/Dataplane/A.swift", text)
    #expect(LayerRules.lowLayersNeverWait(low).map(\.line) == [1, 2, 3])
    let high = RepositoryFile("Sources/Node/A.swift", text)
    #expect(LayerRules.lowLayersNeverWait(high).isEmpty)
  }

  @Test func dependenciesAreReadFromThePackage() {
    let text = """
      module("Inet"),
      module(
        "Wire", ["Inet", other],
      ),
      program("weftd", ["Node"]),
      """
    let found = LayerRules.declaredDependencies(RepositoryFile("Package.swift", text))
    #expect(found.map(\.module) == ["Inet", "Wire", "weftd"])
    #expect(found.map(\.line) == [1, 2, 5])
    #expect(found.map(\.dependencies) == [[], ["Inet"], ["Node"]])
  }

  @Test func modulesWithoutOpeningAreFound() {
    let licence = "// SPDX-License-Identifier: Apache-2.0\n"
    let paragraph = String(repeating: "// What this module is for, in words.\n", count: 4)
    let files = [
      RepositoryFile("Sources/Wire/Wire.swift", licence + "\n" + paragraph),
      RepositoryFile("Sources/weftd/Weftd.swift", licence + "\nimport Node\n\n" + paragraph),
      RepositoryFile("Sources/CXDP/include/CXDP.h", licence + "#pragma once\n" + paragraph),
      RepositoryFile(
        "Sources/CLinux/include/CLinux.h", licence + "#pragma once\n#include \"a.h\"\n"),
      RepositoryFile("Sources/Inet/Inet.swift", licence + "\n// Addresses.\n"),
      RepositoryFile("Sources/XDP/XDP.swift", licence + "struct S {}\n" + paragraph),
      RepositoryFile("Sources/Tables/A.swift", licence + paragraph),
    ]
    #expect(
      LayoutRules.modulesWithoutOpening(files).map(\.path) == [
        "Sources/CLinux/include/CLinux.h", "Sources/Inet/Inet.swift", "Sources/Tables/Tables.swift",
        "Sources/XDP/XDP.swift",
      ])
  }

  @Test func emptyNamesAreFound() {
    let rule = LayoutRules.namesSayWhatIsInside
    #expect(rule(RepositoryFile("Sources/Wire/Utils/A.swift", "")).count == 1)
    #expect(rule(RepositoryFile("Sources/Wire/Helpers.swift", "")).isEmpty)
    #expect(rule(RepositoryFile("Sources/Commons/A.swift", "")).isEmpty)
  }

  @Test func wrongModesAreFound() {
    let rule = LayoutRules.scriptsAreExecutable
    #expect(rule(RepositoryFile(".ci/run", "#!/bin/bash\n")).count == 1)
    #expect(rule(RepositoryFile(".ci/run", "#!/bin/bash\n", isExecutable: true)).isEmpty)
    #expect(rule(RepositoryFile("README.md", "# A\n", isExecutable: true)).count == 1)
    #expect(rule(RepositoryFile("README.md", "# A\n")).isEmpty)
  }

  @Test func builtFilesAreFound() {
    let tracked = [".build/debug.yaml", "a/.build-asan/x", "Package.resolved", "Sources/a.swift"]
    #expect(LayoutRules.builtFiles(tracked).map(\.path) == Array(tracked.prefix(3)))
  }
}
