// SPDX-License-Identifier: Apache-2.0

public import Gob

/// What the two ends of a connection tell each other first: text by key.
public struct FeatureMap: Sendable, Equatable {
  /// The entries.
  public var entries: [String: String]

  /// Wraps entries.
  public init(_ entries: [String: String]) { self.entries = entries }

  /// How many entries a map may have.
  public static let countMax = 256

  /// Reads the first frame of a session.
  ///
  /// - Throws: `GobError`, also beyond 256 entries.
  public init(gob: [UInt8]) throws(GobError) {
    var limits = GobLimits()
    limits.valueCount = 4 * FeatureMap.countMax
    var decoder = GobDecoder(gob, limits: limits)
    guard let value = try decoder.next() else {
      throw GobError(.truncated, offset: decoder.offset)
    }
    let offset = decoder.valueOffset
    let pairs = try value.map(at: offset)
    guard pairs.count <= FeatureMap.countMax else {
      throw GobError(.tooLarge("\(pairs.count) features"), offset: offset)
    }
    entries = [:]
    for pair in pairs {
      entries[try pair.key.string(at: offset)] = try pair.value.string(at: offset)
    }
  }

  /// The first frame of a session, keys in order.
  public var gob: [UInt8] {
    let pairs = entries.sorted { $0.key < $1.key }
    var encoder = GobEncoder()
    encoder.encode(
      .map(pairs.map { GobEntry(.string($0.key), .string($0.value)) }),
      as: .map(key: .string, element: .string))
    return encoder.bytes
  }
}
