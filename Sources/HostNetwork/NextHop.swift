// SPDX-License-Identifier: Apache-2.0

package import Inet

/// Everything a frame to another host needs on its way out.
package struct NextHop: Hashable, Sendable {
  /// The interface frames leave by.
  package let interface: InterfaceIndex
  /// The address they are sent from.
  package let sourceAddress: IPv4Address
  /// The interface's own hardware address.
  package let sourceMAC: MACAddress
  /// The hardware address of the host or of the router to it.
  package let destinationMAC: MACAddress
  /// The largest packet that fits, in bytes: the interface's MTU, or the route's if smaller.
  package let mtu: Int
}

/// Whether a frame to another host can be sent now.
package enum NextHopState: Hashable, Sendable {
  /// It can.
  case resolved(NextHop)
  /// It cannot.
  case unresolved(Reason)

  /// Why a host cannot be reached at the moment.
  package enum Reason: Hashable, Sendable {
    /// There is no route, or one that refuses.
    case noRoute
    /// The address is this host's own.
    case local
    /// The route has no single interface, or a router without an IPv4 address.
    case unsupportedRoute
    /// The route gives no address to send from.
    case noSourceAddress(interface: String)
    /// The interface is down or has no carrier.
    case interfaceDown(interface: String)
    /// The interface's frames are not Ethernet's.
    case notEthernet(interface: String)
    /// The host or its router was asked for its hardware address and has not answered yet.
    case asking(IPv4Address)
    /// The host or its router does not answer; the kernel keeps asking.
    case silent(IPv4Address)
  }
}

extension NextHopState.Reason: CustomStringConvertible {
  /// The reason in words, for status output.
  package var description: String {
    switch self {
    case .noRoute: "no route"
    case .local: "the address is this host's own"
    case .unsupportedRoute: "the route is not a plain IPv4 one through one interface"
    case .noSourceAddress(let name): "no address to send from on \(name)"
    case .interfaceDown(let name): "\(name) is down"
    case .notEthernet(let name): "\(name) is not an Ethernet interface"
    case .asking(let address): "waiting for the hardware address of \(address)"
    case .silent(let address): "\(address) does not answer ARP"
    }
  }
}

extension NetlinkSocket {
  /// How a frame to `address` leaves this host.
  ///
  /// If the hardware address is not known yet the kernel is made to find it and keep it
  /// (`resolveNeighbour`); the answer comes as a `NetworkEvent`, upon which this is called again.
  /// So it is after a change of links, addresses or routes.
  package mutating func resolveNextHop(
    for address: IPv4Address
  ) throws(HostNetworkError) -> NextHopState {
    guard let route = try lookUpRoute(to: address) else { return .unresolved(.noRoute) }
    guard route.kind != .local else { return .unresolved(.local) }
    guard route.kind == .unicast, !route.hasForeignGateway, let index = route.outInterface,
      let link = try link(at: index)
    else { return .unresolved(.unsupportedRoute) }
    guard link.isUp, link.hasCarrier else {
      return .unresolved(.interfaceDown(interface: link.name))
    }
    guard link.isEthernet, !link.isLoopback, let sourceMAC = link.mac else {
      return .unresolved(.notEthernet(interface: link.name))
    }
    guard let sourceAddress = route.preferredSource else {
      return .unresolved(.noSourceAddress(interface: link.name))
    }
    let target = route.gateway ?? address
    let neighbour = try resolveNeighbour(target, on: index)
    guard let destinationMAC = neighbour?.usableMAC else {
      return .unresolved(neighbour?.state == .failed ? .silent(target) : .asking(target))
    }
    return .resolved(
      NextHop(
        interface: index, sourceAddress: sourceAddress, sourceMAC: sourceMAC,
        destinationMAC: destinationMAC, mtu: min(link.mtu, route.mtu ?? link.mtu)))
  }
}
