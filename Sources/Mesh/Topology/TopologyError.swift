// SPDX-License-Identifier: Apache-2.0

/// Why an update is refused as a whole; nothing of it is taken.
public enum TopologyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// With the update there would be more peers than are kept.
  case tooManyPeers(count: Int, limit: Int)
  /// With the update there would be more connections than are kept.
  case tooManyConnections(count: Int, limit: Int)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .tooManyPeers(let count, let limit): TopologyError.sentence(count, "peers", limit)
    case .tooManyConnections(let count, let limit):
      TopologyError.sentence(count, "connections", limit)
    }
  }

  private static func sentence(_ count: Int, _ what: String, _ limit: Int) -> String {
    "a topology update would make \(count) \(what) known, at most \(limit) are accepted: "
      + "look for a peer that invents others, or split the mesh"
  }
}
