// SPDX-License-Identifier: Apache-2.0

public import Inet

/// The ways through a topology, the same that every other peer computes (wire notes, section 10).
///
/// No frame carries a hop count: that nothing goes in circles depends on every peer finding the
/// same ways, so neither the order nor the moment of stopping may be different here.
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
  /// Connections that were walked over so far: how much work it was.
  public private(set) var stepCount = 0
  private let graph: TopologyGraph
  private let ownIndex: Int?
  /// What `broadcast` computed, by source.
  private var broadcasts: [PeerName: [PeerName]] = [:]

  /// Computes the ways from ourselves.
  public init(_ topology: Topology, edges: Edges) {
    self.edges = edges
    graph = TopologyGraph(topology.peers, edges: edges)
    ownIndex = graph.index(of: topology.ownName)
    guard let ownIndex else { return }
    unicast.reserveCapacity(graph.names.count)
    for (index, firstHop) in graph.firstHops(from: ownIndex).enumerated() where index != ownIndex {
      if let firstHop { unicast[graph.names[index]] = graph.names[firstHop] }
    }
  }

  /// The neighbours to whom we pass on what `source` broadcast, by name; computed when first asked
  /// for and kept.
  ///
  /// Nobody for a source that is not known, and for one whose broadcasts do not come here.
  public mutating func broadcast(from source: PeerName) -> [PeerName] {
    if let known = broadcasts[source] { return known }
    guard let ownIndex, let start = graph.index(of: source) else { return [] }
    // Established connections lead both ways. Without this each of a crowd that somebody invented
    // would be walked from.
    if edges == .established, start != ownIndex, unicast[source] == nil { return [] }
    let neighbours = graph.neighbours(of: ownIndex, notReachedFrom: start, steps: &stepCount)
    let names = neighbours.map { graph.names[$0] }
    broadcasts[source] = names
    return names
  }
}
