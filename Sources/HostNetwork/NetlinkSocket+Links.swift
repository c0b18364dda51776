// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
package import Inet

/// What to change about an interface; what is nil stays.
package struct LinkChanges: Equatable, Sendable {
  /// Up or down.
  package var isUp: Bool?
  /// Whether it asks and answers for addresses (the absence of IFF_NOARP).
  package var isARPOn: Bool?
  /// A new name; before Linux 6.2 the interface must be down for it.
  package var name: String?
  /// A new MTU, in bytes.
  package var mtu: Int?
  /// A new hardware address.
  package var mac: MACAddress?
  /// A new alias; an empty one removes it.
  package var alias: String?

  /// Changes nothing yet.
  package init() {}

  /// Sets up or down.
  package static var up: LinkChanges {
    var changes = LinkChanges()
    changes.isUp = true
    return changes
  }

  fileprivate func check() throws(HostNetworkError) {
    if let name { try checkInterfaceName(name) }
    if let mtu { try checkRange("MTU", mtu, 68...65535) }
    if let mac, !mac.isStation { throw .invalidMAC(mac) }
    if let alias, alias.utf8.count > CLINUX_ALIAS_LENGTH_MAX {
      throw .aliasTooLong(length: alias.utf8.count, limit: Int(CLINUX_ALIAS_LENGTH_MAX))
    }
  }
}

extension NetlinkSocket {
  /// All interfaces of the namespace.
  package mutating func links() throws(HostNetworkError) -> [Link] {
    let message = NetlinkMessage(type: RTM_GETLINK, header: ifinfomsg())
    return try dump(message, call: "RTM_GETLINK") { (reply) throws(HostNetworkError) in
      Int(reply.type) == RTM_NEWLINK ? try Link(reply) : nil
    }
  }

  /// The interface of a name, or nil.
  package mutating func link(named name: String) throws(HostNetworkError) -> Link? {
    try checkInterfaceName(name)
    var message = NetlinkMessage(type: RTM_GETLINK, header: ifinfomsg())
    message.append(IFLA_IFNAME, name: name)
    return try link(message, subject: name)
  }

  /// The interface of a number, or nil.
  package mutating func link(at index: InterfaceIndex) throws(HostNetworkError) -> Link? {
    let message = NetlinkMessage(type: RTM_GETLINK, header: linkHeader(index))
    return try link(message, subject: "interface \(index)")
  }

  /// The interface of a number in another namespace, or nil if it or the namespace is gone.
  package mutating func link(
    at index: InterfaceIndex, namespace: Int32
  ) throws(HostNetworkError) -> Link? {
    var message = NetlinkMessage(type: RTM_GETLINK, header: linkHeader(index))
    message.append(IFLA_TARGET_NETNSID, UInt32(bitPattern: namespace))
    do {
      return try link(message, subject: "interface \(index) of namespace \(namespace)")
    } catch .system(let error) where error.errno == EINVAL {
      // The number means no namespace any more.
      return nil
    }
  }

  /// The interface of a name, which must be there.
  package mutating func existingLink(named name: String) throws(HostNetworkError) -> Link {
    guard let link = try link(named: name) else { throw .interfaceMissing(name: name) }
    return link
  }

  /// Changes an interface in one request.
  package mutating func change(
    _ index: InterfaceIndex, _ changes: LinkChanges
  ) throws(HostNetworkError) {
    try changes.check()
    var header = linkHeader(index)
    if let isUp = changes.isUp {
      header.setFlag(UInt32(IFF_UP), isUp)
    }
    if let isARPOn = changes.isARPOn {
      header.setFlag(UInt32(IFF_NOARP), !isARPOn)
    }
    var message = NetlinkMessage(type: RTM_SETLINK, header: header)
    if let name = changes.name { message.append(IFLA_IFNAME, name: name) }
    if let mtu = changes.mtu { message.append(IFLA_MTU, UInt32(mtu)) }
    if let mac = changes.mac { message.append(IFLA_ADDRESS, mac) }
    if let alias = changes.alias { message.append(IFLA_IFALIAS, text: alias) }
    try request(message, call: "RTM_SETLINK", subject: "interface \(index)")
  }

  /// Takes an interface out of IP: no ARP, no IPv6 address, no IPv6 at all.
  ///
  /// For the ends that the data plane owns: the host must not speak on them.
  package mutating func silence(_ link: Link) throws(HostNetworkError) {
    var changes = LinkChanges()
    changes.isARPOn = false
    try change(link.index, changes)
    var message = NetlinkMessage(type: RTM_SETLINK, header: linkHeader(link.index))
    message.nest(IFLA_AF_SPEC) { families in
      families.nest(Int(AF_INET6)) { settings in
        settings.append(IFLA_INET6_ADDR_GEN_MODE, UInt8(IN6_ADDR_GEN_MODE_NONE.rawValue))
      }
    }
    do {
      try request(message, call: "RTM_SETLINK", subject: link.name)
    } catch .system(let error) where error.errno == EAFNOSUPPORT {
      // A kernel without IPv6 has nothing to be switched off.
    }
    try KernelSetting("net/ipv6/conf/\(link.name)/disable_ipv6").set("1")
  }

  /// Deletes an interface, and with one end of a veth the other; false if it is gone already.
  @discardableResult
  package mutating func deleteLink(_ index: InterfaceIndex) throws(HostNetworkError) -> Bool {
    let message = NetlinkMessage(type: RTM_DELLINK, header: linkHeader(index))
    do {
      try request(message, call: "RTM_DELLINK", subject: "interface \(index)")
      return true
    } catch .system(let error) where error.errno == ENODEV {
      return false
    }
  }

  private mutating func link(
    _ message: NetlinkMessage, subject: String
  ) throws(HostNetworkError) -> Link? {
    var found: Link?
    do {
      try request(message, call: "RTM_GETLINK", subject: subject) {
        (reply) throws(HostNetworkError) in found = try Link(reply)
      }
    } catch .system(let error) where error.errno == ENODEV {
      return nil
    }
    return found
  }
}

/// The header of a request about one interface.
func linkHeader(_ index: InterfaceIndex) -> ifinfomsg {
  var header = ifinfomsg()
  header.ifi_index = index.rawValue
  return header
}

extension ifinfomsg {
  fileprivate mutating func setFlag(_ flag: UInt32, _ isSet: Bool) {
    ifi_change |= flag
    if isSet { ifi_flags |= flag }
  }
}
