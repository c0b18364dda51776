// SPDX-License-Identifier: Apache-2.0

/// A value as a stream says it; Go's widths of numbers are not in the stream.
public enum GobValue: Sendable, Equatable {
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case float(Double)
  case complex(real: Double, imaginary: Double)
  /// `[]byte`, and what a type of its own encoding says.
  case bytes([UInt8])
  /// Text; what is not UTF-8 has been repaired.
  case string(String)
  /// A struct.
  case structure(GobStructure)
  /// A slice or an array.
  case sequence([GobValue])
  /// A map, in the order of the stream.
  case map([GobEntry])
  /// An interface with its type's name; nil and without a name if nothing is in it.
  indirect case interface(typeName: String, GobValue?)
}

/// A key of a map with its value.
public struct GobEntry: Sendable, Equatable {
  /// The key.
  public var key: GobValue
  /// What it stands for.
  public var value: GobValue

  /// Pairs a key with a value.
  public init(_ key: GobValue, _ value: GobValue) {
    self.key = key
    self.value = value
  }
}

extension GobValue {
  /// A truth value; anything else is reported at `offset`.
  public func bool(at offset: Int) throws(GobError) -> Bool {
    guard case .bool(let value) = self else { throw unexpected("a truth value", offset) }
    return value
  }

  /// A signed number; anything else is reported at `offset`.
  public func int(at offset: Int) throws(GobError) -> Int64 {
    guard case .int(let value) = self else { throw unexpected("a signed number", offset) }
    return value
  }

  /// An unsigned number; anything else is reported at `offset`.
  public func uint(at offset: Int) throws(GobError) -> UInt64 {
    guard case .uint(let value) = self else { throw unexpected("an unsigned number", offset) }
    return value
  }

  /// Bytes; anything else is reported at `offset`.
  public func bytes(at offset: Int) throws(GobError) -> [UInt8] {
    guard case .bytes(let value) = self else { throw unexpected("bytes", offset) }
    return value
  }

  /// Text; anything else is reported at `offset`.
  public func string(at offset: Int) throws(GobError) -> String {
    guard case .string(let value) = self else { throw unexpected("text", offset) }
    return value
  }

  /// A structure; anything else is reported at `offset`.
  public func structure(at offset: Int) throws(GobError) -> GobStructure {
    guard case .structure(let value) = self else { throw unexpected("a structure", offset) }
    return value
  }

  /// A slice or an array; anything else is reported at `offset`.
  public func sequence(at offset: Int) throws(GobError) -> [GobValue] {
    guard case .sequence(let value) = self else { throw unexpected("a sequence", offset) }
    return value
  }

  /// A map; anything else is reported at `offset`.
  public func map(at offset: Int) throws(GobError) -> [GobEntry] {
    guard case .map(let value) = self else { throw unexpected("a map", offset) }
    return value
  }

  private func unexpected(_ expected: String, _ offset: Int) -> GobError {
    GobError(.unexpectedType(expected: expected), offset: offset)
  }
}
