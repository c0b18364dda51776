// SPDX-License-Identifier: Apache-2.0

/// A request that names something unacceptable; the user can correct it from the text alone.
package struct RequestError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong, as one sentence without a full stop.
  package let message: String
  /// The JSON key at fault, with an index where it is a list: `addresses[1]`; nil if it is the
  /// request as a whole.
  package let field: String?
  /// What would have been right.
  package let accepted: String

  /// Describes one mistake.
  package init(_ message: String, field: String? = nil, accepted: String) {
    self.message = message
    self.field = field
    self.accepted = accepted
  }

  /// The mistake and the way out, in one sentence.
  package var description: String { "\(message): give \(accepted)" }
}

/// A request body whose fields are all known, so that a misspelt one is refused by name.
package protocol StrictRequest: Codable, Sendable, Equatable {
  /// Every JSON key of the request and what it accepts, in the order of the documentation.
  static var fields: [(name: String, accepted: String)] { get }
}

extension StrictRequest {
  /// The names of all fields, as a list for people.
  package static var fieldNames: String {
    fields.map(\.name).joined(separator: ", ")
  }

  /// What the field called `name` accepts; the list of fields if there is none of that name.
  package static func accepted(_ name: String) -> String {
    fields.first { $0.name == name }?.accepted ?? "only the fields \(fieldNames)"
  }

  /// Refuses a body with a key that no field has; the first in alphabetical order is named.
  static func refuseUnknownFields(_ decoder: any Decoder) throws {
    let known = Set(fields.map(\.name))
    let given = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    guard let unknown = given.filter({ !known.contains($0) }).min() else { return }
    let name = String(unknown.prefix(64))
    throw RequestError(
      "there is no field '\(name)'", field: name, accepted: "only the fields \(fieldNames)")
  }
}

extension KeyedDecodingContainer {
  /// Decodes a number; one that does not fit is refused by the name of its field.
  ///
  /// Foundation's decoder reports such a number as if the whole body were broken.
  func decodeNumber<Number: FixedWidthInteger & Decodable, Request: StrictRequest>(
    _ type: Number.Type, forKey key: Key, of request: Request.Type
  ) throws -> Number? {
    do {
      return try decodeIfPresent(type, forKey: key)
    } catch {
      let name = key.stringValue
      throw RequestError(
        "the value of '\(name)' is not usable", field: name, accepted: request.accepted(name))
    }
  }
}

/// A JSON key of any name.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) {
    self.stringValue = stringValue
  }

  init?(intValue: Int) {
    nil
  }
}
