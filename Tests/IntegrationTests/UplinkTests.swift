// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Hosts whose way to the others is nothing that AF_XDP could be used on.
  @Suite struct UplinkTests {
    private static let minutes = TimeLimitTrait.Duration.minutes(5)

    @Test(.timeLimit(minutes)) func hostsBehindBridgesReachEachOther() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2))
        for (number, host) in [(1, a), (2, b)] {
          try putBridge(under: host, number)
          try configure(bed, host, number, interface: "br0")
        }
        try expectTraffic(bed, a, b)
        for host in [a, b] { try expectSockets(host, because: "br0 is a bridge") }
      }
    }

    @Test(.timeLimit(minutes)) func hostBehindABridgeReachesOneWithAFXDP() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2, peers: [1]))
        try putBridge(under: a, 1)
        try configure(bed, a, 1, interface: "br0")
        try expectTraffic(bed, a, b)
        try expectSockets(a, because: "br0 is a bridge")
        #expect(try b.status().underlay.method == "xdp")
      }
    }

    @Test(.timeLimit(minutes)) func hostsWithoutAnInterfaceReachEachOther() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2))
        for (number, host) in [(1, a), (2, b)] {
          try configure(bed, host, number, interface: nil)
        }
        try expectTraffic(bed, a, b)
        for host in [a, b] {
          try expectSockets(host, because: "no interface is configured")
          #expect(try host.status().overlay_mtu == 1450)
        }
      }
    }

    @Test(.timeLimit(minutes)) func hostsOfATunnelWithoutEthernetReachEachOther() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2))
        let tunnels = [try openTunnel(of: a, 1, to: 2), try openTunnel(of: b, 2, to: 1)]
        defer { for tunnel in tunnels { tunnel.stop() } }
        try eventually("the tunnel carries packets", within: .seconds(10)) {
          let ping = words("ping -n -q -c 1 -W 1 \(MeshBed.address(2))")
          return try attempt(a.namespace.command(ping)).status == 0
        }
        for (number, host) in [(1, a), (2, b)] {
          try configure(bed, host, number, interface: "tun0")
        }
        try expectTraffic(bed, a, b)
        for host in [a, b] {
          try expectSockets(host, because: "tun0 is a tun or tap device")
          #expect(try host.status().overlay_mtu == 1350)
        }
      }
    }

    @Test(.timeLimit(minutes)) func foreignProgramHasSocketsDoItsHostsWorkUntilItGoes() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2, peers: [1]))
        let foreign = try ForeignProgram("eth0", in: a.namespace, .generic)
        try expectTraffic(bed, a, b)
        try expectSockets(a, because: "'\(ForeignProgram.name)'")
        #expect(try foreign.isAttached())
        try foreign.detach()
        try eventually("AF_XDP is taken up", within: .seconds(10)) {
          try a.status().underlay.method == "xdp"
        }
        let (left, right) = (try bed.attach(3, to: a), try bed.attach(4, to: b))
        try left.pingEventually(right)
        try left.ping(right, count: 20)
      }
    }

    // MARK: Ways

    /// Moves the host's address from `eth0` to a bridge, of which that becomes a port.
    private func putBridge(under host: TestHost, _ number: Int) throws {
      try host.namespace.ip("link add br0 type bridge")
      try host.namespace.ip("address flush dev eth0")
      try host.namespace.ip("link set eth0 master br0")
      try host.namespace.ip("link set br0 up")
      try host.namespace.ip("address add \(MeshBed.address(number))/24 dev br0")
    }

    /// Moves the host's address from `eth0` to a tunnel without Ethernet to another host, which
    /// passes over `eth0` by addresses of its own.
    private func openTunnel(
      of host: TestHost, _ number: Int, to other: Int
    ) throws -> RunningProcess {
      try host.namespace.ip("address flush dev eth0")
      try host.namespace.ip("address add \(outer(number))/24 dev eth0")
      let process = try host.namespace.start([
        "timeout", "-k", "1", "100", "socat",
        "TUN:\(MeshBed.address(number))/24,tun-name=tun0,iff-no-pi,iff-up",
        "UDP4-DATAGRAM:\(outer(other)):5999,bind=\(outer(number)):5999",
      ])
      try eventually("there is a tun0", within: .seconds(10)) {
        try host.namespace.interfaces().contains("tun0")
      }
      try host.namespace.ip("link set tun0 mtu 1400")
      return process
    }

    private func outer(_ number: Int) -> String { "198.51.100.\(number)" }

    /// Has each host but the first dial the first.
    private func configure(
      _ bed: MeshBed, _ host: TestHost, _ number: Int, interface: String?
    ) throws {
      try host.writeConfig(
        bed.meshConfig(host, number, peers: number == 1 ? [] : [1], interface: interface))
    }

    // MARK: What has to be so

    /// Starts two hosts, and has a container on each exchange packets of all lengths and a stream.
    private func expectTraffic(_ bed: MeshBed, _ a: TestHost, _ b: TestHost) throws {
      for host in [a, b] { try host.start() }
      try a.waitUntilConnected(2)
      try b.waitUntilConnected(1)
      let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
      try left.pingEventually(right)
      try left.ping(right, count: 20)
      try right.ping(left, count: 20)
      try eventually("VXLAN carries", within: .seconds(20)) {
        try [a, b].allSatisfy { try $0.connections().allSatisfy { $0.overlay == "fastdp" } }
      }
      #expect(try left.reaches(right, packetOf: try a.status().overlay_mtu))
      let there = try left.transfer(1_000_000, to: right, port: 5001)
      let back = try right.transfer(1_000_000, to: left, port: 5002)
      #expect(there.sent == there.received && back.sent == back.received)
    }

    private func expectSockets(_ host: TestHost, because reason: String) throws {
      let underlay = try host.status().underlay
      #expect(underlay.method == "socket" && underlay.mode == nil, "\(underlay)")
      #expect(underlay.method_reason.contains(reason), "\(underlay)")
      #expect(try host.statusText().contains("Mode: sockets ("))
      // No program, nor anything else of ours, is on an interface but the ports'.
      let ours = try host.namespace.links().filter {
        ($0["ifname"] as? String) == underlay.interface
      }
      #expect(!ours.contains { $0["xdp"] != nil } || reason.contains(ForeignProgram.name))
    }
  }
}
