// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables

/// The peer at which a frame entered the mesh, as each overlay names it.
struct MeshEntry: BitwiseCopyable {
  /// For sleeve.
  let name: PeerName
  /// For VXLAN; nil if it is us, as templates have our own number.
  let shortID: ShortID?

  /// A frame of our own.
  static func own(_ snapshot: ForwardingSnapshot) -> MeshEntry {
    MeshEntry(name: snapshot.name, shortID: nil)
  }
}

extension Worker {
  /// Where a frame of the batch entered the mesh.
  func entry(of row: Int, snapshot: ForwardingSnapshot) -> MeshEntry {
    let origin = Location(bits: batch.origins[row])
    let endpoints = snapshot.endpoints
    guard origin.isPeer, Int(origin.endpoint.number) < endpoints.count else {
      return .own(snapshot)
    }
    return MeshEntry(
      name: PeerName(bits: endpoints[Int(origin.endpoint.number)].name),
      shortID: batch.networks[row].source)
  }
}
