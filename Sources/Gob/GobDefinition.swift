// SPDX-License-Identifier: Apache-2.0

/// What a stream says about one of its types; other types are named by their numbers.
enum GobDefinition: Sendable {
  struct Field: Sendable {
    let name: String
    let type: Int64
  }

  case structure([Field])
  case sequence(element: Int64)
  case map(key: Int64, element: Int64)
  /// A type that encodes itself as bytes.
  case opaque

  /// Numbers from here on are the stream's to define.
  static let firstNumber: Int64 = 64

  /// The types that definitions are made of.
  static let builtIn: [Int64: GobDefinition] = [
    16: .structure([
      Field(name: "ArrayT", type: 17), Field(name: "SliceT", type: 19),
      Field(name: "StructT", type: 20), Field(name: "MapT", type: 23),
      Field(name: "GobEncoderT", type: 24), Field(name: "BinaryMarshalerT", type: 24),
      Field(name: "TextMarshalerT", type: 24),
    ]),
    17: .structure([
      Field(name: "CommonType", type: 18), Field(name: "Elem", type: 2),
      Field(name: "Len", type: 2),
    ]),
    18: .structure([Field(name: "Name", type: 6), Field(name: "Id", type: 2)]),
    19: .structure([Field(name: "CommonType", type: 18), Field(name: "Elem", type: 2)]),
    20: .structure([Field(name: "CommonType", type: 18), Field(name: "Field", type: 22)]),
    21: .structure([Field(name: "Name", type: 6), Field(name: "Id", type: 2)]),
    22: .sequence(element: 21),
    23: .structure([
      Field(name: "CommonType", type: 18), Field(name: "Key", type: 2),
      Field(name: "Elem", type: 2),
    ]),
    24: .structure([Field(name: "CommonType", type: 18)]),
  ]

  /// The number of the type that describes types.
  static let describing: Int64 = 16

  /// Understands a value of the type that describes types.
  init(_ value: GobStructure) throws(GobError) {
    guard value.fields.count == 1, let field = value.fields.first else {
      throw GobError(.malformed("a definition of no type or of several"), offset: value.offset)
    }
    let body = try field.value.structure(at: value.offset)
    switch field.name {
    case "ArrayT", "SliceT": self = .sequence(element: try body.int("Elem"))
    case "MapT": self = .map(key: try body.int("Key"), element: try body.int("Elem"))
    case "StructT":
      var fields: [Field] = []
      for field in try body.sequence("Field") {
        let field = try field.structure(at: body.offset)
        fields.append(Field(name: try field.string("Name"), type: try field.int("Id")))
      }
      self = .structure(fields)
    default: self = .opaque
    }
  }
}
