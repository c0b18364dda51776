// SPDX-License-Identifier: Apache-2.0

/// What a file holds, as it may be shown on a terminal: short, and without control characters.
package enum Quoted {
  /// Characters shown at most.
  package static let lengthMax = 48

  /// A piece of the file between quotation marks.
  package static func text(_ text: String) -> String { "\"\(plain(text))\"" }

  /// A key, quoted only if TOML would need it.
  package static func key(_ name: String) -> String {
    let isPlain = name.utf8.allSatisfy(isBare) && !name.isEmpty && name.utf8.count <= lengthMax
    return isPlain ? name : text(name)
  }

  /// Whether a key with this byte needs no quotes.
  static func isBare(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// `text` clipped, with control characters and quotation marks escaped.
  package static func plain(_ text: String, lengthMax: Int = lengthMax) -> String {
    var result = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
      guard index < lengthMax else { return result + "…" }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
        result += scalar.escaped(asASCII: true)
      default:
        result += scalar == "\"" ? "\\\"" : String(scalar)
      }
    }
    return result
  }
}
