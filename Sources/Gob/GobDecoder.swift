// SPDX-License-Identifier: Apache-2.0

/// Reads the values of one stream.
///
/// The stream says itself what its types are; definitions may come in any order before the value
/// that needs them, and their numbers mean nothing beyond the stream. After an error the rest of
/// the stream is of no use.
public struct GobDecoder: Sendable {
  private var input: GobInput
  private let limits: GobLimits
  private var definitions = GobDefinition.builtIn
  private var definitionCount = 0
  private var valueCount = 0
  private var depth = 0

  /// Where the latest value's message begins.
  public private(set) var valueOffset = 0

  /// The first byte that was not read yet.
  public var offset: Int { input.position }

  /// Starts at the beginning of a stream.
  public init(_ stream: [UInt8], limits: GobLimits = GobLimits()) {
    input = GobInput(stream)
    self.limits = limits
  }

  /// The next value at top level, or nil at the stream's end.
  public mutating func next() throws(GobError) -> GobValue? {
    guard let type = try enterValue() else { return nil }
    let value = try topLevelValue(type)
    try input.leave()
    return value
  }

  /// Passes over the next value at top level without looking into it; false at the stream's end.
  public mutating func skip() throws(GobError) -> Bool {
    guard try enterValue() != nil else { return false }
    input.skip()
    try input.leave()
    return true
  }

  /// Enters the next message with a value and gives the value's type; nil at the stream's end.
  private mutating func enterValue() throws(GobError) -> Int64? {
    let definitionsBefore = definitionCount
    while input.remaining > 0 {
      valueOffset = input.position
      try enterMessage()
      let type = try input.int()
      if type >= 0 { return type }
      try define(type)
      try input.leave()
    }
    guard definitionCount == definitionsBefore else {
      throw GobError(.truncated, offset: input.position)
    }
    return nil
  }

  private mutating func enterMessage() throws(GobError) {
    let length = try input.uint()
    guard length <= UInt64(max(0, limits.messageLength)) else {
      throw input.tooLarge("a message of \(length) bytes")
    }
    guard length > 0 else { throw input.malformed("an empty message") }
    guard length <= UInt64(input.remaining) else {
      throw GobError(.truncated, offset: input.position)
    }
    input.enter(Int(length))
  }

  /// What is not a structure has a zero before it.
  private mutating func topLevelValue(_ type: Int64) throws(GobError) -> GobValue {
    if case .structure? = definitions[type] { return try value(type) }
    guard try input.byte() == 0 else { throw input.malformed("no zero before a single value") }
    return try value(type)
  }

  private mutating func define(_ negated: Int64) throws(GobError) {
    guard negated <= -GobDefinition.firstNumber, negated > Int64.min else {
      throw input.malformed("a definition of the type number \(negated.magnitude)")
    }
    guard definitions[-negated] == nil else {
      throw input.malformed("a second definition of the type number \(-negated)")
    }
    definitionCount += 1
    guard definitionCount <= limits.definitionCount else {
      throw input.tooLarge("more than \(limits.definitionCount) definitions")
    }
    let offset = input.position
    let body = try value(GobDefinition.describing)
    definitions[-negated] = try GobDefinition(body.structure(at: offset))
  }

  private mutating func value(_ type: Int64) throws(GobError) -> GobValue {
    valueCount += 1
    guard valueCount <= limits.valueCount else {
      throw input.tooLarge("more than \(limits.valueCount) values")
    }
    switch type {
    case 1: return .bool(try bool())
    case 2: return .int(try input.int())
    case 3: return .uint(try input.uint())
    case 4: return .float(try input.float())
    case 5: return .bytes(Array(try input.bytes(lengthMax: limits.textLength)))
    case 6: return .string(try text())
    case 7: return .complex(real: try input.float(), imaginary: try input.float())
    default: return try nestedValue(type)
    }
  }

  private mutating func nestedValue(_ type: Int64) throws(GobError) -> GobValue {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else {
      throw input.tooLarge("more than \(limits.depth) values within values")
    }
    if type == 8 { return try interface() }
    switch definitions[type] {
    case .structure(let fields): return .structure(try structure(fields))
    case .sequence(let element): return .sequence(try sequence(element))
    case .map(let key, let element): return .map(try map(key, element))
    case .opaque: return .bytes(Array(try input.bytes(lengthMax: limits.textLength)))
    case nil: throw input.malformed("the type number \(type), which nothing defines")
    }
  }

  private mutating func bool() throws(GobError) -> Bool {
    let number = try input.uint()
    guard number <= 1 else { throw input.malformed("the truth value \(number)") }
    return number == 1
  }

  private mutating func text() throws(GobError) -> String {
    String(decoding: try input.bytes(lengthMax: limits.textLength), as: UTF8.self)
  }

  /// Each field has before it by how much its index is above the one before; 0 ends them.
  private mutating func structure(
    _ definitions: [GobDefinition.Field]
  ) throws(GobError) -> GobStructure {
    var structure = GobStructure(fields: [], offset: input.position)
    var unused = definitions[...]
    while true {
      let delta = try input.uint()
      guard delta > 0 else { return structure }
      guard delta <= UInt64(unused.count) else {
        throw input.malformed("a field beyond a structure's end")
      }
      unused = unused.dropFirst(Int(delta) - 1)
      guard let field = unused.popFirst() else { return structure }
      structure.fields.append(.init(name: field.name, value: try value(field.type)))
    }
  }

  // The space for what follows is not reserved: counts within counts would multiply.
  private mutating func sequence(_ element: Int64) throws(GobError) -> [GobValue] {
    var values: [GobValue] = []
    for _ in 0..<(try input.count()) { values.append(try value(element)) }
    return values
  }

  private mutating func map(_ key: Int64, _ element: Int64) throws(GobError) -> [GobEntry] {
    var entries: [GobEntry] = []
    for _ in 0..<(try input.count(size: 2)) {
      let key = try value(key)
      entries.append(GobEntry(key, try value(element)))
    }
    return entries
  }

  /// The type's name, its number after definitions that come with it, a length and the value.
  private mutating func interface() throws(GobError) -> GobValue {
    let name = try text()
    guard !name.isEmpty else { return .interface(typeName: "", nil) }
    var type = try input.int()
    while type < 0 {
      try define(type)
      try continueAfterDefinition()
      type = try input.int()
    }
    input.enter(try input.count())
    let value = try topLevelValue(type)
    try input.leave()
    return .interface(typeName: name, value)
  }

  /// Goes on with a value that a definition interrupted: what had a length ends there, be it the
  /// message or a part of it, and the rest has a length of its own.
  private mutating func continueAfterDefinition() throws(GobError) {
    let isMessage = input.isMessage
    try input.leave()
    if isMessage {
      try enterMessage()
    } else {
      input.enter(try input.count())
    }
  }
}
