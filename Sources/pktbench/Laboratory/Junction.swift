// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import HostNetwork
import XDP

/// What joins two hosts: our data plane on both, or the kernel's bridge and VXLAN device on both.
final class Junction: Sendable {
  let hosts: TwoHosts
  /// One on each host; none for the kernel.
  private let weft: [WeftHost]
  /// Whether it may run only while it is measured, as it never leaves its cores to others.
  private let isSpinning: Bool

  /// Our data plane, one worker on each host, the first host's on the first of `cores`.
  init(weft name: String, mtu: Int, cores: [Int], idle: IdleMode) throws {
    let hosts = try TwoHosts(name, mtu: mtu)
    self.hosts = hosts
    isSpinning = idle == .spin
    weft = try zip(hosts.sides, cores).map { side, core in
      try WeftHost(
        WeftHost.Options(
          room: side.host, near: side.port, far: side.wire, tunnel: side.tunnel,
          nearStations: [side.mac], farStations: [hosts.otherMAC(than: side)], core: core,
          idle: idle))
    }
    if !isSpinning { try weft.forEach { try $0.start() } }
  }

  /// The kernel's way, with everything entered beforehand.
  init(kernel name: String, mtu: Int) throws {
    let hosts = try TwoHosts(name, mtu: mtu)
    self.hosts = hosts
    isSpinning = false
    weft = []
    for side in hosts.sides {
      let other = hosts.otherMAC(than: side)
      let tunnel = try side.host.furnish { (netlink) throws(HostNetworkError) in
        for family in ["ip", "ip6", "arp"] {
          try KernelSetting("net/bridge/bridge-nf-call-\(family)tables").set("0")
        }
        let bridge = try netlink.createBridge("bridge0", mtu: mtu)
        let tunnel = try netlink.createTunnel(side.tunnel, over: side.wire.index)
        for interface in [side.port.index, tunnel] {
          try netlink.setMaster(bridge, of: interface)
        }
        try netlink.addStation(side.mac, on: side.port.index)
        try netlink.addStation(other, on: tunnel)
        try netlink.addStation(other, on: tunnel, behind: side.tunnel.remote)
        for interface in [bridge, tunnel] { try netlink.change(interface, .up) }
        try KernelSetting("net/ipv6/conf/bridge0/disable_ipv6").set("1")
        return tunnel
      }
      // What comes out of the tunnel must not be joined again either.
      try side.host.withoutReassembly(tunnel)
    }
  }

  /// Runs what spins, for as long as `body` takes.
  func awake<Value>(_ body: () throws -> Value) throws -> Value {
    guard isSpinning else { return try body() }
    defer { weft.forEach { $0.stop() } }
    try weft.forEach { try $0.start() }
    return try body()
  }

  /// What our workers and sockets lost so far, in words; nil for the kernel.
  ///
  /// Throws if a worker's frames do not add up.
  func losses() throws -> Losses? {
    guard !weft.isEmpty else { return nil }
    var losses = Losses()
    for (which, host) in zip(["first", "second"], weft) {
      let atHost = try Losses(of: host)
      losses.byWorkers += atHost.byWorkers
      for (place, port) in atHost.ports { losses.ports["\(which) host's \(place)"] = port }
    }
    return losses
  }

  func close() {
    weft.forEach { $0.stop() }
  }
}

/// Frames that did not get through on two hosts.
struct Losses: Equatable, Sendable {
  /// Those that arrived at one port and came no further.
  struct AtPort: Equatable, Sendable {
    /// The RX ring was full.
    var ringFull: UInt64 = 0
    /// Times the kernel found no chunk on the fill ring.
    var withoutChunk: UInt64 = 0
    /// Dropped for other reasons than a full ring, the lack of a chunk among them.
    var otherwise: UInt64 = 0
  }

  /// Dropped by workers, whatever the reason.
  var byWorkers: UInt64 = 0
  var ports: [String: AtPort] = [:]

  /// None yet.
  init() {}

  /// What one host's worker and its ports lost so far.
  ///
  /// Throws if the worker's frames do not add up.
  init(of host: WeftHost) throws {
    _ = try host.dropped()
    byWorkers = FrameAccount(values: try host.counters()).dropped.reduce(0, +)
    let places = ["container", host.options.tunnel == nil ? "other container" : "wire"]
    for (place, state) in zip(places, try host.portStates()) {
      let statistics = state.statistics
      ports[place] = AtPort(
        ringFull: statistics.receiveRingFull, withoutChunk: statistics.fillRingEmpty,
        otherwise: statistics.receiveDropped + state.missed)
    }
  }

  /// What was added since an earlier look.
  func since(_ earlier: Losses) -> Losses {
    var added = Losses()
    added.byWorkers = byWorkers &- earlier.byWorkers
    for (name, port) in ports {
      let before = earlier.ports[name] ?? AtPort()
      added.ports[name] = AtPort(
        ringFull: port.ringFull &- before.ringFull,
        withoutChunk: port.withoutChunk &- before.withoutChunk,
        otherwise: port.otherwise &- before.otherwise)
    }
    return added
  }

  /// In words, without ports that lost nothing.
  var text: String {
    let lines = ports.sorted { $0.key < $1.key }.compactMap { name, port -> String? in
      guard port != AtPort() else { return nil }
      return "\(name): RX full \(port.ringFull), fill ring empty \(port.withoutChunk), "
        + "dropped \(port.otherwise)"
    }
    return (["dropped by workers \(byWorkers)"] + lines).joined(separator: "; ")
  }
}
