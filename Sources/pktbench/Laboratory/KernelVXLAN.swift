// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet

/// The kernel's way: a bridge with the container's veth and a VXLAN device.
///
/// Everything is entered beforehand: stations, endpoint, neighbour. The path is the kernel's
/// fastest, without learning and without checksums.
struct KernelVXLAN {
  let bench: Bench

  /// Builds it between the bench's two interfaces.
  ///
  /// Packets from the container are handled on `cores` (RPS), or if nil where they arrive.
  init(bench: Bench, cores: [Int]?) throws {
    self.bench = bench
    let port = bench.port.index
    let wire = bench.wire.index
    try bench.host.furnish { (netlink) throws(HostNetworkError) in
      guard let subnet = IPv4Prefix(Bench.hostAddress, length: 24) else { return }
      try netlink.addAddress(subnet, to: wire)
      try netlink.addPermanentNeighbour(Bench.remoteAddress, at: Bench.remoteMAC, on: wire)
      let bridge = try netlink.createBridge("bridge0", mtu: 1500)
      let tunnel = try netlink.createVXLAN(
        VXLANDevice(
          name: "vxlan0", network: Bench.network, local: Bench.hostAddress, port: 4789,
          underlay: wire, mtu: 1500))
      for name in ["bridge0", "vxlan0"] {
        try KernelSetting("net/ipv6/conf/\(name)/disable_ipv6").set("1")
      }
      // Where br_netfilter is loaded, bridged packets would go through the firewall's hooks.
      for family in ["ip", "ip6", "arp"] {
        try KernelSetting("net/bridge/bridge-nf-call-\(family)tables").set("0")
      }
      for interface in [port, tunnel] { try netlink.setMaster(bridge, of: interface) }
      for destination in Flows.destinations {
        try netlink.addStation(destination, on: tunnel)
        try netlink.addStation(destination, on: tunnel, behind: Bench.remoteAddress)
      }
      for interface in [bridge, tunnel] { try netlink.change(interface, .up) }
    }
    if let cores { try bench.host.spreadReceiving(at: "port0", over: cores) }
  }

  /// Frames dropped on the way through bridge and tunnel.
  func dropped() throws -> UInt64 {
    try bench.host.furnish { (netlink) throws(HostNetworkError) in
      try netlink.transmitDropped("bridge0") + netlink.transmitDropped("vxlan0")
    }
  }
}
