// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Forwarding
internal import HostNetwork
internal import Sealing
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
  /// Hears what routers say of packets that are too long; nil if it may not.
  let watcher: PathMTUWatcher?
  /// Fires at the machine's next deadline.
  let timer: any DispatchSourceTimer
  /// What the timer is set to; nil: to nothing.
  var deadline: MeshInstant?
  /// The peers in the forwarding tables, by name.
  var peers: [PeerName: Peer] = [:]
  /// A link to a neighbour as the data plane knows it.
  struct Link: Hashable {
    let name: PeerName
    let overlay: OverlayKind
  }

  /// Where the data plane keeps a key.
  struct Key {
    let link: Link
    let place: UInt16
  }

  /// Links in the forwarding tables.
  var links: [Link: EndpointIndex] = [:]
  /// Keys that the data plane has.
  var keys: [FrameKey: Key] = [:]
  /// Keys that are not to be used any more, with the generation from which on no snapshot names
  /// them; nil: the published one may.
  var retiredKeys: [(key: Key, generation: UInt64?)] = []
  /// The ESP packets that are taken from the underlay.
  var securityIdentifiers: Set<SecurityIdentifier> = []
  /// Whether the underlay's program, if there is one, knows them.
  var areSecurityIdentifiersTold = true
  /// Whether there was no room for a key.
  var hasKeysMissing = false
  /// What the machine waits for before it tells neighbours of keys; nil: for nothing.
  var keyWait: KeyWait?
  /// What was done with keys that are gone, by link.
  var pastCounts: [Link: KeyCounts] = [:]
  /// What the machine was told last of the underlay's and the containers' MTU.
  var toldMTUs: (underlay: Int?, overlay: Int) = (nil, 0)
  /// What neighbours sent and the machine has not seen yet.
  var specials: [OverlaySpecial] = []
  /// How each neighbour's underlay address is reached.
  var ways: [IPv4Address: OuterWay] = [:]
  /// The hosts or routers on these ways whose hardware addresses the kernel was asked to keep.
  var kept: [IPv4Address: IPv4Address] = [:]
  /// Those, each once.
  var keptNeighbours: Set<IPv4Address> { Set(kept.values) }
  /// Whether the forwarding tables had no room for every peer.
  var isShortOfRoom = false
}

/// Opens the mesh's sockets at an address; what arrives goes to the closure.
package typealias TransportOpening =
  @Sendable (SocketAddress, @escaping @Sendable (MeshInput) -> Void) throws -> any MeshTransport
