// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet

/// Where a key stands and what it means, for the kinds of settings below.
struct ConfigurationKeyName {
  let table: String
  let name: String
  let takesEffect: ConfigurationKey.Effect
  let meaning: String

  func key(type: String, fallback: String?, accepted: String) -> ConfigurationKey {
    ConfigurationKey(
      table: table, name: name, type: type, fallback: fallback, accepted: accepted,
      takesEffect: takesEffect, meaning: meaning)
  }
}

extension ConfigurationSetting {
  /// One of a few words.
  static func choice(
    _ name: ConfigurationKeyName, default fallback: Value, of words: [(String, Value)]
  ) -> Self {
    let quoted = words.map { Quoted.text($0.0) }
    let defaultWord = words.first { "\($0.1)" == "\(fallback)" }?.0 ?? "\(fallback)"
    return ConfigurationSetting(
      key: name.key(
        type: "text", fallback: Quoted.text(defaultWord), accepted: listed(quoted, "or")),
      fallback: fallback
    ) { node in
      guard case .text(let text) = node.content else {
        return .bad("\(node.kind), not a word in quotes")
      }
      if let word = words.first(where: { $0.0 == text }) { return .good(word.1) }
      let nearest = nearestWord(to: text, among: words.map(\.0))
      let hint = nearest.map { "; did you mean \(Quoted.text($0))?" } ?? ""
      return .bad("\(Quoted.text(text)) is not one of its words\(hint)")
    }
  }
}

extension ConfigurationSetting where Value: FixedWidthInteger {
  /// A whole number; `unit` names what is counted.
  static func number(
    _ name: ConfigurationKeyName, in range: ClosedRange<Int>, default fallback: Value?,
    unit: String? = nil
  ) -> Self {
    let counted = unit.map { " of \($0)" } ?? ""
    return ConfigurationSetting(
      key: name.key(
        type: "number", fallback: fallback.map { "\($0)" },
        accepted: "a whole number\(counted) from \(range.lowerBound) to \(range.upperBound)"),
      fallback: fallback
    ) { node in
      readNumber(node, in: range).map { Value(truncatingIfNeeded: $0) }
    }
  }
}

extension ConfigurationSetting where Value == UInt32 {
  /// A share in percent, with or without a fraction, as parts in a million.
  static func percentage(_ name: ConfigurationKeyName) -> Self {
    ConfigurationSetting(
      key: name.key(
        type: "percentage", fallback: "0",
        accepted: "a number of percent from 0 to 100, like 10 or 0.5"),
      fallback: 0
    ) { node in
      let percent: Double
      switch node.content {
      case .integer(let number): percent = Double(number)
      case .decimal(let number): percent = number
      default: return .bad("\(node.kind), not a number; write the percent alone, without quotes")
      }
      if percent.isNaN { return .bad("is not a number") }
      if percent < 0 { return .bad("\(percent) is too small") }
      if percent > 100 { return .bad("\(percent) is too large") }
      let share = percent * Double(FaultSettings.scale / 100)
      guard percent == 0 || share >= 1 else { return .bad("\(percent) is less than 0.0001") }
      return .good(UInt32(share.rounded()))
    }
  }
}

extension ConfigurationSetting where Value == Int {
  /// A power of two.
  static func powerOfTwo(
    _ name: ConfigurationKeyName, in range: ClosedRange<Int>, default fallback: Int
  ) -> Self {
    ConfigurationSetting(
      key: name.key(
        type: "number", fallback: "\(fallback)",
        accepted: "a power of two from \(range.lowerBound) to \(range.upperBound)"),
      fallback: fallback
    ) { node in
      let reading = readNumber(node, in: range)
      guard let number = reading.value, number.nonzeroBitCount != 1 else { return reading }
      let below = 1 << (Int.bitWidth - 1 - number.leadingZeroBitCount)
      return .bad(
        "\(number) is not a power of two; the nearest are \(below) and \(below * 2)")
    }
  }
}

extension ConfigurationSetting where Value == Int? {
  /// A whole number that may be left out, with what then holds in words.
  static func optionalNumber(
    _ name: ConfigurationKeyName, in range: ClosedRange<Int>, default fallback: String,
    unit: String
  ) -> Self {
    ConfigurationSetting(
      key: name.key(
        type: "number", fallback: fallback,
        accepted: "a whole number of \(unit) from \(range.lowerBound) to \(range.upperBound)"),
      fallback: .some(nil)
    ) { node in
      readNumber(node, in: range).map { .some($0) }
    }
  }
}

