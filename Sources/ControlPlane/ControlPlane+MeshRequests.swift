// SPDX-License-Identifier: Apache-2.0

package import Mesh

extension ControlPlane {
  /// Is connected to these peers from now on, as well as to those before or, with `isReplacing`,
  /// instead of them.
  ///
  /// Each target is one that `PeerTarget` reads.
  package func connect(_ targets: [String], isReplacing: Bool) async throws(ControlPlaneError) {
    throw .noMesh
  }

  /// Dials these peers no more; what is connected stays so.
  package func forget(_ targets: [String]) async throws(ControlPlaneError) {
    throw .noMesh
  }

  /// What people see of the mesh; nil if there is none.
  package func meshReport() -> MeshReport? { nil }
}
