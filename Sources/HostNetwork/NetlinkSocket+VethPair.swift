// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
package import Inet

/// What a new veth pair is like.
package struct VethOptions: Equatable, Sendable {
  /// The name of the end that stays in this namespace.
  package var name: String
  /// The name of the other end, in its namespace.
  package var peerName: String
  /// Receive queues and transmit queues of each end.
  package var queueCount = 1
  /// The MTU of both ends, in bytes.
  package var mtu = 1500
  /// The hardware address of this end; the kernel draws one if nil.
  package var mac: MACAddress?
  /// The hardware address of the other end; the kernel draws one if nil.
  package var peerMAC: MACAddress?
  /// The alias of this end.
  package var alias: String?

  /// Names both ends; the rest has defaults.
  package init(name: String, peerName: String) {
    self.name = name
    self.peerName = peerName
  }

  fileprivate func check() throws(HostNetworkError) {
    try checkInterfaceName(name)
    try checkInterfaceName(peerName)
    try checkRange("queue count", queueCount, 1...4096)
    try checkRange("MTU", mtu, 68...65535)
    for case .some(let mac) in [mac, peerMAC] where !mac.isStation { throw .invalidMAC(mac) }
  }
}

extension NetlinkSocket {
  /// Makes a pair with both ends in this namespace, both down; gives the end called `name`.
  package mutating func createVethPair(_ options: VethOptions) throws(HostNetworkError) -> Link {
    try createVethPair(options, peerNamespace: nil)
  }

  /// Makes a pair whose other end is in `namespace` from the start; gives the end that is here.
  package mutating func createVethPair(
    _ options: VethOptions, peerIn namespace: borrowing NetworkNamespace
  ) throws(HostNetworkError) -> Link {
    try createVethPair(options, peerNamespace: namespace.rawDescriptor)
  }

  private mutating func createVethPair(
    _ options: VethOptions, peerNamespace: Int32?
  ) throws(HostNetworkError) -> Link {
    try options.check()
    var message = NetlinkMessage(
      type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, header: ifinfomsg())
    message.appendEnd(options, name: options.name, mac: options.mac)
    message.nest(IFLA_LINKINFO) { information in
      information.append(IFLA_INFO_KIND, text: "veth")
      information.nest(IFLA_INFO_DATA) { data in
        data.nest(VETH_INFO_PEER) { peer in
          peer.append(ifinfomsg())
          peer.appendEnd(options, name: options.peerName, mac: options.peerMAC)
          if let peerNamespace { peer.append(IFLA_NET_NS_FD, UInt32(peerNamespace)) }
        }
      }
    }
    do {
      try request(message, call: "RTM_NEWLINK", subject: options.name)
    } catch .system(let error) where error.errno == EEXIST {
      // The kernel does not say which of the two names is taken.
      let isHere = try link(named: options.name) != nil
      throw isHere || peerNamespace == nil
        ? .interfaceExists(
          name: isHere ? options.name : options.peerName, place: "this network namespace")
        : .interfaceExists(name: options.peerName, place: "the container")
    }
    return try finish(options)
  }

  /// The alias cannot be given with the creation.
  private mutating func finish(_ options: VethOptions) throws(HostNetworkError) -> Link {
    let link = try existingLink(named: options.name)
    guard let alias = options.alias else { return link }
    var changes = LinkChanges()
    changes.alias = alias
    do {
      try change(link.index, changes)
      return try existingLink(named: options.name)
    } catch {
      _ = try? deleteLink(link.index)
      throw error
    }
  }
}

extension NetlinkMessage {
  fileprivate mutating func appendEnd(_ options: VethOptions, name: String, mac: MACAddress?) {
    append(IFLA_IFNAME, name: name)
    append(IFLA_MTU, UInt32(options.mtu))
    append(IFLA_NUM_TX_QUEUES, UInt32(options.queueCount))
    append(IFLA_NUM_RX_QUEUES, UInt32(options.queueCount))
    if let mac { append(IFLA_ADDRESS, mac) }
  }
}
