// SPDX-License-Identifier: Apache-2.0

import CLaboratory
import CLinux
import HostNetwork
import Inet

/// Two hosts with a container each, joined by a wire, every one in a room of its own.
///
///     container: eth0 ── port0 :host: port1 ── port1 :host: port0 ── eth0 :container
///
/// Checksums, segmentation and reassembly are left to the stack at the containers' ends and at both
/// ends of the wire, if not said otherwise. Everybody knows everybody's hardware address
/// beforehand.
final class TwoHosts: Sendable {
  /// One host and its container.
  struct Side: Sendable {
    let container: Room
    let host: Room
    /// The host's end of the container's veth.
    let port: Link
    /// The host's end of the wire.
    let wire: Link
    /// The container's hardware address.
    let mac: MACAddress
    let address: IPv4Address
    /// The tunnel as this host sees it.
    let tunnel: Tunnel
  }

  /// What joins the hosts, in messages.
  let name: String
  /// The first one's container asks or sends, the second one's answers or receives.
  let sides: [Side]

  /// The wire's MTU if nothing else is said, which is that of most networks.
  static let usualWireMTU = 1500
  private static let macs = [
    MACAddress(bits: 0x02_00_00_00_03_01), MACAddress(bits: 0x02_00_00_00_03_02),
  ]
  private static let addresses = [
    IPv4Address(bits: 0x0A20_0001), IPv4Address(bits: 0x0A20_0002),
  ]

  /// The tunnel over the wire, but for the containers' MTU, as the first host sees it.
  static func tunnel(wireMTU: Int) -> Tunnel {
    var tunnel = Tunnel.ofBench
    tunnel.wireMTU = wireMTU
    return tunnel
  }

  /// Makes rooms and pairs; containers have this MTU.
  ///
  /// With `hasOffloads` the wire's ends cut and join packets, as network cards do, and the
  /// containers' are as `weft attach` makes them: without checksums and TSO, with GSO and GRO.
  init(
    _ name: String, mtu: Int, wireMTU: Int = TwoHosts.usualWireMTU, hasOffloads: Bool = false
  ) throws {
    self.name = name
    let rooms = try ["first", "second"].map { which in
      (host: try Room("\(which) host"), container: try Room("\(which) container"))
    }
    var tunnel = TwoHosts.tunnel(wireMTU: wireMTU)
    tunnel.innerMTU = mtu
    let (first, second) = (rooms[0], rooms[1])
    let wire = try first.host.furnish { [tunnel] (netlink) throws(HostNetworkError) in
      var options = VethOptions(name: "port1", peerName: "port1")
      options.mac = tunnel.localMAC
      options.peerMAC = tunnel.remoteMAC
      options.mtu = tunnel.wireMTU
      return try netlink.createVethPair(options, peerIn: second.host.namespace)
    }
    _ = wire
    sides = try rooms.enumerated().map { number, room in
      try TwoHosts.side(
        number, room, tunnel: number == 0 ? tunnel : tunnel.fromTheOtherEnd,
        hasOffloads: hasOffloads)
    }
  }

  private static func side(
    _ number: Int, _ room: (host: Room, container: Room), tunnel: Tunnel, hasOffloads: Bool
  ) throws -> Side {
    let (container, mac) = (room.container, macs[number])
    let (port, wire) = try room.host.furnish { (netlink) throws(HostNetworkError) in
      var options = VethOptions(name: "port0", peerName: "eth0")
      options.peerMAC = mac
      options.mtu = tunnel.innerMTU
      let port = try netlink.createVethPair(options, peerIn: container.namespace)
      try netlink.silence(port)
      try netlink.change(port.index, .up)
      let wire = try netlink.raise("port1", withOffloads: hasOffloads)
      return (port, try netlink.existingLink(at: wire))
    }
    let (own, other) = (addresses[number], addresses[1 - number])
    let interface = try container.furnish { (netlink) throws(HostNetworkError) in
      let index = try netlink.raise("eth0")
      if let subnet = IPv4Prefix(own, length: 24) { try netlink.addAddress(subnet, to: index) }
      try netlink.addPermanentNeighbour(other, at: macs[1 - number], on: index)
      return index
    }
    if !hasOffloads {
      try container.withoutReassembly(interface)
      try room.host.withoutReassembly(wire.index)
    }
    return Side(
      container: container, host: room.host, port: port, wire: wire, mac: mac, address: own,
      tunnel: tunnel)
  }

  /// Gives the wire's ends addresses, for those whose packets the kernel sends.
  func addressWires() throws {
    for side in sides {
      try side.host.furnish { (netlink) throws(HostNetworkError) in
        if let subnet = IPv4Prefix(side.tunnel.local, length: 24) {
          try netlink.addAddress(subnet, to: side.wire.index)
        }
        try netlink.addPermanentNeighbour(
          side.tunnel.remote, at: side.tunnel.remoteMAC, on: side.wire.index)
      }
    }
  }

  /// The hardware address of the other side's container.
  func otherMAC(than side: Side) -> MACAddress {
    sides.first { $0.mac != side.mac }?.mac ?? side.mac
  }
}

extension Room {
  /// Has an interface take and hand on packets as they are on the wire, neither cut late (GSO) nor
  /// joined (GRO).
  func withoutReassembly(_ interface: InterfaceIndex) throws {
    let number = interface.rawValue
    let commands = [UInt32(CLINUX_ETHTOOL_SGSO), Room.setGenericReceiveOffload]
    let result = try visit {
      commands.map { claboratory_set_feature(number, $0, 0) }.first { $0 != 0 } ?? 0
    }
    guard result == 0 else {
      throw ScenarioError(.unavailable, "\(name): switching offloads off: errno \(-result)")
    }
  }

  /// ETHTOOL_SGRO.
  private static let setGenericReceiveOffload: UInt32 = 0x2c
}

extension NetlinkSocket {
  fileprivate mutating func existingLink(at index: InterfaceIndex) throws(HostNetworkError) -> Link
  {
    guard let link = try link(at: index) else {
      throw .interfaceMissing(name: "interface \(index)")
    }
    return link
  }
}
