// SPDX-License-Identifier: Apache-2.0

/// The architecture as a table: which modules there are, how high, and on which side.
enum LayerRules {
  enum Side {
    /// Values both sides know, and what puts them together.
    case shared
    case control
    case data
  }

  struct Place {
    let layer: Int
    let side: Side
  }

  static let places: [String: Place] = {
    let rows: [(Int, Side, [String])] = [
      (
        0, .shared,
        [
          "CXDP", "CSodium", "CCiphers", "CLinux", "CPrograms", "CIntrinsics", "CLaboratory",
          "CProbe",
        ]
      ),
      (1, .shared, ["Forwarding", "Wire", "Tables", "Inet", "Telemetry", "Sealing"]),
      (2, .control, ["Mesh", "Gob", "IPAM", "DNS"]),
      (2, .data, ["XDP"]),
      (3, .control, ["Routing"]),
      (3, .data, ["Dataplane"]),
      (4, .control, ["ControlPlane", "Transport", "HostNetwork", "Store"]),
      (5, .control, ["ControlAPI", "DockerPlugin"]),
      (5, .shared, ["Node"]),
      (6, .shared, ["weftd", "weft", "weft-cni", "pktbench"]),
    ]
    var places: [String: Place] = [:]
    for (layer, side, modules) in rows {
      for module in modules { places[module] = Place(layer: layer, side: side) }
    }
    return places
  }()

  /// Why `module` may not import `other`; nil if it may.
  static func objection(_ module: String, imports other: String) -> String? {
    guard let place = places[module], let otherPlace = places[other] else { return nil }
    if otherPlace.layer > place.layer {
      return "imports go downwards: \(module) is layer \(place.layer), \(other) is "
        + "\(otherPlace.layer); hand the value in from above"
    }
    let sides = [place.side, otherPlace.side]
    if sides.contains(.control) && sides.contains(.data) {
      return "the two planes know each other only through Forwarding; put what both need there"
    }
    return nil
  }

  static let importsGoDownwards: Rule = { file in
    guard let module = file.module, file.isSwift else { return [] }
    guard places[module] != nil else {
      return [
        Finding(
          path: file.path, line: 1,
          advice: "\(module) has no place in the architecture; add it to LayerRules.places")
      ]
    }
    return imports(of: file).compactMap { line, other in
      objection(module, imports: other).map { Finding(path: file.path, line: line, advice: $0) }
    }
  }

  /// Libraries that only the upper layers know.
  static let librariesStayAbove: Rule = { file in
    guard let layer = file.module.flatMap({ places[$0]?.layer }), file.isSwift else { return [] }
    return imports(of: file).compactMap { line, name in
      let lowest = ["Foundation": 4, "FoundationEssentials": 4, "Logging": 3, "XCTest": 7][name]
      guard let lowest, layer < lowest else { return nil }
      let advice = "\(name) is for layers \(lowest) and up; this is layer \(layer)"
      return Finding(path: file.path, line: line, advice: advice)
    }
  }

  static let lowLayersNeverWait: Rule = { file in
    guard let layer = file.module.flatMap({ places[$0]?.layer }), file.isSwift, layer < 4
    else { return [] }
    return codeFindings(file) { line in
      let word = SwiftCode.words(of: line).first { ["async", "await", "actor"].contains($0.text) }
      return word.map { "\($0.text) is for layers 4 and up; take inputs and return effects" }
    }
  }

  /// What a Swift file imports, with lines.
  static func imports(of file: RepositoryFile) -> [(Int, String)] {
    SwiftCode(file.text ?? "").lines.compactMap { line in
      let words = line.text.split(separator: " ")
      guard let index = words.firstIndex(of: "import"),
        words[..<index].allSatisfy({ $0.hasPrefix("@") || importLevels.contains($0) }),
        let name = words.dropFirst(index + 1).first(where: { !kinds.contains($0) })
      else { return nil }
      return (line.number, String(name.split(separator: ".")[0]))
    }
  }

  private static let importLevels: Set<Substring> = ["public", "package", "internal", "private"]
  private static let kinds: Set<Substring> = [
    "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
  ]

  /// The dependencies of modules and programs as `Package.swift` declares them, with lines.
  static func declaredDependencies(
    _ package: RepositoryFile
  ) -> [(line: Int, module: String, dependencies: [String])] {
    let text = package.text ?? ""
    var found: [(line: Int, module: String, dependencies: [String])] = []
    // Names are between quotation marks, which are the odd pieces.
    for introducer in ["module(", "program("] {
      var rest = text[...]
      while let range = rest.firstRange(of: introducer) {
        rest = rest[range.upperBound...]
        let declaration = rest.prefix(untilClosing: ")")
        let pieces = declaration.split(separator: "\"", omittingEmptySubsequences: false)
        let names = pieces.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
        guard let module = names.first else { continue }
        let line = text[..<range.lowerBound].count { $0 == "\n" } + 1
        found.append((line, module, Array(names.dropFirst())))
      }
    }
    return found
  }
}

extension Substring {
  /// Up to the parenthesis that closes the one before the beginning.
  fileprivate func prefix(untilClosing closing: Character) -> Substring {
    var depth = 0
    for index in indices {
      if self[index] == "(" { depth += 1 }
      if self[index] == closing {
        if depth == 0 { return self[..<index] }
        depth -= 1
      }
    }
    return self
  }
}
