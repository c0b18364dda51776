// SPDX-License-Identifier: Apache-2.0

import Inet

/// The ways for gossip, calculated when something is passed on, and for frames, calculated at most
/// every 100 ms, and less often where that is much work.
struct MeshRoutes: Sendable {
  /// For gossip.
  var all: Routes
  /// For frames.
  var established: Routes
  /// When those for frames have to be calculated again; nil: they are right.
  private(set) var dueAt: MeshInstant?
  /// Whether those for gossip are behind the topology.
  private var isGossipStale = false
  private var calculatedAt: MeshInstant?

  /// Calculates both.
  init(_ topology: Topology) {
    all = Routes(topology, edges: .all)
    established = Routes(topology, edges: .established)
  }

  /// The topology changed.
  mutating func invalidate(now: MeshInstant) {
    isGossipStale = true
    guard dueAt == nil else { return }
    dueAt = max(now, calculatedAt?.advanced(by: pause) ?? now)
  }

  /// From one calculation to the next: long enough that all of them take about a tenth of the time,
  /// as a step takes some nanoseconds.
  private var pause: Duration {
    let work = Duration.nanoseconds(20 * established.stepCount)
    return min(max(work, MeshTiming.routes), MeshTiming.routesMax)
  }

  /// Calculates those for gossip again if they are behind, so that messages take the ways of now.
  mutating func renewForGossip(_ topology: Topology) {
    guard isGossipStale else { return }
    all = Routes(topology, edges: .all)
    isGossipStale = false
  }

  /// Calculates both again.
  mutating func calculate(_ topology: Topology, now: MeshInstant) {
    renewForGossip(topology)
    established = Routes(topology, edges: .established)
    dueAt = nil
    calculatedAt = now
  }
}
