// SPDX-License-Identifier: Apache-2.0

/// Writes values to one stream, each after the definitions that the stream lacks.
///
/// Types are numbered and defined in Go's order, so that equal values give the bytes that a Go
/// program with the same types would write: a struct gets its number before its fields, a slice or
/// a map after its parts, and a definition comes before those of the parts.
public struct GobEncoder: Sendable {
  /// The stream so far.
  public private(set) var bytes: [UInt8] = []
  private var numbers: [GobType: Int64] = [:]
  private var defined: Set<GobType> = []
  private var nextNumber: Int64

  /// Starts a stream whose types are numbered from `firstNumber`, which is at least 64.
  public init(firstNumber: Int64 = 65) {
    precondition(firstNumber >= GobDefinition.firstNumber, "a number that is free to use")
    nextNumber = firstNumber
  }

  /// Writes a value, which must be of the type; fields that a structure lacks are zero, or nil.
  public mutating func encode(_ value: GobValue, as type: GobType) {
    assignNumber(type)
    define(type)
    var message: [UInt8] = []
    message.appendGob(number(of: type))
    if !type.isStructure { message.append(0) }
    GobEncoder.append(value, type, to: &message)
    append(message: message)
  }

  private mutating func append(message: [UInt8]) {
    bytes.appendGob(UInt64(message.count))
    bytes += message
  }

  private func number(of type: GobType) -> Int64 { type.builtInNumber ?? numbers[type] ?? 0 }

  private mutating func assignNumber(_ type: GobType) {
    guard type.builtInNumber == nil, numbers[type] == nil else { return }
    if !type.isStructure {
      for part in type.parts { assignNumber(part) }
    }
    numbers[type] = nextNumber
    nextNumber += 1
    if type.isStructure {
      for part in type.parts { assignNumber(part) }
    }
  }

  private mutating func define(_ type: GobType) {
    guard type.builtInNumber == nil, defined.insert(type).inserted else { return }
    var message: [UInt8] = []
    message.appendGob(-number(of: type))
    // The fields of Go's description of types: which kind it is, then what all kinds have.
    switch type {
    case .sequence(let name, let element):
      message += [2, 1] + commonPart(name, type)
      message.append(1)
      message.appendGob(number(of: element))
    case .structure(let name, let fields):
      message += [3, 1] + commonPart(name, type)
      appendFields(fields, to: &message)
    case .map(let name, let key, let element):
      message += [4, 1] + commonPart(name, type)
      message.append(1)
      message.appendGob(number(of: key))
      message.append(1)
      message.appendGob(number(of: element))
    default: return
    }
    message += [0, 0]
    append(message: message)
    for part in type.parts { define(part) }
  }

  private func commonPart(_ name: String, _ type: GobType) -> [UInt8] {
    var part: [UInt8] = []
    if !name.isEmpty {
      part.append(1)
      part.appendGob(name)
    }
    part.append(name.isEmpty ? 2 : 1)
    part.appendGob(number(of: type))
    part.append(0)
    return part
  }

  private func appendFields(_ fields: [GobField], to message: inout [UInt8]) {
    guard !fields.isEmpty else { return }
    message.append(1)
    message.appendGob(UInt64(fields.count))
    for field in fields {
      let isNamed = !field.name.isEmpty
      if isNamed {
        message.append(1)
        message.appendGob(field.name)
      }
      message.append(isNamed ? 1 : 2)
      message.appendGob(number(of: field.type))
      message.append(0)
    }
  }

  private static func append(_ value: GobValue, _ type: GobType, to message: inout [UInt8]) {
    switch (value, type) {
    case (.bool(let value), .bool): message.append(value ? 1 : 0)
    case (.int(let value), .int): message.appendGob(value)
    case (.uint(let value), .uint): message.appendGob(value)
    case (.float(let value), .float): message.appendGob(value)
    case (.complex(let real, let imaginary), .complex):
      message.appendGob(real)
      message.appendGob(imaginary)
    case (.bytes(let value), .bytes): message.appendGob(value)
    case (.string(let value), .string): message.appendGob(value)
    case (.structure(let value), .structure(_, let fields)):
      append(value, fields, to: &message)
    case (.sequence(let values), .sequence(_, let element)):
      message.appendGob(UInt64(values.count))
      for value in values { append(value, element, to: &message) }
    case (.map(let entries), .map(_, let key, let element)):
      message.appendGob(UInt64(entries.count))
      for entry in entries {
        append(entry.key, key, to: &message)
        append(entry.value, element, to: &message)
      }
    default: preconditionFailure("a value is encoded as the type that it has")
    }
  }

  private static func append(
    _ value: GobStructure, _ fields: [GobField], to message: inout [UInt8]
  ) {
    var previous = -1
    for (index, field) in fields.enumerated() {
      guard let value = value[field.name], !value.isLeftOut else { continue }
      message.appendGob(UInt64(index - previous))
      append(value, field.type, to: &message)
      previous = index
    }
    message.append(0)
  }
}

extension GobValue {
  /// Whether a field with this value is not sent; an empty map is.
  fileprivate var isLeftOut: Bool {
    switch self {
    case .bool(let value): !value
    case .int(let value): value == 0
    case .uint(let value): value == 0
    case .float(let value): value == 0
    case .complex(let real, let imaginary): real == 0 && imaginary == 0
    case .bytes(let value): value.isEmpty
    case .string(let value): value.isEmpty
    case .sequence(let values): values.isEmpty
    case .structure, .map, .interface: false
    }
  }
}

extension [UInt8] {
  fileprivate mutating func appendGob(_ number: UInt64) {
    guard number > 127 else { return append(UInt8(number)) }
    let count = (64 - number.leadingZeroBitCount + 7) / 8
    append(UInt8(256 - count))
    for index in (0..<count).reversed() {
      append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index)))
    }
  }

  fileprivate mutating func appendGob(_ number: Int64) {
    let doubled = UInt64(bitPattern: number) << 1
    appendGob(number < 0 ? ~doubled : doubled)
  }

  fileprivate mutating func appendGob(_ number: Double) {
    appendGob(number.bitPattern.byteSwapped)
  }

  fileprivate mutating func appendGob(_ bytes: some Collection<UInt8>) {
    appendGob(UInt64(bytes.count))
    append(contentsOf: bytes)
  }

  fileprivate mutating func appendGob(_ text: String) { appendGob(text.utf8) }
}
