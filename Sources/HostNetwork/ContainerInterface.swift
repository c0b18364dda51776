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
  /// The name of the host's end, as it was found last.
  package private(set) var hostEnd: String
  /// The number of the host's end.
  package let hostEndIndex: InterfaceIndex
  /// What the host's end says of the attachment.
  package internal(set) var record: AttachmentRecord

  /// Where the container's end is; nil if the kernel does not say.
  package let peer: Peer?

  /// Where the other end of the pair is, in terms of this namespace.
  package struct Peer: Hashable, Sendable {
    /// The interface's number in its own namespace.
    package let index: InterfaceIndex
    /// This namespace's number for the other one; nil if it is this one.
    package let namespace: Int32?

    /// Names the other end.
    package init(index: InterfaceIndex, namespace: Int32?) {
      self.index = index
      self.namespace = namespace
    }
  }

  init(hostEnd: Link, record: AttachmentRecord) {
    self.hostEnd = hostEnd.name
    hostEndIndex = hostEnd.index
    peer = hostEnd.peer
    self.record = record
  }

  /// Makes the pair and configures both ends; whatever fails, nothing is left behind.
  ///
  /// Both ends are up when this returns, and nothing of ours takes frames off the host's end: who
  /// wants a port there first uses `PreparedInterface`.
  package static func attach(
    _ specification: AttachSpecification, using generator: inout some RandomNumberGenerator
  ) throws(HostNetworkError) -> ContainerInterface {
    try PreparedInterface(specification, using: &generator).finish()
  }

  /// Gives the container one more address; nothing happens if it has it already.
  ///
  /// The record comes first: if we are killed in between it names an address that is not there, and
  /// a look at the container shows that.
  package mutating func addAddress(_ prefix: IPv4Prefix) throws(HostNetworkError) {
    guard !record.addresses.contains(prefix) else { return }
    try checkInterfaceAddress(prefix)
    let before = record
    try remember { $0.addresses.append(prefix) }
    do {
      try inside { (netlink, link) throws(HostNetworkError) in
        try netlink.addAddress(prefix, to: link.index)
      }
    } catch {
      try? remember { $0 = before }
      throw error
    }
  }

  /// Takes an address away; false if the container does not have it.
  @discardableResult
  package mutating func removeAddress(_ prefix: IPv4Prefix) throws(HostNetworkError) -> Bool {
    guard record.addresses.contains(prefix) else { return false }
    try inside { (netlink, link) throws(HostNetworkError) in
      try netlink.removeAddress(prefix, from: link.index)
    }
    try remember { $0.addresses.removeAll { $0 == prefix } }
    return true
  }

  /// Somebody gave the host's end another name.
  package mutating func noteHostEnd(_ name: String) { hostEnd = name }

  /// Somebody gave the container's end another name; throws if that is none the record can keep.
  package mutating func noteName(_ name: String) throws(HostNetworkError) {
    try checkInterfaceName(name)
    try remember { $0.containerInterface = name }
  }

  /// Somebody took addresses off the container's end.
  package mutating func noteLoss(of addresses: [IPv4Prefix]) throws(HostNetworkError) {
    try remember { $0.addresses.removeAll(where: addresses.contains) }
  }

  /// Tells the segment where addresses are: those given, or all of the container's.
  package func announce(_ prefixes: [IPv4Prefix]? = nil) throws(HostNetworkError) {
    let prefixes = prefixes ?? record.addresses
    let mac = record.mac
    try inside { (_, link) throws(HostNetworkError) in
      for prefix in prefixes {
        // Somebody inside may have given it another hardware address.
        try GratuitousARP.announce(prefix.address, at: link.mac ?? mac, on: link.index)
      }
    }
  }

  /// Deletes the pair, whatever its host end is called; false if it is gone.
  @discardableResult
  package func detach() throws(HostNetworkError) -> Bool {
    var netlink = try NetlinkSocket()
    guard let link = try netlink.link(at: hostEndIndex), isHostEnd(link) else { return false }
    return try netlink.deleteLink(link.index)
  }

  /// Whether an interface of the host end's number is the host end.
  ///
  /// The alias or the other end tells, should somebody have changed one of them.
  private func isHostEnd(_ link: Link) -> Bool {
    guard link.kind == "veth" else { return false }
    if let alias = link.alias, alias == (try? record.encoded()) { return true }
    return peer != nil && link.peer == peer
  }

  /// Changes the record here and in the kernel, or nowhere.
  private mutating func remember(
    _ change: (inout AttachmentRecord) -> Void
  ) throws(HostNetworkError) {
    var changed = record
    change(&changed)
    var netlink = try NetlinkSocket()
    try netlink.write(changed, to: hostEndIndex)
    record = changed
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
}

extension Link {
  /// Where the other end of a veth is.
  var peer: ContainerInterface.Peer? {
    peerIndex.map { ContainerInterface.Peer(index: $0, namespace: peerNamespace) }
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
