// SPDX-License-Identifier: Apache-2.0

internal import Inet

/// A container's pair that is there and still down on both ends, so that nothing passes yet.
///
/// The host's end is to become a port now: then there is no moment at which the host itself would
/// take a container's frames. `finish()` brings both ends up. The alias comes last: a pair without
/// one is of a start that was cut short, and goes (`AttachmentListing.removeUnfinished`).
package struct PreparedInterface: ~Copyable {
  /// The host's end.
  package let hostEnd: Link
  private let record: AttachmentRecord
  private let namespace: NetworkNamespace

  /// Makes the pair; if that fails, nothing is left behind.
  package init(
    _ specification: AttachSpecification, using generator: inout some RandomNumberGenerator
  ) throws(HostNetworkError) {
    let mac = specification.mac ?? .randomStation(using: &generator)
    for prefix in specification.addresses { try checkInterfaceAddress(prefix) }
    let namespace = try NetworkNamespace(path: specification.namespacePath)
    guard try !namespace.isOwn else { throw .hostNamespace(path: namespace.path) }
    let record = AttachmentRecord(
      containerInterface: specification.interfaceName, mac: mac,
      addresses: specification.addresses, namespaceInode: namespace.identity.inode,
      namespacePath: namespace.path)
    // Before anything is made: it may be too long.
    _ = try record.encoded()
    hostEnd = try Self.makePair(specification, mac, namespace)
    self.record = record
    self.namespace = namespace
  }

  /// The name of the container's end.
  var containerInterface: String { record.containerInterface }

  /// Runs `body` inside of the container's namespace and waits.
  borrowing func visit<Value: Sendable>(
    _ body: @escaping @Sendable () throws(HostNetworkError) -> Value
  ) throws(HostNetworkError) -> Value {
    try namespace.run(body)
  }

  private static func makePair(
    _ specification: AttachSpecification, _ mac: MACAddress,
    _ namespace: borrowing NetworkNamespace
  ) throws(HostNetworkError) -> Link {
    var options = VethOptions(
      name: specification.hostEnd, peerName: specification.interfaceName)
    options.queueCount = specification.queueCount
    options.mtu = specification.mtu
    options.peerMAC = mac
    var netlink = try NetlinkSocket()
    let hostEnd = try netlink.createVethPair(options, peerIn: namespace)
    do throws(HostNetworkError) {
      try netlink.silence(hostEnd)
    } catch {
      _ = try? netlink.deleteLink(hostEnd.index)
      throw error
    }
    return hostEnd
  }

  /// Configures the container's end and brings both up; whatever fails, nothing is left behind.
  ///
  /// Inside, the multicast route comes last, since containers that wait for their network take it
  /// as the sign that all is done.
  package consuming func finish() throws(HostNetworkError) -> ContainerInterface {
    let (hostEnd, record) = (hostEnd, record)
    var netlink = try NetlinkSocket()
    do throws(HostNetworkError) {
      try netlink.change(hostEnd.index, .up)
      try namespace.run { () throws(HostNetworkError) in try Self.configureInside(record) }
      try netlink.write(record, to: hostEnd.index)
    } catch {
      _ = try? netlink.deleteLink(hostEnd.index)
      throw error
    }
    return ContainerInterface(hostEnd: hostEnd, record: record)
  }

  /// Deletes the pair; an error is of no use to who has one already.
  package consuming func discard() {
    guard var netlink = try? NetlinkSocket() else { return }
    _ = try? netlink.deleteLink(hostEnd.index)
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

extension NetlinkSocket {
  /// Makes a record the alias of a pair's host end.
  mutating func write(
    _ record: AttachmentRecord, to hostEnd: InterfaceIndex
  ) throws(HostNetworkError) {
    var changes = LinkChanges()
    changes.alias = try record.encoded()
    try change(hostEnd, changes)
  }
}
