// SPDX-License-Identifier: Apache-2.0

internal import HostNetwork
internal import Inet
package import Mesh

extension ControlPlane {
  /// Is connected to these peers from now on, as well as to those before or, with `isReplacing`,
  /// instead of them.
  ///
  /// Each target is one that `PeerTarget` reads.
  package func connect(_ targets: [String], isReplacing: Bool) async throws(ControlPlaneError) {
    try checkMesh()
    aim(at: targets, isReplacing: isReplacing)
  }

  /// Dials these peers no more; what is connected stays so.
  package func forget(_ targets: [String]) async throws(ControlPlaneError) {
    try checkMesh()
    drop(targets)
  }

  private func checkMesh() throws(ControlPlaneError) {
    if isStopping { throw .stopping }
    if mesh == nil { throw .noMesh }
  }

  /// What people see of the mesh; nil if there is none.
  package func meshReport() -> MeshReport? {
    guard let machine = mesh?.machine else { return nil }
    var report = machine.report(now: meshNow)
    let neighbours = Dictionary(machine.forwarding.neighbours.map { ($0.name, $0) }) { $1 }
    for index in report.connections.indices {
      guard let peer = report.connections[index].peer, let neighbour = neighbours[peer],
        neighbour.isEstablished
      else { continue }
      describeFrames(to: neighbour, in: &report.connections[index])
    }
    return report
  }

  /// Says how frames to a neighbour travel, or why they do not.
  private func describeFrames(
    to neighbour: MeshForwarding.Neighbour, in connection: inout MeshReport.Connection
  ) {
    guard mesh?.peers[neighbour.name] != nil else {
      connection.problem =
        "no frames are sent to it: no short number of its own, or the forwarding tables are full"
      return
    }
    let carrier = carrier(of: neighbour)
    if let carrier, carrier != neighbour.chosen {
      connection.overlay = carrier.rawValue
      connection.overlayReason = "fastdp has no way at present: sealed, it needs AF_XDP"
    }
    switch carrier.flatMap({ neighbour.link(by: $0) })?.remote.flatMap({ mesh?.ways[$0.address] }) {
    case .direct?: connection.underlay = "xdp"
    case .kernel(_, let reason)?:
      connection.underlay = "socket"
      connection.underlayReason = reason
    case .none(let reason)?: connection.problem = "no frames are sent to it: \(reason)"
    case nil: connection.problem = "no frames are sent to it: its address is not known yet"
    }
  }
}
