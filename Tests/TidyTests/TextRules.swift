// SPDX-License-Identifier: Apache-2.0

enum TextRules {
  // Put together here, so that this file does not break the rules itself.
  private static let later = "TO" + "DO"
  private static let never = "FIX" + "ME"

  static let openWorkHasANumber: Rule = { file in
    // Pages may speak about the words; code may not use them.
    guard file.suffix != "md" else { return [] }
    return lineFindings(file) { line in
      for word in SwiftCode.words(of: String(line)) {
        if word.text == never { return "resolve it, or make it an issue and a \(later)(#number)" }
        if word.text == later, word.after.firstMatch(of: /^\(#[0-9]+\)/) == nil {
          return "name the issue: \(later)(#number)"
        }
      }
      return nil
    }
  }

  static let noTrailingBlanksOrTabulators: Rule = { file in
    let mayIndentWithTabulators = file.name == "Makefile"
    return lineFindings(file) { line in
      if line.hasSuffix(" ") || line.hasSuffix("\t") || line.hasSuffix("\r") {
        return "remove the blanks at the end of the line"
      }
      let rest = mayIndentWithTabulators ? line.drop { $0 == "\t" } : line
      return rest.contains("\t") ? "use spaces instead of tabulators" : nil
    }
  }

  static let endsWithOneNewline: Rule = { file in
    guard let text = file.text, !text.isEmpty, !text.hasSuffix("\n") || text.hasSuffix("\n\n")
    else { return [] }
    return [
      Finding(
        path: file.path, line: max(1, file.lines.count - 1),
        advice: "end the file with exactly one newline")
    ]
  }

  /// Folders of one machine or another, of no use on the reader's.
  static let machineFolders = ["opt", "work", "home", "root"].map { "/\($0)/" }

  static let noPathsOfOneMachine: Rule = { file in
    lineFindings(file) { line in
      for folder in machineFolders {
        for range in line.ranges(of: folder) {
          let before = line[..<range.lowerBound].last
          let isRelative = before.map { $0.isLetter || $0.isNumber || "._-~*/".contains($0) }
          if isRelative != true { return "write a relative path instead of \(folder)…" }
        }
      }
      return nil
    }
  }

  static let licenceComesFirst: Rule = { file in
    let commented = ["swift", "c", "h", "toml", "sh"].contains(file.suffix)
    let isScript = file.text?.hasPrefix("#!") == true
    guard commented || isScript || file.name == "Makefile" else { return [] }
    // The interpreter and the tools version must stand in the first line.
    let mayBeSecond = isScript || file.name == "Package.swift"
    let header = file.lines.prefix(mayBeSecond ? 2 : 1)
    let licences = file.path.hasPrefix("bpf/") ? ["GPL-2.0-only OR BSD-2-Clause"] : ["Apache-2.0"]
    let mark = "SPDX-License-Identifier: "
    let accepted = licences.flatMap { ["// \(mark)\($0)", "# \(mark)\($0)"] }
    // The header that both sides of the BPF objects include is under either's licence.
    let both = accepted + ["// \(mark)Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause"]
    let isShared = file.suffix == "h" && file.module == "CPrograms"
    guard !header.contains(where: { (isShared ? both : accepted).contains(String($0)) })
    else { return [] }
    return [
      Finding(path: file.path, line: 1, advice: "begin the file with \"\(accepted[0])\"")
    ]
  }
}

/// The findings of a rule that looks at text line by line.
func lineFindings(_ file: RepositoryFile, _ advice: (Substring) -> String?) -> [Finding] {
  file.lines.enumerated().compactMap { index, line in
    advice(line).map { Finding(path: file.path, line: index + 1, advice: $0) }
  }
}
