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
  /// The host or the router to it, whose hardware address the kernel was made to keep.
  package let neighbour: IPv4Address
  /// Its hardware address.
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
    /// The route leaves by another interface than the one that is wanted.
    case otherInterface(interface: String)
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

extension NextHopState {
  /// The address that the kernel was asked to find.
  package var neighbour: IPv4Address? {
    switch self {
    case .resolved(let hop): hop.neighbour
    case .unresolved(.asking(let address)), .unresolved(.silent(let address)): address
    case .unresolved: nil
    }
  }
}

extension NextHopState.Reason: CustomStringConvertible {
  /// The reason in words, for status output.
  package var description: String {
    switch self {
    case .noRoute: "no route"
    case .local: "the address is this host's own"
    case .unsupportedRoute: "the route is not a plain IPv4 one through one interface"
    case .otherInterface(let name): "the route leaves by \(name), which is not the underlay"
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
  /// So it is after a change of links, addresses or routes. Nothing is asked on interfaces other
  /// than `wanted`, if one is given.
  package mutating func resolveNextHop(
    for address: IPv4Address, through wanted: InterfaceIndex? = nil
  ) throws(HostNetworkError) -> NextHopState {
    guard let route = try lookUpRoute(to: address) else { return .unresolved(.noRoute) }
    guard route.kind != .local else { return .unresolved(.local) }
    guard route.kind == .unicast, !route.hasForeignGateway, let index = route.outInterface,
      let link = try link(at: index)
    else { return .unresolved(.unsupportedRoute) }
    if let wanted, wanted != index { return .unresolved(.otherInterface(interface: link.name)) }
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
        neighbour: target, destinationMAC: destinationMAC, mtu: min(link.mtu, route.mtu ?? link.mtu)
      ))
  }
}
