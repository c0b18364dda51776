// SPDX-License-Identifier: Apache-2.0

/// A strict reader of Prometheus' text format, version 0.0.4, as far as Weft writes it.
struct PrometheusForm {
  struct Sample: Equatable {
    var labels: [String: String] = [:]
    var value: Double
  }

  struct Family: Equatable {
    let name: String
    let kind: String
    var samples: [Sample] = []
  }

  struct Mistake: Error, CustomStringConvertible {
    let description: String
  }

  /// In the order of the text.
  private(set) var families: [Family] = []

  init(_ text: String) throws {
    guard text.hasSuffix("\n") || text.isEmpty else { throw Mistake(description: "no line break") }
    var help: String?
    // Of bytes, as a line break combines with a carriage return before it.
    for bytes in text.utf8.split(separator: 10, omittingEmptySubsequences: false).dropLast() {
      let line = Substring(bytes)
      do {
        try read(line, after: &help)
      } catch {
        throw Mistake(description: "\(error): \(line)")
      }
    }
    guard help == nil else { throw Mistake(description: "text ends after HELP") }
  }

  /// The samples of a name; none if there is no such family.
  func samples(_ name: String) -> [Sample] { families.first { $0.name == name }?.samples ?? [] }

  /// The value of the one sample that has these labels.
  func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
    samples(name).first { $0.labels == labels }?.value
  }

  private mutating func read(_ line: Substring, after help: inout String?) throws {
    if line.hasPrefix("# HELP ") {
      guard help == nil else { throw Mistake(description: "HELP follows HELP") }
      let words = line.split(separator: " ", maxSplits: 3)
      guard words.count == 4, Self.isName(words[2]) else { throw Mistake(description: "HELP") }
      help = String(words[2])
    } else if line.hasPrefix("# TYPE ") {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      guard words.count == 4, help == String(words[2]), ["counter", "gauge"].contains(words[3])
      else { throw Mistake(description: "TYPE") }
      guard !families.contains(where: { $0.name == words[2] }) else {
        throw Mistake(description: "the family is there already")
      }
      families.append(Family(name: String(words[2]), kind: String(words[3])))
      help = nil
    } else {
      guard help == nil, let family = families.last else { throw Mistake(description: "no TYPE") }
      let sample = try Self.sample(line, of: family.name)
      guard !family.samples.contains(where: { $0.labels == sample.labels }) else {
        throw Mistake(description: "the sample is there already")
      }
      families[families.count - 1].samples.append(sample)
    }
  }

  private static func sample(_ line: Substring, of family: String) throws -> Sample {
    guard line.hasPrefix(family) else { throw Mistake(description: "another family") }
    var rest = line.dropFirst(family.count)
    var labels: [String: String] = [:]
    if rest.first == "{" {
      repeat {
        rest = rest.dropFirst()
        let name = rest.prefix { $0 != "=" }
        guard isName(name), !name.contains(":"), !name.hasPrefix("__") else {
          throw Mistake(description: "label")
        }
        rest = rest.dropFirst(name.count + 1)
        guard labels.updateValue(try quoted(&rest), forKey: String(name)) == nil else {
          throw Mistake(description: "a label twice")
        }
      } while rest.first == ","
      guard rest.first == "}" else { throw Mistake(description: "labels have no end") }
      rest = rest.dropFirst()
    }
    guard rest.first == " ", let value = number(rest.dropFirst()) else {
      throw Mistake(description: "value")
    }
    return Sample(labels: labels, value: value)
  }

  private static func number(_ text: Substring) -> Double? {
    switch text {
    case "+Inf": .infinity
    case "-Inf": -.infinity
    case "NaN": .nan
    default: text.allSatisfy { "+-.e".contains($0) || $0.isNumber } ? Double(text) : nil
    }
  }

  private static func quoted(_ rest: inout Substring) throws -> String {
    var text = String.UnicodeScalarView()
    // A mark in a label may combine with the quote before it.
    var scalars = rest.unicodeScalars
    guard scalars.popFirst() == "\"" else { throw Mistake(description: "no quote") }
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\"":
        rest = Substring(scalars)
        return String(text)
      case "\\":
        switch scalars.popFirst() {
        case "\\": text.append("\\")
        case "\"": text.append("\"")
        case "n": text.append("\n")
        default: throw Mistake(description: "escape")
        }
      default: text.append(scalar)
      }
    }
    throw Mistake(description: "the quotes have no end")
  }

  private static func isName(_ text: Substring) -> Bool {
    text.wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*/) != nil
  }
}
