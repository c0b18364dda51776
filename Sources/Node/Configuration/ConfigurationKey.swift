// SPDX-License-Identifier: Apache-2.0

/// What there is to know about one key of the configuration file.
package struct ConfigurationKey: Equatable, Sendable {
  /// The section the key stands in; empty for the top of the file.
  package let table: String
  /// The key within its section.
  package let name: String
  /// What kind of value it takes, in a word or two.
  package let type: String
  /// What holds if the key is absent, in words; nil if it must be there.
  package let fallback: String?
  /// The values it takes, in words.
  package let accepted: String
  /// What makes a running weftd use another value.
  package let takesEffect: Effect
  /// What the key does, in one sentence.
  package let meaning: String

  /// What makes a running weftd use a key's new value.
  package enum Effect: String, Sendable {
    /// SIGHUP, without a frame lost on the way.
    case reload
    /// Only the next start.
    case restart
  }

  /// The key with its section, like `workers.cores`.
  package var dottedName: String { table.isEmpty ? name : "\(table).\(name)" }
}

/// A section of the configuration file and its keys.
package struct ConfigurationTable: Equatable, Sendable {
  /// The name between the brackets; empty for the top of the file.
  package let name: String
  /// Whether there may be several, each under its own `[[name]]`.
  package let isRepeated: Bool
  /// Whether it says something to have the section, even without keys.
  package var isSwitch = false
  /// What the section is about, in one sentence.
  package let meaning: String
  /// Its keys in the order of the reference.
  package let keys: [ConfigurationKey]

  /// The line that begins the section.
  package var header: String { isRepeated ? "[[\(name)]]" : "[\(name)]" }
}

/// A key together with how its value is read.
///
/// The single source of what a file may hold: the reader, the reference and the tests all come from
/// the table of these in `ConfigurationSettings`.
struct ConfigurationSetting<Value: Sendable>: Sendable {
  let key: ConfigurationKey
  /// The value if the key is absent; nil if it must be there.
  let fallback: Value?
  /// Turns what was written into a value, or says what is wrong with it.
  let read: @Sendable (TOMLNode) -> ConfigurationReading<Value>
}

/// What came of reading a value.
struct ConfigurationReading<Value: Sendable>: Sendable {
  /// Nil if nothing of it was usable.
  var value: Value?
  /// What is wrong, each with the line of the array element it concerns, if it is one.
  var complaints: [Complaint] = []

  struct Complaint: Sendable {
    var line: Int?
    let message: String
  }

  static func good(_ value: Value) -> Self { Self(value: value) }

  static func bad(_ message: String) -> Self {
    Self(value: nil, complaints: [Complaint(message: message)])
  }
}