extension ConfigurationSetting where Value == [Int]? {
  /// A list of different numbers that may be left out, with what then holds in words.
  static func distinctNumbers(
    _ name: ConfigurationKeyName, noun: String, in range: ClosedRange<Int>, countMax: Int,
    default fallback: String
  ) -> Self {
    ConfigurationSetting(
      key: name.key(
        type: "list of numbers", fallback: fallback,
        accepted: "a list like [0] or [2, 3] of 1 to \(countMax) different \(noun) numbers from "
          + "\(range.lowerBound) to \(range.upperBound)"),
      fallback: .some(nil)
    ) { node in
      guard case .array(let elements) = node.content else {
        return .bad("\(node.kind), not a list")
      }
      guard !elements.isEmpty else {
        return .bad("the list is empty; name at least one \(noun) or leave the key out")
      }
      guard elements.count <= countMax else {
        return .bad("\(elements.count) \(noun)s are more than \(countMax)")
      }
      return readDistinct(elements, noun: noun, in: range)
    }
  }
}

extension ConfigurationSetting where Value == String {
  /// Text with a rule; the rule says what is wrong, or nil.
  static func text(
    _ name: ConfigurationKeyName, default fallback: String?, accepted: String,
    rule: @escaping @Sendable (String) -> String?
  ) -> Self {
    ConfigurationSetting(
      key: name.key(type: "text", fallback: fallback.map(Quoted.text), accepted: accepted),
      fallback: fallback
    ) { node in
      guard case .text(let text) = node.content else {
        return .bad("\(node.kind), not text in quotes")
      }
      if let problem = rule(text) { return .bad("\(Quoted.text(text)) \(problem)") }
      return .good(text)
    }
  }
}

extension ConfigurationSetting where Value == IPv4Address {
  /// The address of one host.
  static func unicastAddress(_ name: ConfigurationKeyName) -> Self {
    ConfigurationSetting(
      key: name.key(
        type: "text", fallback: nil, accepted: "an IPv4 address of one host like \"192.0.2.1\""),
      fallback: nil
    ) { node in
      guard case .text(let text) = node.content else {
        return .bad("\(node.kind), not text in quotes")
      }
      guard let address = IPv4Address(text) else {
        return .bad("\(Quoted.text(text)) is not an IPv4 address")
      }
      guard address.isUnicast else {
        return .bad("\(address) is not the address of one other host")
      }
      return .good(address)
    }
  }
}

extension ConfigurationReading {
  func map<Other>(_ transform: (Value) -> Other) -> ConfigurationReading<Other> {
    ConfigurationReading<Other>(
      value: value.map(transform),
      complaints: complaints.map { .init(line: $0.line, message: $0.message) })
  }
}

private func readNumber(
  _ node: TOMLNode, in range: ClosedRange<Int>
) -> ConfigurationReading<Int> {
  switch node.content {
  case .integer(let number) where range.contains(number): return .good(number)
  case .integer(let number) where number < range.lowerBound: return .bad("\(number) is too small")
  case .integer(let number): return .bad("\(number) is too large")
  case .text(let text):
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, digits.count <= 10 else { return .bad("\(node.kind), not a number") }
    let without = digits.count == text.count ? "without quotes" : "without quotes and unit"
    return .bad("\(node.kind), not a number; write the number alone, \(without)")
  case .decimal: return .bad("\(node.kind), not a whole one")
  default: return .bad("\(node.kind), not a number")
  }
}

private func readDistinct(
  _ elements: [TOMLNode], noun: String, in range: ClosedRange<Int>
) -> ConfigurationReading<[Int]?> {
  var numbers: [Int] = []
  var seen: Set<Int> = []
  var complaints: [ConfigurationReading<[Int]?>.Complaint] = []
  for element in elements {
    let reading = readNumber(element, in: range)
    complaints += reading.complaints.map { .init(line: element.line, message: $0.message) }
    guard let number = reading.value else { continue }
    if seen.insert(number).inserted {
      numbers.append(number)
    } else {
      complaints.append(.init(line: element.line, message: "\(noun) \(number) is listed twice"))
    }
  }
  return ConfigurationReading(value: .some(numbers), complaints: complaints)
}
