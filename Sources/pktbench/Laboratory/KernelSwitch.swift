// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet

/// The kernel's way: a bridge with the container's veth and, towards the wire, a VXLAN device.
///
/// Everything is entered beforehand: stations, endpoint, neighbour. The path is the kernel's
/// fastest, without learning at the tunnel and without checksums.
struct KernelSwitch: Forwarder {
  let bench: Bench

  /// Builds it between the bench's two ports.
  ///
  /// Packets from the generator are handled on `cores` (RPS), or if nil where they arrive.
  init(bench: Bench, cores: [Int]?) throws {
    self.bench = bench
    let (near, far, way) = (bench.nearPort.index, bench.farPort.index, bench.flows.way)
    try bench.host.furnish { (netlink) throws(HostNetworkError) in
      // Where br_netfilter is loaded, bridged packets would go through the firewall's hooks.
      for family in ["ip", "ip6", "arp"] {
        try KernelSetting("net/bridge/bridge-nf-call-\(family)tables").set("0")
      }
      let bridge = try netlink.createBridge("bridge0", mtu: 1500)
      let other = way == .bridge ? far : try netlink.createTunnel(.ofBench, over: far)
      for interface in [near, other] { try netlink.setMaster(bridge, of: interface) }
      for destination in Flows.destinations {
        try netlink.addStation(destination, on: way == .decap ? near : other)
        guard way == .encap else { continue }
        try netlink.addStation(destination, on: other, behind: Bench.remoteAddress)
      }
      for interface in [bridge, other] { try netlink.change(interface, .up) }
      try KernelSetting("net/ipv6/conf/bridge0/disable_ipv6").set("1")
    }
    guard let cores else { return }
    try bench.host.spreadReceiving(at: way == .decap ? "port1" : "port0", over: cores)
  }

  func sample(_ load: Load) throws -> Sample { try bench.run(load, dropped: dropped) }

  func close() { bench.close() }

  /// Frames dropped on the way through bridge and tunnel.
  func dropped() throws -> UInt64 {
    let hasTunnel = bench.flows.way != .bridge
    return try bench.host.furnish { (netlink) throws(HostNetworkError) in
      let atBridge = try netlink.transmitDropped("bridge0")
      return hasTunnel ? try atBridge + netlink.transmitDropped("vxlan0") : atBridge
    }
  }
}

extension NetlinkSocket {
  /// Makes the VXLAN device over the wire, with the host's address and its neighbour.
  mutating func createTunnel(
    _ tunnel: Tunnel, over wire: InterfaceIndex
  ) throws(HostNetworkError) -> InterfaceIndex {
    if let subnet = IPv4Prefix(tunnel.local, length: 24) {
      try addAddress(subnet, to: wire)
    }
    try addPermanentNeighbour(tunnel.remote, at: tunnel.remoteMAC, on: wire)
    let device = try createVXLAN(
      VXLANDevice(
        name: "vxlan0", network: tunnel.network.bits, local: tunnel.local, port: Tunnel.port,
        underlay: wire, mtu: tunnel.innerMTU))
    try KernelSetting("net/ipv6/conf/vxlan0/disable_ipv6").set("1")
    return device
  }
}
