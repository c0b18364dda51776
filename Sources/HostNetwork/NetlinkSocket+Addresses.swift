// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
package import Inet

/// An IPv4 address of an interface.
package struct InterfaceAddress: Hashable, Sendable {
  /// The interface that has it.
  package let interface: InterfaceIndex
  /// The address with the length of its subnet's prefix.
  package let prefix: IPv4Prefix
  /// The subnet's broadcast address, if one is set.
  package let broadcast: IPv4Address?

  /// Reads an `RTM_NEWADDR` or `RTM_DELADDR` message; nil if it is not about IPv4.
  init?(_ reply: NetlinkReply) throws(HostNetworkError) {
    let call = "RTM_GETADDR"
    guard let header = reply.header(ifaddrmsg.self) else {
      throw .malformedReply(call: call, reason: "\(reply.payload.count) bytes for an address")
    }
    guard Int32(header.ifa_family) == AF_INET else { return nil }
    let attributes = try reply.attributes(after: ifaddrmsg.self, call: call)
    // On a point-to-point interface IFA_ADDRESS is the other side's.
    let local =
      attributes.first { $0.type == IFA_LOCAL } ?? attributes.first { $0.type == IFA_ADDRESS }
    guard let address = local?.address, header.ifa_index > 0,
      let prefix = IPv4Prefix(address, length: Int(header.ifa_prefixlen))
    else { throw .malformedReply(call: call, reason: "an address without its number or length") }
    interface = InterfaceIndex(rawValue: Int32(bitPattern: header.ifa_index))
    self.prefix = prefix
    broadcast = attributes.first { $0.type == IFA_BROADCAST }?.address
  }
}

extension NetlinkSocket {
  /// The IPv4 addresses of one interface, or of all, in this namespace or in the one of a number.
  package mutating func addresses(
    of interface: InterfaceIndex? = nil, namespace: Int32? = nil
  ) throws(HostNetworkError) -> [InterfaceAddress] {
    var header = ifaddrmsg()
    header.ifa_family = UInt8(AF_INET)
    header.ifa_index = UInt32(bitPattern: interface?.rawValue ?? 0)
    var message = NetlinkMessage(type: RTM_GETADDR, header: header)
    if let namespace { message.append(IFA_TARGET_NETNSID, UInt32(bitPattern: namespace)) }
    return try dump(message, call: "RTM_GETADDR") { (reply) throws(HostNetworkError) in
      guard Int(reply.type) == RTM_NEWADDR, let address = try InterfaceAddress(reply),
        interface == nil || interface == address.interface
      else { return nil }
      return address
    }
  }

  /// Gives an interface an address, with the broadcast address of its subnet.
  package mutating func addAddress(
    _ prefix: IPv4Prefix, to interface: InterfaceIndex
  ) throws(HostNetworkError) {
    try checkInterfaceAddress(prefix)
    var message = addressMessage(
      RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, prefix, interface)
    // A subnet of one or two addresses has none to spare for broadcast (RFC 3021).
    if prefix.length <= 30 { message.append(IFA_BROADCAST, prefix.broadcast) }
    try request(message, call: "RTM_NEWADDR", subject: prefix.description)
  }

  /// Takes an address off an interface; false if it is not there.
  @discardableResult
  package mutating func removeAddress(
    _ prefix: IPv4Prefix, from interface: InterfaceIndex
  ) throws(HostNetworkError) -> Bool {
    let message = addressMessage(RTM_DELADDR, flags: 0, prefix, interface)
    do {
      try request(message, call: "RTM_DELADDR", subject: prefix.description)
      return true
    } catch .system(let error) where error.errno == EADDRNOTAVAIL {
      return false
    }
  }

  private func addressMessage(
    _ type: Int, flags: Int32, _ prefix: IPv4Prefix, _ interface: InterfaceIndex
  ) -> NetlinkMessage {
    var header = ifaddrmsg()
    header.ifa_family = UInt8(AF_INET)
    header.ifa_prefixlen = prefix.length
    header.ifa_index = UInt32(bitPattern: interface.rawValue)
    var message = NetlinkMessage(type: type, flags: flags, header: header)
    message.append(IFA_LOCAL, prefix.address)
    message.append(IFA_ADDRESS, prefix.address)
    return message
  }
}

/// Throws unless one interface may have the address.
func checkInterfaceAddress(_ prefix: IPv4Prefix) throws(HostNetworkError) {
  guard prefix.address.isUnicast, prefix.length > 0 else { throw .invalidAddress(prefix) }
}
