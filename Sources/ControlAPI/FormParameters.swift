// SPDX-License-Identifier: Apache-2.0

/// Names with values, as queries and forms have them.
struct FormParameters: Sendable {
  /// What such a body is called.
  static let contentType = "application/x-www-form-urlencoded"

  /// In the order in which they stand; a name may come again.
  let pairs: [(name: String, value: String)]

  /// Wraps parameters.
  init(_ pairs: [(name: String, value: String)]) {
    self.pairs = pairs
  }

  /// Reads `name=value&…` with `+` for a blank and `%XX` for a byte; nil if an escape is broken or
  /// what it stands for is not UTF-8.
  init?(encoded text: some StringProtocol) {
    var pairs: [(name: String, value: String)] = []
    for part in text.utf8.split(separator: UInt8(ascii: "&")) {
      let sides = part.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = FormParameters.decoded(sides[0]),
        let value = sides.count == 2 ? FormParameters.decoded(sides[1]) : ""
      else { return nil }
      pairs.append((name, value))
    }
    self.pairs = pairs
  }

  /// The parameters in a form that `init(encoded:)` reads.
  var encoded: String {
    pairs.map { "\(FormParameters.encoded($0.name))=\(FormParameters.encoded($0.value))" }
      .joined(separator: "&")
  }

  /// All values of a name, in order.
  func values(of name: String) -> [String] {
    pairs.filter { $0.name == name }.map(\.value)
  }

  private static func decoded(_ text: some Collection<UInt8>) -> String? {
    var bytes: [UInt8] = []
    var rest = text.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit)
        else { return nil }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
  }

  private static func encoded(_ text: String) -> String {
    text.utf8.reduce(into: "") { encoded, byte in
      let scalar = UnicodeScalar(byte)
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_": encoded.unicodeScalars.append(scalar)
      default:
        encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
  }
}
