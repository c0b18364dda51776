// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Expects `value` to be the string `text` in JSON, in both directions.
func expectCodedAsText<Value: Codable & Equatable>(
  _ value: Value, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .withoutEscapingSlashes
  let json = String(decoding: try encoder.encode([value]), as: UTF8.self)
  #expect(json == "[\"\(text)\"]", sourceLocation: sourceLocation)
  let decoded = try JSONDecoder().decode([Value].self, from: Data(json.utf8))
  #expect(decoded == [value], sourceLocation: sourceLocation)
}

/// Expects `text` to be refused with a message that has it and an example of what is accepted; a
/// number in its place is refused as well.
func expectNotDecoded<Value: Decodable>(
  _: Value.Type, _ text: String, saying example: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let error = #expect(throws: DecodingError.self, sourceLocation: sourceLocation) {
    try JSONDecoder().decode([Value].self, from: Data("[\"\(text)\"]".utf8))
  }
  if case .dataCorrupted(let context) = error {
    #expect(context.debugDescription.contains("'\(text)'"), sourceLocation: sourceLocation)
    #expect(context.debugDescription.contains(example), sourceLocation: sourceLocation)
  } else {
    Issue.record("another error than corrupted data", sourceLocation: sourceLocation)
  }
  #expect(throws: DecodingError.self, sourceLocation: sourceLocation) {
    try JSONDecoder().decode([Value].self, from: Data("[1]".utf8))
  }
}
