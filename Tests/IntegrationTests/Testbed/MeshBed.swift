// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Several hosts on one wire that find each other by the mesh; hosts may be cut off from others.
final class MeshBed {
  /// The bridge that is the wire.
  private let wire: TestNamespace
  /// Hosts with a weftd, in the order they were added.
  private(set) var hosts: [TestHost] = []
  /// Hosts with a Weave router, in the order they were added.
  private(set) var routers: [WeaveRouter] = []
  private var containers: [TestContainer] = []

  private init() throws {
    wire = try TestNamespace("wire")
    try wire.ip("link add br0 type bridge")
    try wire.ip("link set br0 up")
  }

  /// Runs a test on an empty wire; at the end the accounts of every weftd are looked at and
  /// everything is taken away.
  static func run(_ test: (MeshBed) throws -> Void) throws {
    try Testbed.requireRoot()
    let bed = try MeshBed()
    defer { bed.stop() }
    do {
      try test(bed)
      for host in bed.hosts where host.weftd != nil { try Testbed.expectBalance(host) }
    } catch {
      bed.tellLogs()
      throw error
    }
  }

  /// The place of a number: its underlay address is 192.0.2.`number`.
  static func place(_ number: Int) -> TestHost.Place {
    let core = (number - 1) % max(1, ProcessInfo.processInfo.activeProcessorCount)
    return TestHost.Place(
      name: "h\(number)", address: address(number), peer: "", core: core)
  }

  static func address(_ number: Int) -> String { "192.0.2.\(number)" }

  /// The mesh name of a number.
  static func name(_ number: Int) -> String { "02:00:00:00:00:0\(number)" }

  /// Adds a host with a weftd that is not started; `peers` are numbers of hosts.
  @discardableResult
  func addHost(
    _ number: Int, peers: [Int] = [], password: String? = nil, overlayMTU: Int? = nil,
    mesh: String = ""
  ) throws -> TestHost {
    let host = try TestHost(Self.place(number))
    hosts.append(host)
    try plug(host.namespace, number)
    let secret = try password.map { "password_file = \"\(try host.writePassword($0))\"\n" } ?? ""
    try host.writeConfig(
      meshConfig(host, number, peers: peers, overlayMTU: overlayMTU, mesh: secret + mesh))
    return host
  }

  /// The text of a config file without endpoints and with a mesh.
  func meshConfig(
    _ host: TestHost, _ number: Int, peers: [Int] = [], interface: String? = "eth0",
    overlayMTU: Int? = nil, mesh: String = ""
  ) -> String {
    let overlay = overlayMTU.map { "[overlay]\nmtu = \($0)\n" } ?? ""
    let targets = peers.map { "\"\(Self.address($0))\"" }.joined(separator: ", ")
    return host.config(interface: interface, peers: []) + """

      \(overlay)
      [mesh]
      name = "\(Self.name(number))"
      nickname = "host\(number)"
      peers = [\(targets)]
      \(mesh)
      """
  }

  /// Adds a host with a Weave router that is not started.
  func addRouter(_ number: Int, peers: [Int] = [], _ flags: [String] = []) throws -> WeaveRouter {
    let router = try WeaveRouter(
      number, name: Self.name(number), arguments: flags + peers.map(Self.address))
    routers.append(router)
    try plug(router.namespace, number)
    return router
  }

  /// Adds a host that runs neither; it is gone when its value ends.
  func addStranger(_ number: Int) throws -> TestNamespace {
    let stranger = try TestNamespace("s\(number)")
    try plug(stranger, number)
    return stranger
  }

  private func plug(_ namespace: TestNamespace, _ number: Int) throws {
    try namespace.ip("link add eth0 mtu 1500 type veth peer name p\(number) netns \(wire.name)")
    try namespace.ip("address add \(Self.address(number))/24 dev eth0")
    try namespace.ip("link set eth0 up")
    try namespace.finishFrames(of: "eth0")
    try wire.ip("link set p\(number) mtu 1500 master br0 up")
    try wire.finishFrames(of: "p\(number)")
  }

  /// Keeps two hosts from reaching each other.
  func cut(_ left: (TestNamespace, Int), _ right: (TestNamespace, Int)) throws {
    try left.0.ip("route add blackhole \(Self.address(right.1))/32")
    try right.0.ip("route add blackhole \(Self.address(left.1))/32")
  }

