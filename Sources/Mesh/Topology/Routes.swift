// SPDX-License-Identifier: Apache-2.0

public import Inet

/// The ways through a topology, the same that every other peer computes (wire notes, section 10).
public struct Routes: Sendable {
  /// Which connections count.
  public enum Edges: Sendable {
    /// Those that one end names: for gossip.
    case all
    /// Those that both ends call established: for frames.
    case established
  }

  /// Which connections count.
  public let edges: Edges
  /// The first hop to every peer that can be reached; without ourselves.
  public private(set) var unicast: [PeerName: PeerName] = [:]

  /// Computes the ways from ourselves.
  public init(_ topology: Topology, edges: Edges) { self.edges = edges }

  /// The neighbours to whom we pass on what `source` broadcast, by name; computed when first asked
  /// for and kept.
  public mutating func broadcast(from source: PeerName) -> [PeerName] { [] }
}
