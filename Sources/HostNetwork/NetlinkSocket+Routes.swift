// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
package import Inet

/// A route, as listed or as the answer for one destination.
package struct Route: Hashable, Sendable {
  /// What the kernel does with packets of a route.
  package enum Kind: Hashable, Sendable {
    /// It sends them on.
    case unicast
    /// It takes them as its own.
    case local
    /// Anything else: broadcast, multicast, or a way to refuse them; the kernel's number (RTN_…).
    case other(UInt8)
  }

  /// The destinations; of 32 bits in the answer for one.
  package let destination: IPv4Prefix
  /// What is done with packets.
  package let kind: Kind
  /// The table the route is in; 254 is the main one.
  package let table: UInt32
  /// The interface packets leave by; nil if there is none or there are several.
  package let outInterface: InterfaceIndex?
  /// The IPv4 router packets go to; nil if the destination is on the link.
  package let gateway: IPv4Address?
  /// Whether packets go to a router that has no IPv4 address (RFC 5549).
  package let hasForeignGateway: Bool
  /// The address packets are sent from if the sender has none yet.
  package let preferredSource: IPv4Address?
  /// The MTU that somebody configured for it, in bytes; nil without one.
  package fileprivate(set) var mtu: Int?

  /// Reads an `RTM_NEWROUTE` or `RTM_DELROUTE` message; nil if it is not about IPv4.
  init?(_ reply: NetlinkReply) throws(HostNetworkError) {
    let call = "RTM_GETROUTE"
    guard let header = reply.header(rtmsg.self) else {
      throw .malformedReply(call: call, reason: "\(reply.payload.count) bytes for a route")
    }
    guard Int32(header.rtm_family) == AF_INET else { return nil }
    let attributes = RouteAttributes(try reply.attributes(after: rtmsg.self, call: call))
    let address = attributes[RTA_DST]?.address ?? IPv4Address(bits: 0)
    guard let destination = IPv4Prefix(address, length: Int(header.rtm_dst_len)) else {
      throw .malformedReply(call: call, reason: "a prefix of \(header.rtm_dst_len) bits")
    }
    self.destination = destination
    kind =
      switch Int(header.rtm_type) {
      case RTN_UNICAST: .unicast
      case RTN_LOCAL: .local
      default: .other(header.rtm_type)
      }
    table = attributes[RTA_TABLE]?.uint32 ?? UInt32(header.rtm_table)
    outInterface = attributes[RTA_OIF]?.interfaceIndex
    gateway = attributes[RTA_GATEWAY]?.address
    hasForeignGateway = attributes[RTA_VIA] != nil
    preferredSource = attributes[RTA_PREFSRC]?.address
    let metrics = try attributes[RTA_METRICS]?.nested(call: call) ?? []
    mtu = metrics.first { $0.type == RTAX_MTU }?.uint32.map { Int($0) }
  }
}

/// A route's attributes by type.
private struct RouteAttributes {
  private let attributes: [NetlinkAttribute]

  init(_ attributes: [NetlinkAttribute]) {
    self.attributes = attributes
  }

  subscript(type: rtattr_type_t) -> NetlinkAttribute? {
    attributes.first { $0.type == Int(type.rawValue) }
  }
}

extension NetlinkSocket {
  /// The IPv4 routes of all tables, or of those through one interface.
  package mutating func routes(
    through interface: InterfaceIndex? = nil
  ) throws(HostNetworkError) -> [Route] {
    var header = rtmsg()
    header.rtm_family = UInt8(AF_INET)
    var message = NetlinkMessage(type: RTM_GETROUTE, header: header)
    if let interface {
      message.append(Int(RTA_OIF.rawValue), UInt32(bitPattern: interface.rawValue))
    }
    return try dump(message, call: "RTM_GETROUTE") { (reply) throws(HostNetworkError) in
      guard Int(reply.type) == RTM_NEWROUTE, let route = try Route(reply),
        interface == nil || interface == route.outInterface
      else { return nil }
      return route
    }
  }

  /// Adds a route to the main table; false if one for the same destinations is there already.
  @discardableResult
  package mutating func addRoute(
    _ destination: IPv4Prefix, through interface: InterfaceIndex, gateway: IPv4Address? = nil
  ) throws(HostNetworkError) -> Bool {
    let message = routeMessage(
      RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL, destination, interface, gateway)
    do {
      try request(message, call: "RTM_NEWROUTE", subject: destination.description)
      return true
    } catch .system(let error) where error.errno == EEXIST {
      return false
    }
  }

  /// Removes a route from the main table; false if there is none.
  @discardableResult
  package mutating func removeRoute(
    _ destination: IPv4Prefix, through interface: InterfaceIndex, gateway: IPv4Address? = nil
  ) throws(HostNetworkError) -> Bool {
    let message = routeMessage(RTM_DELROUTE, flags: 0, destination, interface, gateway)
    do {
      try request(message, call: "RTM_DELROUTE", subject: destination.description)
      return true
    } catch .system(let error) where error.errno == ESRCH {
      return false
    }
  }

  /// How the kernel would send a packet to `address`; nil if it has no route there.
  ///
  /// What the kernel learned of the path's MTU by ICMP, which anybody can forge, is left out.
  package mutating func lookUpRoute(
    to address: IPv4Address
  ) throws(HostNetworkError) -> Route? {
    guard var route = try askForRoute(to: address, flags: 0) else { return nil }
    if route.mtu != nil {
      // Such an answer hides the MTU that is configured; the entry of the table has just that.
      route.mtu = try askForRoute(to: address, flags: UInt32(RTM_F_FIB_MATCH))?.mtu
    }
    return route
  }

  private mutating func askForRoute(
    to address: IPv4Address, flags: UInt32
  ) throws(HostNetworkError) -> Route? {
    var header = rtmsg()
    header.rtm_family = UInt8(AF_INET)
    header.rtm_dst_len = 32
    header.rtm_flags = flags
    var message = NetlinkMessage(type: RTM_GETROUTE, header: header)
    message.append(Int(RTA_DST.rawValue), address)
    var found: Route?
    do {
      try request(message, call: "RTM_GETROUTE", subject: address.description) {
        (reply) throws(HostNetworkError) in found = try Route(reply)
      }
    } catch .system(let error) where Self.refusals.contains(error.errno) {
      return nil
    }
    return found
  }

  /// No route, and the answers of unreachable, prohibit and blackhole routes.
  private static var refusals: [Int32] { [ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL] }

  private func routeMessage(
    _ type: Int, flags: Int32, _ destination: IPv4Prefix, _ interface: InterfaceIndex,
    _ gateway: IPv4Address?
  ) -> NetlinkMessage {
    var header = rtmsg()
    header.rtm_family = UInt8(AF_INET)
    header.rtm_dst_len = destination.length
    header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
    header.rtm_protocol = UInt8(type == RTM_NEWROUTE ? RTPROT_STATIC : 0)
    let scope = gateway == nil ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
    header.rtm_scope = UInt8(type == RTM_NEWROUTE ? scope.rawValue : RT_SCOPE_NOWHERE.rawValue)
    header.rtm_type = UInt8(type == RTM_NEWROUTE ? RTN_UNICAST : 0)
    var message = NetlinkMessage(type: type, flags: flags, header: header)
    message.append(Int(RTA_DST.rawValue), destination.network)
    message.append(Int(RTA_OIF.rawValue), UInt32(bitPattern: interface.rawValue))
    if let gateway { message.append(Int(RTA_GATEWAY.rawValue), gateway) }
    return message
  }
}