  /// Gives the wire, and what is plugged into it, another MTU.
  func setWireMTU(_ mtu: Int) throws {
    for host in hosts {
      try host.namespace.ip("link set eth0 mtu \(mtu)")
      let number = host.place.address.split(separator: ".").last ?? ""
      try wire.ip("link set p\(number) mtu \(mtu)")
    }
    try wire.ip("link set br0 mtu \(mtu)")
  }

  /// Has the wire lose everything that goes to a UDP port.
  func dropOnWire(udpPort: Int) throws {
    try dropOnWire("udp dport \(udpPort)")
  }

  /// Has the wire lose all ESP packets.
  func dropESPOnWire() throws { try dropOnWire("ether type ip ip protocol esp") }

  private func dropOnWire(_ match: String) throws {
    let table = "bridge weft"
    try wire.run(["nft", "add table \(table)"])
    try wire.run(["nft", "add chain \(table) lost { type filter hook forward priority 0; }"])
    try wire.run(["nft", "add rule \(table) lost \(match) drop"])
  }

  /// Has the wire lose nothing any more.
  func dropNothingOnWire() throws { try wire.run("nft delete table bridge weft") }

  /// Begins to record what the first host sends and receives.
  func captureOnWire() throws -> Capture { try Capture("p1", in: wire) }

  /// Puts a gate with masquerading between a host and the wire: the wire sees the gate's address,
  /// that of number `gate`, and the host has one of a network of its own.
  func hide(_ host: TestNamespace, _ number: Int, behind gate: Int) throws -> TestNamespace {
    let middle = try addStranger(gate)
    try host.ip("link delete eth0")
    try host.ip("link add eth0 mtu 1500 type veth peer name inside netns \(middle.name)")
    try host.ip("address add 198.51.100.\(number)/24 dev eth0")
    try host.ip("link set eth0 up")
    try host.finishFrames(of: "eth0")
    try middle.ip("address add 198.51.100.254/24 dev inside")
    try middle.ip("link set inside up")
    try middle.finishFrames(of: "inside")
    try host.ip("route add default via 198.51.100.254")
    try middle.run("sysctl -q -w net.ipv4.ip_forward=1")
    try middle.run("iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE")
    return middle
  }

  /// Plugs a container into a router's bridge; its address is 10.32.0.`number`.
  func attach(_ number: Int, to router: WeaveRouter) throws -> TestContainer {
    let container = try TestContainer(number)
    containers.append(container)
    try router.attach(container)
    return container
  }

  /// Makes and attaches a container with the address 10.32.0.`number`.
  func attach(_ number: Int, to host: TestHost) throws -> TestContainer {
    let container = try TestContainer(number)
    containers.append(container)
    try host.attach(container)
    return container
  }

  private func stop() {
    for router in routers { router.stop() }
    for host in hosts { host.stop() }
    for container in containers { container.namespace.delete() }
  }

  private func tellLogs() {
    for host in hosts {
      let text = host.weftd?.errors ?? "nothing: it does not run"
      let seen = (try? host.ask(["status", "connections"]).output) ?? ""
      Issue.record("weftd on host \(host.place.name) says:\n\(text)\nand shows:\n\(seen)")
    }
    for router in routers { Issue.record("the Weave router says:\n\(router.log)") }
  }
}

extension TestHost {
  /// `weft report`.
  func report() throws -> MeshReportJSON {
    let outcome = try ask(["report"])
    guard outcome.status == 0 else { throw TestbedError("\(outcome)") }
    return try JSONDecoder().decode(MeshReportJSON.self, from: Data(outcome.output.utf8))
  }

  /// `weft connect` or `weft forget`.
  func askMesh(_ words: String...) throws {
    let outcome = try ask(words)
    guard outcome.status == 0 else { throw TestbedError("\(outcome)") }
  }

  /// Waits until connections to these peers, by number, are established.
  func waitUntilConnected(
    _ numbers: Int..., within limit: Duration = .seconds(30)
  ) throws {
    let names = Set(numbers.map(MeshBed.name))
    try eventually("host \(place.name) is connected with \(names)", within: limit) {
      try names.isSubset(of: report().router.establishedPeers)
    }
  }

  /// Waits until that many peers, this host included, are known.
  func waitUntilKnown(_ count: Int, within limit: Duration = .seconds(30)) throws {
    try eventually("host \(place.name) knows \(count) peers", within: limit) {
      try report().router.Peers.count == count
    }
  }
}
