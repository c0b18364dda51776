// SPDX-License-Identifier: Apache-2.0

package import Inet

/// What a container's new interface is to be like.
package struct AttachSpecification: Hashable, Sendable {
  /// The container's network namespace, such as `/run/netns/NAME` or `/proc/PID/ns/net`.
  package var namespacePath: String
  /// The interface's name inside of the container.
  package var interfaceName = "ethwe"
  /// Its addresses.
  package var addresses: [IPv4Prefix]
  /// Its hardware address; one is drawn if nil.
  package var mac: MACAddress?
  /// Its MTU, in bytes.
  package var mtu: Int
  /// Queues of each end; as many as there are workers.
  package var queueCount: Int
  /// The name of the host's end.
  package var hostEnd: String

  /// Describes an interface of a container.
  package init(
    namespacePath: String, addresses: [IPv4Prefix], mtu: Int, queueCount: Int, hostEnd: String
  ) {
    self.namespacePath = namespacePath
    self.addresses = addresses
    self.mtu = mtu
    self.queueCount = queueCount
    self.hostEnd = hostEnd
  }
}

/// A container on the switch: a veth pair whose one end is inside, and whose other end is a port.
///
/// The value holds no descriptor and keeps no namespace alive: when the container ends, the kernel
/// removes the pair. Each change of the interface opens the namespace anew and makes sure it is
/// still the one of the attachment.
package struct ContainerInterface: Hashable, Sendable {
  /// The name of the host's end.
  package let hostEnd: String
  /// The number of the host's end.
  package let hostEndIndex: InterfaceIndex
  /// What the host's end says of the attachment.
  package internal(set) var record: AttachmentRecord

  init(hostEnd: Link, record: AttachmentRecord) {
    self.hostEnd = hostEnd.name
    hostEndIndex = hostEnd.index
    self.record = record
  }

  /// Makes the pair and configures both ends; whatever fails, nothing is left behind.
  ///
  /// Both ends are up when this returns. The host's end still has no program and so passes nothing
  /// on; make it a port, then `announce()`. The multicast route comes last, since containers that
  /// wait for their network take it as the sign that all is done.
  package static func attach(
    _ specification: AttachSpecification, using generator: inout some RandomNumberGenerator
  ) throws(HostNetworkError) -> ContainerInterface {
    let mac = specification.mac ?? .randomStation(using: &generator)
    for prefix in specification.addresses { try checkInterfaceAddress(prefix) }
    let namespace = try NetworkNamespace(path: specification.namespacePath)
    guard try !namespace.isOwn else { throw .hostNamespace(path: namespace.path) }
    let record = AttachmentRecord(
      containerInterface: specification.interfaceName, mac: mac,
      addresses: specification.addresses, namespaceInode: namespace.identity.inode,
      namespacePath: namespace.path)
    var options = VethOptions(
      name: specification.hostEnd, peerName: specification.interfaceName)
    options.queueCount = specification.queueCount
    options.mtu = specification.mtu
    options.peerMAC = mac
    options.alias = try record.encoded()
    var netlink = try NetlinkSocket()
    let hostEnd = try netlink.createVethPair(options, peerIn: namespace)
    do throws(HostNetworkError) {
      try netlink.silence(hostEnd)
      try netlink.change(hostEnd.index, .up)
      try namespace.run { () throws(HostNetworkError) in try configureInside(record) }
    } catch {
      _ = try? netlink.deleteLink(hostEnd.index)
      throw error
    }
    return ContainerInterface(hostEnd: hostEnd, record: record)
  }

  /// Gives the container one more address; nothing happens if it has it already.
  package mutating func addAddress(_ prefix: IPv4Prefix) throws(HostNetworkError) {
    guard !record.addresses.contains(prefix) else { return }
    var changed = record
    changed.addresses.append(prefix)
    // Before anything is changed: the alias may be full.
    let alias = try changed.encoded()
    try inside { (netlink, link) throws(HostNetworkError) in
      try netlink.addAddress(prefix, to: link.index)
    }
    do {
      try write(alias)
    } catch {
      try? inside { (netlink, link) throws(HostNetworkError) in
        try netlink.removeAddress(prefix, from: link.index)
      }
      throw error
    }
    record = changed
  }

  /// Takes an address away; false if the container does not have it.
  @discardableResult
  package mutating func removeAddress(_ prefix: IPv4Prefix) throws(HostNetworkError) -> Bool {
    guard record.addresses.contains(prefix) else { return false }
    var changed = record
    changed.addresses.removeAll { $0 == prefix }
    try inside { (netlink, link) throws(HostNetworkError) in
      try netlink.removeAddress(prefix, from: link.index)
    }
    try write(try changed.encoded())
    record = changed
    return true
  }

  /// Tells the segment where addresses are: those given, or all of the container's.
  package func announce(_ prefixes: [IPv4Prefix]? = nil) throws(HostNetworkError) {
    let prefixes = prefixes ?? record.addresses
    let mac = record.mac
    try inside { (_, link) throws(HostNetworkError) in
      for prefix in prefixes {
        try GratuitousARP.announce(prefix.address, at: mac, on: link.index)
      }
    }
  }

  /// Deletes the pair; false if it is gone, or if the name is another interface's by now.
  @discardableResult
  package func detach() throws(HostNetworkError) -> Bool {
    var netlink = try NetlinkSocket()
    guard let link = try netlink.link(named: hostEnd), link.index == hostEndIndex,
      link.kind == "veth"
    else { return false }
    return try netlink.deleteLink(link.index)
  }

  private func write(_ alias: String) throws(HostNetworkError) {
    var changes = LinkChanges()
    changes.alias = alias
    var netlink = try NetlinkSocket()
    try netlink.change(hostEndIndex, changes)
  }

  /// Works on the container's end, in the container.
  private func inside(
    _ body: @escaping @Sendable (inout NetlinkSocket, Link) throws(HostNetworkError) -> Void
  ) throws(HostNetworkError) {
    let namespace = try NetworkNamespace(path: record.namespacePath)
    guard namespace.identity.inode == record.namespaceInode else {
      throw .namespaceReplaced(
        path: record.namespacePath, recorded: record.namespaceInode,
        found: namespace.identity.inode)
    }
    let name = record.containerInterface
    try namespace.run { () throws(HostNetworkError) in
      var netlink = try NetlinkSocket()
      let link = try netlink.existingLink(named: name)
      try body(&netlink, link)
    }
  }

  /// Runs in the container's namespace.
  private static func configureInside(_ record: AttachmentRecord) throws(HostNetworkError) {
    let name = record.containerInterface
    var netlink = try NetlinkSocket()
    let link = try netlink.existingLink(named: name)
    for (setting, value) in settings(of: name) {
      try KernelSetting(setting).set(value)
    }
    try Offloads().disableTransmitChecksum(name)
    for prefix in record.addresses {
      try netlink.addAddress(prefix, to: link.index)
    }
    try netlink.change(link.index, .up)
    if let multicast = IPv4Prefix(IPv4Address(bits: 0xE000_0000), length: 4) {
      // Another interface may have the route already; then it keeps it.
      try netlink.addRoute(multicast, through: link.index)
    }
  }

  /// Settings of the container's end: addresses move between hosts, so a neighbour that is gone
  /// must be noticed within seconds; routers of the segment are none of the container's business;
  /// and removing one address must not take others of its subnet along.
  private static func settings(of name: String) -> [(String, String)] {
    [
      ("net/ipv6/conf/\(name)/accept_ra", "0"),
      ("net/ipv4/conf/\(name)/promote_secondaries", "1"),
      ("net/ipv4/neigh/\(name)/base_reachable_time_ms", "5000"),
      ("net/ipv4/neigh/\(name)/delay_first_probe_time", "2"),
      ("net/ipv4/neigh/\(name)/ucast_solicit", "1"),
    ]
  }
}

extension MACAddress {
  /// Draws a locally administered unicast address (IEEE 802-2014, clause 8.2.2).
  package static func randomStation(
    using generator: inout some RandomNumberGenerator
  ) -> MACAddress {
    let bits = generator.next() as UInt64
    return MACAddress(bits: bits & ~0x0100_0000_0000 | 0x0200_0000_0000)
  }
}
