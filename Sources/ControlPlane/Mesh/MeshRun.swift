// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Forwarding
internal import HostNetwork
package import Inet
package import Mesh
package import Transport

/// The mesh of a running daemon: the machine, its sockets, its clock, and what the data plane was
/// told of it.
struct MeshRun {
  /// A peer as the data plane knows it.
  struct Peer {
    let name: PeerName
    let index: EndpointIndex
  }

  var machine: MeshMachine
  let transport: any MeshTransport
  /// Fires at the machine's next deadline.
  let timer: any DispatchSourceTimer
  /// What the timer is set to; nil: to nothing.
  var deadline: MeshInstant?
  /// The peers in the forwarding tables, by name.
  var peers: [PeerName: Peer] = [:]
  /// How the kernel reaches each neighbour's underlay address.
  var nextHops: [IPv4Address: NextHopState] = [:]
  /// Whether the forwarding tables had no room for every peer.
  var isShortOfRoom = false
}

/// Opens the mesh's sockets at an address; what arrives goes to the closure.
package typealias TransportOpening =
  @Sendable (SocketAddress, @escaping @Sendable (MeshInput) -> Void) throws -> any MeshTransport
