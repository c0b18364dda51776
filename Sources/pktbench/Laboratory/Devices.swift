// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import HostNetwork
import Inet

// What a kernel competitor is made of, and what interfaces counted: requests that the product
// itself never makes.

/// A kernel VXLAN device with one remote endpoint (RFC 7348).
struct VXLANDevice: Sendable {
  var name: String
  var network: UInt32
  var local: IPv4Address
  var port: UInt16
  /// The interface that outer packets leave by.
  var underlay: InterfaceIndex
  var mtu: Int
}

extension NetlinkSocket {
  /// Makes a bridge that does not learn the hard way: no spanning tree, no snooping.
  mutating func createBridge(_ name: String, mtu: Int) throws(HostNetworkError) -> InterfaceIndex {
    try createDevice(name, kind: "bridge", mtu: mtu) { data in
      data.append(Int(IFLA_BR_STP_STATE), UInt32(0))
      data.append(Int(IFLA_BR_MCAST_SNOOPING), UInt8(0))
    }
  }

  /// Makes a VXLAN device without learning and without outer UDP checksums, its fastest form.
  mutating func createVXLAN(_ device: VXLANDevice) throws(HostNetworkError) -> InterfaceIndex {
    try createDevice(device.name, kind: "vxlan", mtu: device.mtu) { data in
      data.append(Int(IFLA_VXLAN_ID), device.network)
      data.append(Int(IFLA_VXLAN_LOCAL), device.local)
      data.append(Int(IFLA_VXLAN_LINK), UInt32(bitPattern: device.underlay.rawValue))
      data.append(Int(IFLA_VXLAN_PORT), device.port.bigEndian)
      data.append(Int(IFLA_VXLAN_LEARNING), UInt8(0))
      data.append(Int(IFLA_VXLAN_UDP_CSUM), UInt8(0))
    }
  }

  private mutating func createDevice(
    _ name: String, kind: String, mtu: Int, _ data: (inout NetlinkMessage) -> Void
  ) throws(HostNetworkError) -> InterfaceIndex {
    var message = NetlinkMessage(
      type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, header: ifinfomsg())
    message.append(IFLA_IFNAME, name: name)
    message.append(IFLA_MTU, UInt32(mtu))
    message.nest(IFLA_LINKINFO) { information in
      information.append(IFLA_INFO_KIND, text: kind)
      information.nest(IFLA_INFO_DATA) { data(&$0) }
    }
    try request(message, call: "RTM_NEWLINK", subject: name)
    return try index(of: name)
  }

  /// The number of an interface that is there.
  mutating func index(of name: String) throws(HostNetworkError) -> InterfaceIndex {
    guard let link = try link(named: name) else { throw .interfaceMissing(name: name) }
    return link.index
  }

  /// Makes an interface a port of a bridge.
  mutating func setMaster(
    _ master: InterfaceIndex, of interface: InterfaceIndex
  ) throws(HostNetworkError) {
    var header = ifinfomsg()
    header.ifi_index = interface.rawValue
    var message = NetlinkMessage(type: RTM_SETLINK, header: header)
    message.append(IFLA_MASTER, UInt32(bitPattern: master.rawValue))
    try request(message, call: "RTM_SETLINK", subject: "a bridge's port")
  }

  /// Enters where an address is, for good, so that nobody asks for it.
  mutating func addPermanentNeighbour(
    _ address: IPv4Address, at mac: MACAddress, on interface: InterfaceIndex
  ) throws(HostNetworkError) {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_INET)
    header.ndm_ifindex = interface.rawValue
    header.ndm_state = UInt16(NUD_PERMANENT)
    var message = NetlinkMessage(
      type: RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE, header: header)
    message.append(Int(NDA_DST), address)
    message.append(Int(NDA_LLADDR), mac)
    try request(message, call: "RTM_NEWNEIGH", subject: "\(address)")
  }

  /// Enters where a station is into a forwarding table: the bridge's of a port, or a VXLAN
  /// device's own, with the endpoint the station is behind.
  mutating func addStation(
    _ mac: MACAddress, on interface: InterfaceIndex, behind endpoint: IPv4Address? = nil
  ) throws(HostNetworkError) {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_BRIDGE)
    header.ndm_ifindex = interface.rawValue
    // To a bridge, permanent means its own address.
    header.ndm_state = UInt16(endpoint == nil ? NUD_NOARP : NUD_NOARP | NUD_PERMANENT)
    header.ndm_flags = UInt8(endpoint == nil ? NTF_MASTER : NTF_SELF)
    var message = NetlinkMessage(
      type: RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE, header: header)
    message.append(Int(NDA_LLADDR), mac)
    if let endpoint { message.append(Int(NDA_DST), endpoint) }
    try request(message, call: "RTM_NEWNEIGH", subject: "\(mac)")
  }

  /// Frames that were to leave by the interface and did not (`tx_dropped`).
  mutating func transmitDropped(_ name: String) throws(HostNetworkError) -> UInt64 {
    try statistic(7, of: name)
  }

  /// Frames that arrived at the interface and got no further (`rx_dropped`); of a veth with an XDP
  /// program those that no socket had room for.
  mutating func receiveDropped(_ name: String) throws(HostNetworkError) -> UInt64 {
    try statistic(6, of: name)
  }

  /// One of the words of struct rtnl_link_stats64.
  private mutating func statistic(
    _ word: Int, of name: String
  ) throws(HostNetworkError) -> UInt64 {
    var message = NetlinkMessage(type: RTM_GETLINK, header: ifinfomsg())
    message.append(IFLA_IFNAME, name: name)
    var value: UInt64 = 0
    try request(message, call: "RTM_GETLINK", subject: name) {
      (reply) throws(HostNetworkError) in
      let attributes = try reply.attributes(after: ifinfomsg.self, call: "RTM_GETLINK")
      guard let statistics = attributes.first(where: { $0.type == Int(IFLA_STATS64) }) else {
        return
      }
      value = statistics.payload.dropFirst(word * 8).prefix(8).reversed().reduce(0) {
        $0 << 8 | UInt64($1)
      }
    }
    return value
  }
}
