// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
package import Inet

/// An interface as the kernel describes it.
package struct Link: Equatable, Sendable {
  /// Its number in this namespace.
  package let index: InterfaceIndex
  /// Its name.
  package let name: String
  /// The free text somebody attached to it, if any.
  package var alias: String?
  /// Its hardware address, if it has one of six octets.
  package var mac: MACAddress?
  /// The largest packet it takes, in bytes, without the Ethernet header.
  package var mtu: Int = 0
  /// Whether an administrator has set it up (IFF_UP).
  package let isUp: Bool
  /// Whether frames can pass: up, and with a peer or cable (IFF_LOWER_UP).
  package let hasCarrier: Bool
  /// Whether it is the loopback interface.
  package let isLoopback: Bool
  /// Whether it neither asks nor answers for addresses (IFF_NOARP).
  package let isARPOff: Bool
  /// Whether its frames are Ethernet frames.
  package let isEthernet: Bool
  /// What made it: `veth`, `bridge`, `vxlan`; nil for hardware.
  package var kind: String?
  /// The number of transmit queues.
  package var transmitQueueCount = 1
  /// The number of receive queues.
  package var receiveQueueCount = 1
  /// The other end of a veth, or what the interface sits on, as numbered in that one's namespace.
  package var peerIndex: InterfaceIndex?
  /// This namespace's number for the one the other end is in; nil if it is this one.
  package var peerNamespace: Int32?
  /// The bridge or bond it is a port of.
  package var masterIndex: InterfaceIndex?
  /// The XDP program attached to it, if any.
  package var program: AttachedProgram?

  /// Reads an `RTM_NEWLINK` or `RTM_DELLINK` message; nil if it is about something else.
  package init?(_ reply: NetlinkReply) throws(HostNetworkError) {
    let call = "RTM_GETLINK"
    guard let header = reply.header(ifinfomsg.self) else {
      throw .malformedReply(call: call, reason: "\(reply.payload.count) bytes for a link")
    }
    // A bridge reports its ports in the same messages under its own family.
    guard header.ifi_family == UInt8(AF_UNSPEC) else { return nil }
    let attributes = try reply.attributes(after: ifinfomsg.self, call: call)
    guard let name = attributes.last(where: { $0.type == IFLA_IFNAME })?.text, !name.isEmpty,
      header.ifi_index > 0
    else { throw .malformedReply(call: call, reason: "a link without a name or a number") }
    index = InterfaceIndex(rawValue: header.ifi_index)
    self.name = name
    isUp = header.ifi_flags & UInt32(IFF_UP) != 0
    hasCarrier = header.ifi_flags & UInt32(CLINUX_IFF_LOWER_UP) != 0
    isLoopback = header.ifi_flags & UInt32(IFF_LOOPBACK) != 0
    isARPOff = header.ifi_flags & UInt32(IFF_NOARP) != 0
    isEthernet = Int(header.ifi_type) == CLINUX_ARPHRD_ETHER
    for attribute in attributes { try take(attribute, call: call) }
  }

  private mutating func take(
    _ attribute: NetlinkAttribute, call: String
  ) throws(HostNetworkError) {
    switch attribute.type {
    case IFLA_IFALIAS: alias = attribute.text.isEmpty ? nil : attribute.text
    case IFLA_ADDRESS: mac = attribute.mac
    case IFLA_MTU: mtu = Int(attribute.uint32 ?? 0)
    case IFLA_NUM_TX_QUEUES: transmitQueueCount = Int(attribute.uint32 ?? 1)
    case IFLA_NUM_RX_QUEUES: receiveQueueCount = Int(attribute.uint32 ?? 1)
    case IFLA_LINK: peerIndex = attribute.interfaceIndex
    case IFLA_LINK_NETNSID: peerNamespace = attribute.int32.flatMap { $0 >= 0 ? $0 : nil }
    case IFLA_MASTER: masterIndex = attribute.interfaceIndex
    case IFLA_LINKINFO:
      kind = try attribute.nested(call: call).first { $0.type == IFLA_INFO_KIND }?.text
    case IFLA_XDP: program = AttachedProgram(try attribute.nested(call: call))
    default: break
    }
  }
}

/// An XDP program attached to an interface.
package struct AttachedProgram: Equatable, Sendable {
  /// How the program is run.
  package enum Mode: Equatable, Sendable {
    /// By the driver.
    case native
    /// By the kernel's generic code, after a buffer was allocated.
    case generic
    /// By the hardware.
    case offloaded
    /// Several programs in several modes at once.
    case several
  }

  /// How the program is run.
  package let mode: Mode
  /// The kernel's number of the program; 0 if there are several.
  package let identifier: UInt32

  init?(_ attributes: [NetlinkAttribute]) {
    let mode = attributes.first { $0.type == IFLA_XDP_ATTACHED }?.uint8 ?? 0
    switch Int(mode) {
    case XDP_ATTACHED_DRV: self.mode = .native
    case XDP_ATTACHED_SKB: self.mode = .generic
    case XDP_ATTACHED_HW: self.mode = .offloaded
    case XDP_ATTACHED_MULTI: self.mode = .several
    default: return nil
    }
    identifier = attributes.first { $0.type == IFLA_XDP_PROG_ID }?.uint32 ?? 0
  }
}
