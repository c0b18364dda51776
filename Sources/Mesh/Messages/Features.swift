// SPDX-License-Identifier: Apache-2.0

public import Inet

/// A peer as it presents itself.
public struct Features: Sendable, Equatable {
  /// Its name.
  public var name: PeerName
  /// What its people call it.
  public var nickname: String
  /// Drawn at its start; never 0.
  public var uid: UInt64
  /// Its half of the connection's number.
  public var connectionID: UInt64
  /// Its short number, if it has one.
  public var shortID: ShortID?
  /// Whether it trusts the path to us.
  public var isTrusting: Bool
  /// The overlays it speaks, best first; nil if it is too old to say.
  public var overlays: [String]?
  /// What only Weft peers tell each other: words of the key `Weft`, see `FeatureWord`.
  public var extensions: [String]
  /// How it seals frames, best first, by the names of `CipherSuite`; nil if it is not Weft, or has
  /// no password.
  public var suites: [String]?
  /// Whether it takes another password while a connection lives on.
  public var canReauthenticate = false

  /// Describes a peer.
  public init(
    name: PeerName, nickname: String, uid: UInt64, connectionID: UInt64, shortID: ShortID?,
    isTrusting: Bool, overlays: [String]?, extensions: [String]
  ) {
    self.name = name
    self.nickname = nickname
    self.uid = uid
    self.connectionID = connectionID
    self.shortID = shortID
    self.isTrusting = isTrusting
    self.overlays = overlays
    self.extensions = extensions
  }

  /// Reads what a peer sent; keys that nobody knows are ignored.
  ///
  /// - Throws: `FeatureError` that names the key.
  public init(_ map: FeatureMap) throws(FeatureError) {
    let reader = FeatureReader(entries: map.entries)
    try reader.checkFlavour()
    name = try reader.name()
    nickname = try reader.text(.nickname)
    uid = try reader.number(.uid)
    guard uid != 0 else { throw FeatureError(.uid, "is 0, which stands for a peer not met") }
    connectionID = try reader.number(.connectionID)
    shortID = try reader.shortID()
    isTrusting = try reader.truth(.isTrusting)
    overlays = reader.words(.overlays)
    extensions = reader.words(.extensions) ?? []
    suites = try reader.suites()
    canReauthenticate = map.entries[FeatureKey.keys.rawValue] == FeatureReader.keys
  }

  /// What is sent.
  public var map: FeatureMap {
    var entries: [FeatureKey: String] = [
      .flavour: FeatureReader.flavour,
      .name: name.description,
      .nickname: nickname,
      .uid: String(uid),
      .connectionID: String(connectionID),
      .isTrusting: String(isTrusting),
    ]
    entries[.shortID] = shortID.map { String($0.number) }
    entries[.overlays] = overlays?.joined(separator: " ")
    entries[.suites] = suites?.joined(separator: " ")
    if canReauthenticate { entries[.keys] = FeatureReader.keys }
    if !extensions.isEmpty { entries[.extensions] = extensions.joined(separator: " ") }
    let pairs = entries.map { ($0.key.rawValue, $0.value) }
    return FeatureMap(Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
  }
}

/// The words of the key `Weft`, each of which counts if both ends say it.
enum FeatureWord {
  /// Heartbeats come every 2 s, so that 8 s without one mean that an overlay does not get through,
  /// and who hears none any more says so.
  static let lively = "lively"
}

/// A feature that is missing or wrong.
public struct FeatureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The key.
  public var key: String
  /// What is wrong with its value.
  public var problem: String

  /// Names a key and what is wrong.
  public init(key: String, problem: String) {
    self.key = key
    self.problem = problem
  }

  /// A sentence for people.
  public var description: String { "the peer's feature \(key) \(problem)" }
}
