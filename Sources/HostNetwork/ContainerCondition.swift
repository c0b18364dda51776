// SPDX-License-Identifier: Apache-2.0

package import Inet

/// How a container's interface is found, beside what its record says.
package enum ContainerCondition: Equatable, Sendable {
  /// The pair is gone, by itself or with the container.
  case gone
  /// The container's end is in another namespace than it was put into.
  case moved
  /// Both ends are where they belong.
  case present(Presence)

  /// What an interface that is where it belongs is like.
  package struct Presence: Equatable, Sendable {
    /// The host's end.
    package var hostEnd: Link
    /// The container's end.
    package var containerEnd: Link
    /// The container's addresses.
    package var addresses: [IPv4Prefix]
  }
}

extension NetlinkSocket {
  /// Looks at both ends of a container's pair.
  ///
  /// The container is looked at from here, by the number its namespace has in this one: its path
  /// may be gone while it lives on. Nil if it changed while it was looked at.
  package mutating func inspect(
    _ interface: ContainerInterface
  ) throws(HostNetworkError) -> ContainerCondition? {
    guard let hostEnd = try link(at: interface.hostEndIndex), hostEnd.kind == "veth" else {
      return .gone
    }
    guard let peer = hostEnd.peer, let namespace = peer.namespace else { return .moved }
    if let recorded = interface.peer, recorded.namespace != namespace { return .moved }
    guard let containerEnd = try link(at: peer.index, namespace: namespace) else { return nil }
    return .present(
      ContainerCondition.Presence(
        hostEnd: hostEnd, containerEnd: containerEnd,
        addresses: try addresses(of: peer.index, namespace: namespace).map(\.prefix)))
  }
}
