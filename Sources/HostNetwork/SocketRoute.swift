// SPDX-License-Identifier: Apache-2.0

package import Inet

/// How packets to a host leave this one, if the kernel sends them.
package struct SocketRoute: Hashable, Sendable {
  /// The interface they leave by; the loopback interface for an address of this host's own.
  package let interface: String
  /// The address they are sent from, if the sender has none of its own.
  package let sourceAddress: IPv4Address
  /// The largest packet that fits, in bytes: the interface's MTU, or the route's if smaller.
  package let mtu: Int

  /// Describes a route.
  package init(interface: String, sourceAddress: IPv4Address, mtu: Int) {
    self.interface = interface
    self.sourceAddress = sourceAddress
    self.mtu = mtu
  }
}

extension NetlinkSocket {
  /// How the kernel sends packets to `address`; nil if it has no route there, or none that is for
  /// one host.
  ///
  /// What the interface is does not matter, and no hardware address is asked for: the kernel sees
  /// to that. The answer can change with links, addresses and routes.
  package mutating func socketRoute(
    to address: IPv4Address
  ) throws(HostNetworkError) -> SocketRoute? {
    guard let route = try lookUpRoute(to: address),
      route.kind == .unicast || route.kind == .local, let index = route.outInterface,
      let sourceAddress = route.preferredSource, let link = try link(at: index)
    else { return nil }
    return SocketRoute(
      interface: link.name, sourceAddress: sourceAddress,
      mtu: min(link.mtu, route.mtu ?? link.mtu))
  }
}
