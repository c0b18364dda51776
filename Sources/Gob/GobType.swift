// SPDX-License-Identifier: Apache-2.0

/// What an encoder tells about the values it writes.
///
/// Readers look at the kind and at the names of fields, never at the names of types.
public indirect enum GobType: Sendable, Hashable {
  case bool
  case int
  case uint
  case float
  case complex
  case bytes
  case string
  /// A struct.
  case structure(name: String, fields: [GobField])
  /// A slice; without a name, as Go's own slices mostly are, the name is empty.
  case sequence(name: String = "", element: GobType)
  /// A map; the name may be empty.
  case map(name: String = "", key: GobType, element: GobType)

  /// The number that every stream knows the type by; nil if the stream has to define it.
  var builtInNumber: Int64? {
    switch self {
    case .bool: 1
    case .int: 2
    case .uint: 3
    case .float: 4
    case .bytes: 5
    case .string: 6
    case .complex: 7
    case .structure, .sequence, .map: nil
    }
  }

  /// The types that this one is made of.
  var parts: [GobType] {
    switch self {
    case .structure(_, let fields): fields.map(\.type)
    case .sequence(_, let element): [element]
    case .map(_, let key, let element): [key, element]
    default: []
    }
  }

  var isStructure: Bool {
    if case .structure = self { true } else { false }
  }
}

/// A field of a struct that is written.
public struct GobField: Sendable, Hashable {
  /// Its name, by which readers find it.
  public var name: String
  /// What it holds.
  public var type: GobType

  /// Names a type.
  public init(_ name: String, _ type: GobType) {
    self.name = name
    self.type = type
  }
}
