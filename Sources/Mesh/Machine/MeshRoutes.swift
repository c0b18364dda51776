// SPDX-License-Identifier: Apache-2.0

import Inet

/// The ways for gossip and for frames, calculated at most every 100 ms.
struct MeshRoutes: Sendable {
  /// For gossip.
  var all: Routes
  /// For frames.
  var established: Routes
  /// When they have to be calculated again; nil: they are right.
  private(set) var dueAt: MeshInstant?
  private var calculatedAt: MeshInstant?

  /// Calculates both.
  init(_ topology: Topology) {
    all = Routes(topology, edges: .all)
    established = Routes(topology, edges: .established)
  }

  /// The topology changed.
  mutating func invalidate(now: MeshInstant) {
    guard dueAt == nil else { return }
    dueAt = max(now, calculatedAt?.advanced(by: MeshTiming.routes) ?? now)
  }

  /// Calculates both again.
  mutating func calculate(_ topology: Topology, now: MeshInstant) {
    self = MeshRoutes(topology)
    calculatedAt = now
  }
}
