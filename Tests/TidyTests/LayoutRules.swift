// SPDX-License-Identifier: Apache-2.0

enum LayoutRules {
  /// Names that say nothing about what is inside.
  static let emptyNames: Set = [
    "utils", "util", "utilities", "helpers", "helper", "common", "misc", "base", "managers",
  ]

  static let namesSayWhatIsInside: Rule = { file in
    guard let name = file.folders.first(where: { emptyNames.contains($0.lowercased()) })
    else { return [] }
    return [
      Finding(path: file.path, line: 1, advice: "name the folder \(name) for what it holds")
    ]
  }

  static let scriptsAreExecutable: Rule = { file in
    let isScript = file.text?.hasPrefix("#!") == true
    guard isScript != file.isExecutable else { return [] }
    let advice =
      isScript
      ? "it begins like a script: git update-index --chmod=+x \(file.path), and chmod +x"
      : "it is no script: git update-index --chmod=-x \(file.path), and chmod -x"
    return [Finding(path: file.path, line: 1, advice: advice)]
  }

  /// Modules whose folder has no file of the module's name that begins with a paragraph about it.
  static func modulesWithoutOpening(_ files: [RepositoryFile]) -> [Finding] {
    let modules = Set(files.compactMap(\.module))
    return modules.sorted().compactMap { module in
      let path = "Sources/\(module)/"
      let names = ["\(path)\(module).swift", "\(path)include/\(module).h", "\(path)main.swift"]
      let opening = files.first { file in
        names.contains { $0.lowercased() == file.path.lowercased() }
      }
      guard let opening else {
        return Finding(
          path: names[0], line: 1, advice: "add it, beginning with a paragraph for newcomers")
      }
      // A shim needs a sentence, a module with types of its own a paragraph.
      return paragraph(of: opening).utf8.count >= (opening.isSwift ? 120 : 60)
        ? nil
        : Finding(
          path: opening.path, line: 2,
          advice: "tell a newcomer in a paragraph, right after the licence and the imports, what "
            + "\(module) is for, and list its types in reading order")
    }
  }

  /// The first comment after the licence, with nothing but imports before it.
  static func paragraph(of file: RepositoryFile) -> String {
    let rest = file.lines.dropFirst().drop { line in
      line.allSatisfy { $0 == " " } || line.hasPrefix("#") || line.hasPrefix("@")
        || line.split(separator: " ").prefix(2).contains("import")
    }
    let comment = rest.prefix { line in
      line.hasPrefix("//") || line.hasPrefix("/*") || line.hasPrefix(" *")
    }
    return comment.map { $0.drop { "/* ".contains($0) } }.joined(separator: " ")
  }

  /// Files that a build left behind and git should not know.
  static func builtFiles(_ tracked: [String]) -> [Finding] {
    tracked.filter { path in
      path.split(separator: "/").contains { $0.hasPrefix(".build") }
        || path.hasSuffix("Package.resolved")
    }.map { Finding(path: $0, line: 1, advice: "git rm --cached \($0)") }
  }
}
