// SPDX-License-Identifier: Apache-2.0

/// A struct: the fields that were sent, which are those that are not zero.
///
/// The typed readers give zero for a field that is missing, as Go does, and throw if it is of
/// another type. Fields that nobody asks for do no harm.
public struct GobStructure: Sendable {
  /// A value with its name.
  public struct Field: Sendable, Equatable {
    /// The field's name in the sender's definition.
    public var name: String
    /// What it holds.
    public var value: GobValue

    /// Names a value.
    public init(name: String, value: GobValue) {
      self.name = name
      self.value = value
    }
  }

  /// The fields in the order of the definition.
  public var fields: [Field]
  /// Where in the stream the structure begins; no part of its value.
  public var offset: Int

  /// Puts a structure together.
  public init(_ fields: KeyValuePairs<String, GobValue>) {
    self.init(fields: fields.map { Field(name: $0.key, value: $0.value) }, offset: 0)
  }

  init(fields: [Field], offset: Int) {
    self.fields = fields
    self.offset = offset
  }

  /// The field with a name; nil if it was not sent.
  public subscript(name: String) -> GobValue? {
    fields.first { $0.name == name }?.value
  }

  /// A field that is a truth value.
  public func bool(_ name: String) throws(GobError) -> Bool {
    guard let value = self[name] else { return false }
    return try value.bool(at: offset)
  }

  /// A field that is a signed number.
  public func int(_ name: String) throws(GobError) -> Int64 {
    guard let value = self[name] else { return 0 }
    return try value.int(at: offset)
  }

  /// A field that is an unsigned number.
  public func uint(_ name: String) throws(GobError) -> UInt64 {
    guard let value = self[name] else { return 0 }
    return try value.uint(at: offset)
  }

  /// A field of bytes.
  public func bytes(_ name: String) throws(GobError) -> [UInt8] {
    guard let value = self[name] else { return [] }
    return try value.bytes(at: offset)
  }

  /// A field that is text.
  public func string(_ name: String) throws(GobError) -> String {
    guard let value = self[name] else { return "" }
    return try value.string(at: offset)
  }

  /// A field that is a structure, or a pointer to one; nil if it was not sent.
  public func structure(_ name: String) throws(GobError) -> GobStructure? {
    try self[name]?.structure(at: offset)
  }

  /// A field that is a slice or an array.
  public func sequence(_ name: String) throws(GobError) -> [GobValue] {
    guard let value = self[name] else { return [] }
    return try value.sequence(at: offset)
  }

  /// A field that is a map; nil if it was not sent, which differs from an empty one.
  public func map(_ name: String) throws(GobError) -> [GobEntry]? {
    try self[name]?.map(at: offset)
  }
}

extension GobStructure: Equatable {
  /// Compares the fields, wherever they were read.
  public static func == (left: GobStructure, right: GobStructure) -> Bool {
    left.fields == right.fields
  }
}
