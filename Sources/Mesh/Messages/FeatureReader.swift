// SPDX-License-Identifier: Apache-2.0

import Inet

/// The keys of a feature map that peers know.
enum FeatureKey: String {
  case flavour = "PeerNameFlavour"
  case name = "Name"
  case nickname = "NickName"
  case uid = "UID"
  case connectionID = "ConnID"
  case shortID = "ShortID"
  case isTrusting = "Trusted"
  case overlays = "Overlays"
  case extensions = "Weft"
  case suites = "WeftSuites"
  case keys = "WeftKeys"
}

/// Takes features out of the texts that carry them.
struct FeatureReader {
  /// How peers are named: by numbers of 48 bits.
  static let flavour = "mac"
  /// How connections get other keys: by messages of this version.
  static let keys = "1"
  /// Bytes of the names of suites; they go into the derivation of every key of sleeve.
  static let suitesLengthMax = 256

  let entries: [String: String]

  func text(_ key: FeatureKey) throws(FeatureError) -> String {
    guard let text = entries[key.rawValue] else { throw FeatureError(key, "is missing") }
    return text
  }

  func checkFlavour() throws(FeatureError) {
    guard try text(.flavour) == FeatureReader.flavour else {
      throw FeatureError(.flavour, "is not 'mac': the peer names peers in another way")
    }
  }

  func name() throws(FeatureError) -> PeerName {
    guard let name = PeerName(try text(.name)), name != .unknown else {
      throw FeatureError(.name, "is not a peer's name like 02:00:00:00:00:0a")
    }
    return name
  }

  func number(_ key: FeatureKey) throws(FeatureError) -> UInt64 {
    guard let number = FeatureReader.decimal(try text(key)) else {
      throw FeatureError(key, "is not a decimal number below 2^64")
    }
    return number
  }

  func shortID() throws(FeatureError) -> ShortID? {
    guard let text = entries[FeatureKey.shortID.rawValue] else { return nil }
    guard let shortID = FeatureReader.decimal(text).flatMap({ ShortID($0) }) else {
      throw FeatureError(.shortID, "is not a decimal number below \(ShortID.count)")
    }
    return shortID
  }

  /// False if it is missing; otherwise one of the words that Go's `ParseBool` takes.
  func truth(_ key: FeatureKey) throws(FeatureError) -> Bool {
    switch entries[key.rawValue] {
    case nil, "0", "f", "F", "false", "False", "FALSE": return false
    case "1", "t", "T", "true", "True", "TRUE": return true
    default: throw FeatureError(key, "is neither true nor false")
    }
  }

  func words(_ key: FeatureKey) -> [String]? {
    entries[key.rawValue].map { $0.split(separator: " ").map(String.init) }
  }

  func suites() throws(FeatureError) -> [String]? {
    guard let text = entries[FeatureKey.suites.rawValue] else { return nil }
    guard text.utf8.count <= Self.suitesLengthMax else {
      throw FeatureError(.suites, "is longer than \(Self.suitesLengthMax) bytes")
    }
    return words(.suites)
  }

  /// Digits only; zeros may lead.
  private static func decimal(_ text: String) -> UInt64? {
    guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    return UInt64(text)
  }
}

extension FeatureError {
  init(_ key: FeatureKey, _ problem: String) {
    self.init(key: key.rawValue, problem: problem)
  }
}
