// SPDX-License-Identifier: Apache-2.0

extension ConfigurationSetting where Value == Bool {
  /// True or false.
  static func flag(_ name: ConfigurationKeyName, default fallback: Bool) -> Self {
    ConfigurationSetting(
      key: name.key(type: "truth value", fallback: "\(fallback)", accepted: "true or false"),
      fallback: fallback
    ) { node in
      switch node.content {
      case .boolean(let flag): .good(flag)
      case .text(let text) where Bool(text) != nil:
        .bad("\(node.kind), not a truth value; write it without quotes")
      default: .bad("\(node.kind), not a truth value")
      }
    }
  }
}

extension ConfigurationSetting {
  /// Text that may be left out, with what then holds in words; `parse` says what is wrong with it.
  static func optionalText<Wrapped>(
    _ name: ConfigurationKeyName, default fallback: String, accepted: String,
    parse: @escaping @Sendable (String) -> ConfigurationReading<Wrapped>
  ) -> Self where Value == Wrapped? {
    ConfigurationSetting(
      key: name.key(type: "text", fallback: fallback, accepted: accepted), fallback: .some(nil)
    ) { node in
      readText(node, parse).map { .some($0) }
    }
  }

  /// A list of different texts, of `limit` at most; `parse` says what is wrong with one.
  static func distinctTexts<Element: Hashable>(
    _ name: ConfigurationKeyName, atMost limit: Int = .max, accepted: String,
    parse: @escaping @Sendable (String) -> ConfigurationReading<Element>
  ) -> Self where Value == [Element] {
    ConfigurationSetting(
      key: name.key(type: "list of texts", fallback: "none", accepted: accepted), fallback: []
    ) { node in
      guard case .array(let nodes) = node.content else { return .bad("\(node.kind), not a list") }
      var reading = ConfigurationReading<[Element]>(value: nil)
      var elements: [Element] = []
      var seen: Set<Element> = []
      for node in nodes {
        let one = readText(node, parse)
        reading.complaints += one.complaints.map { .init(line: node.line, message: $0.message) }
        guard let element = one.value else { continue }
        if seen.insert(element).inserted {
          elements.append(element)
        } else {
          reading.complaints.append(
            .init(line: node.line, message: "\(node.shown) is listed twice"))
        }
      }
      if nodes.count > limit {
        reading.complaints.append(.init(message: "the list has \(nodes.count)"))
      }
      reading.value = elements
      return reading
    }
  }
}

private func readText<Value>(
  _ node: TOMLNode, _ parse: (String) -> ConfigurationReading<Value>
) -> ConfigurationReading<Value> {
  guard case .text(let text) = node.content else {
    return .bad("\(node.kind), not text in quotes")
  }
  let reading = parse(text)
  return ConfigurationReading(
    value: reading.value,
    complaints: reading.complaints.map { .init(message: "\(node.shown) \($0.message)") })
}

extension TOMLNode {
  /// The text that it is, for a message.
  fileprivate var shown: String {
    if case .text(let text) = content { Quoted.text(text) } else { kind }
  }
}
