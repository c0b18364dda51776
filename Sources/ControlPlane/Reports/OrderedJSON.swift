// SPDX-License-Identifier: Apache-2.0

/// JSON whose members keep their order, written like Go's encoder with an indent of four spaces.
///
/// For reports that programs of Weave's users read; all others are `Codable`.
package indirect enum OrderedJSON: Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  case counter(UInt64)
  case text(String)
  case list([OrderedJSON])
  case object([(key: String, value: OrderedJSON)])

  /// A list, or null instead of an empty one: what Go makes of a list that nobody began.
  static func unstartedList(_ elements: [OrderedJSON]) -> OrderedJSON {
    elements.isEmpty ? .null : .list(elements)
  }

  /// The text, over several lines and without a line break at the end.
  package var written: String {
    var text = ""
    write(to: &text, indent: "")
    return text
  }

  private func write(to text: inout String, indent: String) {
    switch self {
    case .null: text += "null"
    case .boolean(let flag): text += "\(flag)"
    case .integer(let number): text += "\(number)"
    case .counter(let number): text += "\(number)"
    case .text(let string): text += OrderedJSON.quoted(string)
    case .list(let elements):
      OrderedJSON.write(elements, between: ("[", "]"), to: &text, indent: indent) {
        $0.write(to: &$1, indent: $2)
      }
    case .object(let members):
      OrderedJSON.write(members, between: ("{", "}"), to: &text, indent: indent) {
        $1 += OrderedJSON.quoted($0.key) + ": "
        $0.value.write(to: &$1, indent: $2)
      }
    }
  }

  private static func write<Element>(
    _ elements: [Element], between brackets: (String, String), to text: inout String,
    indent: String, each: (Element, inout String, String) -> Void
  ) {
    text += brackets.0
    let inner = indent + "    "
    for (index, element) in elements.enumerated() {
      text += (index == 0 ? "\n" : ",\n") + inner
      each(element, &text, inner)
    }
    text += (elements.isEmpty ? "" : "\n" + indent) + brackets.1
  }

  /// Go escapes what could end a script in a page, too.
  private static func quoted(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..."\u{1F}", "<", ">", "&", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
