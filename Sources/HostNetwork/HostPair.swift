// SPDX-License-Identifier: Apache-2.0

package import Inet

/// The host's own veth into the switch: one end for the host, one for the data plane.
package struct HostPair: Equatable, Sendable {
  /// What the pair is to be like.
  package struct Options: Hashable, Sendable {
    /// The host's end.
    package var name = "weft0"
    /// The data plane's end.
    package var switchEnd = "weft0-sw"
    /// Queues of each end; as many as there are workers.
    package var queueCount: Int
    /// The MTU of both ends, in bytes.
    package var mtu: Int
    /// The hardware address of the host's end; what it has, or the kernel's choice, if nil.
    package var mac: MACAddress?

    /// A pair with the usual names.
    package init(queueCount: Int, mtu: Int) {
      self.queueCount = queueCount
      self.mtu = mtu
    }
  }

  /// The alias of both ends, by which they are known as ours.
  package static let alias = "weft1 host"

  /// The host's end; it has the host's addresses on the overlay.
  package let host: Link
  /// The data plane's end: no ARP, no IPv6.
  package let switchEnd: Link
  /// Whether the pair was there already; otherwise the host's end has no addresses.
  package let wasReused: Bool

  /// Makes the pair, or takes the one that is there if it has the right number of queues.
  ///
  /// A pair of ours with another number is deleted and made anew; an interface that is not ours is
  /// never touched. The host's end finishes its frames itself (`Offloads`).
  package static func create(_ options: Options) throws(HostNetworkError) -> HostPair {
    var netlink = try NetlinkSocket()
    let wasReused = try clear(options, &netlink)
    if !wasReused { try make(options, &netlink) }
    do throws(HostNetworkError) {
      return try configure(options, wasReused: wasReused, &netlink)
    } catch {
      if !wasReused, let link = try? netlink.link(named: options.name) {
        _ = try? netlink.deleteLink(link.index)
      }
      throw error
    }
  }

  /// Deletes the pair; false if there is none of ours.
  @discardableResult
  package static func remove(named name: String = "weft0") throws(HostNetworkError) -> Bool {
    var netlink = try NetlinkSocket()
    guard let link = try netlink.link(named: name), isOurs(link) else { return false }
    return try netlink.deleteLink(link.index)
  }

  private static func isOurs(_ link: Link) -> Bool {
    link.kind == "veth" && link.alias == alias
  }

  /// Whether the two are one pair; an alias may be missing if we were killed while making it.
  private static func isOurs(_ host: Link, _ switchEnd: Link) -> Bool {
    host.peerIndex == switchEnd.index && host.peerNamespace == nil
      && [host, switchEnd].allSatisfy {
        $0.kind == "veth" && ($0.alias == nil || $0.alias == alias)
      }
  }

  /// Whether the pair that is there will do; if not, nothing of ours is in the way afterwards.
  private static func clear(
    _ options: Options, _ netlink: inout NetlinkSocket
  ) throws(HostNetworkError) -> Bool {
    let host = try netlink.link(named: options.name)
    let switchEnd = try netlink.link(named: options.switchEnd)
    let found = [host, switchEnd].compactMap(\.self)
    if let host, let switchEnd, isOurs(host, switchEnd) {
      let fits = found.allSatisfy {
        $0.transmitQueueCount == options.queueCount && $0.receiveQueueCount == options.queueCount
      }
      if fits { return true }
    } else if let foreign = found.first(where: { !isOurs($0) }) {
      throw .interfaceExists(name: foreign.name, place: "this network namespace")
    }
    for link in found { try netlink.deleteLink(link.index) }
    return false
  }

  private static func make(
    _ options: Options, _ netlink: inout NetlinkSocket
  ) throws(HostNetworkError) {
    var veth = VethOptions(name: options.name, peerName: options.switchEnd)
    veth.queueCount = options.queueCount
    veth.mtu = options.mtu
    veth.mac = options.mac
    veth.alias = alias
    _ = try netlink.createVethPair(veth)
  }

  private static func configure(
    _ options: Options, wasReused: Bool, _ netlink: inout NetlinkSocket
  ) throws(HostNetworkError) -> HostPair {
    let host = try netlink.existingLink(named: options.name)
    let switchEnd = try netlink.existingLink(named: options.switchEnd)
    try netlink.silence(switchEnd)
    try Offloads().disableTransmitChecksum(options.name)
    var changes = LinkChanges()
    changes.isUp = true
    changes.alias = alias
    changes.mtu = options.mtu
    try netlink.change(switchEnd.index, changes)
    if options.mac != host.mac { changes.mac = options.mac }
    try netlink.change(host.index, changes)
    return HostPair(
      host: try netlink.existingLink(named: options.name),
      switchEnd: try netlink.existingLink(named: options.switchEnd), wasReused: wasReused)
  }
}
