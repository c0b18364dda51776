// SPDX-License-Identifier: Apache-2.0

enum SafetyRules {
  /// Modules that may hold unsafe code, in files named for it.
  static let unsafeModules: Set = [
    "XDP", "Dataplane", "Tables", "Telemetry", "Forwarding", "Sealing", "HostNetwork", "Transport",
  ]

  /// The one other file: a serial executor cannot be written without the word
  /// (docs/decisions/003-where-unsafe-code-is.md).
  static let executorFile = "Sources/ControlPlane/SerialQueueExecutor+Unsafe.swift"

  /// Whether unsafe code is at home in this file.
  static func mayBeUnsafe(_ file: RepositoryFile) -> Bool {
    guard let module = file.module else { return true }
    if file.path == executorFile { return true }
    guard unsafeModules.contains(module) else { return false }
    return file.name.hasSuffix("+Unsafe.swift")
      || (module == "XDP" && file.name.hasSuffix("Ring.swift"))
  }

  static let unsafeOnlyWhereItIsNamed: Rule = { file in
    guard !mayBeUnsafe(file) else { return [] }
    return codeFindings(file) { line in
      for word in SwiftCode.words(of: line) where isUnsafe(word) {
        return "\(word.text) belongs into a file named …+Unsafe.swift \(where_)"
      }
      return nil
    }
  }

  private static let where_ = "of \(unsafeModules.sorted().joined(separator: ", "))"

  private static func isUnsafe(_ word: SwiftCode.Word) -> Bool {
    let plain: Set = [
      "unsafe", "OpaquePointer", "Unmanaged", "_overrideLifetime", "unsafeBitCast",
      "withoutActuallyEscaping",
    ]
    if plain.contains(word.text) { return true }
    if word.text == "unchecked" {
      return word.before == UInt8(ascii: "@") && word.after.hasPrefix(" Sendable")
    }
    for prefix in ["Unsafe", "withUnsafe"] where word.text.hasPrefix(prefix) {
      return word.text.dropFirst(prefix.count).first.map(\.isUppercase) ?? false
    }
    return false
  }

  static let nothingEndsTheProcess: Rule = { file in
    guard file.module != nil else { return [] }
    return codeFindings(file) { line in
      if line.contains("try!") { return "replace try! by a catch that says what to do" }
      if line.contains("as!") { return "replace as! by as? and handle the other case" }
      if SwiftCode.words(of: line).contains(where: { $0.text == "fatalError" }) {
        return "replace fatalError by a thrown error, or by a precondition with a sentence"
      }
      if unwraps(line) { return "replace the force unwrap by guard let, or by a thrown error" }
      return nil
    }
  }

  /// Whether an exclamation mark follows a value or a type without a blank.
  private static func unwraps(_ line: String) -> Bool {
    let bytes = Array(line.utf8)
    return bytes.indices.dropFirst().contains { index in
      guard bytes[index] == UInt8(ascii: "!") else { return false }
      let before = bytes[index - 1]
      let next = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: " ")
      let followsValue =
        SwiftCode.isPartOfWord(before) || ")]}?>\"".utf8.contains(before)
      return followsValue && next != UInt8(ascii: "=")
    }
  }
}

/// The findings of a rule that looks at code line by line.
func codeFindings(_ file: RepositoryFile, _ advice: (String) -> String?) -> [Finding] {
  SwiftCode(file.text ?? "").lines.compactMap { line in
    advice(line.text).map { Finding(path: file.path, line: line.number, advice: $0) }
  }
}
