// SPDX-License-Identifier: Apache-2.0

internal import CLinux
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

  /// This namespace's number for another one; nil if it has none.
  package mutating func number(
    of namespace: borrowing NetworkNamespace
  ) throws(HostNetworkError) -> Int32? {
    let call = "RTM_GETNSID"
    var message = NetlinkMessage(type: RTM_GETNSID, header: rtgenmsg())
    message.append(NETNSA_FD, UInt32(namespace.rawDescriptor))
    var number: Int32?
    try request(message, call: call, subject: namespace.path) {
      (reply) throws(HostNetworkError) in
      let attributes = try reply.attributes(after: rtgenmsg.self, call: call)
      number = attributes.first { $0.type == NETNSA_NSID }?.int32
    }
    return number.flatMap { $0 >= 0 ? $0 : nil }
  }

  /// Whether somebody moved the container's end while nobody watched, as far as that can be told:
  /// not once the container's path is gone.
  package mutating func wasMoved(_ interface: ContainerInterface) throws(HostNetworkError) -> Bool {
    let namespace: NetworkNamespace
    do {
      namespace = try NetworkNamespace(path: interface.record.namespacePath)
    } catch .namespaceMissing {
      return false
    }
    guard namespace.identity.inode == interface.record.namespaceInode else { return false }
    return try number(of: namespace) != interface.peer?.namespace
  }
}
