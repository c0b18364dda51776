// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import TestSupport
import Testing

/// One peer that invents others does not keep the rest of the mesh from working.
@Suite struct LiarTests {
  /// Hosts 1 and 2, connected with each other and with the liar 4, that know as many as they keep.
  private func crowdedNetwork(hasDiscovery: Bool) -> MachineNetwork {
    var network = MachineNetwork(seed: 1)
    for number: UInt8 in 1...4 { network.add(number) { $0.hasDiscovery = hasDiscovery } }
    for number: UInt8 in 1...4 { limit(number, in: &network) }
    let crowd = (1...100 as ClosedRange<UInt64>).map { peer($0) }
    network.hosts[4]?.machine.topology.addConnection(
      to: described(peer(1)), address: "", isOutbound: true)
    var random = SeededGenerator(seed: 2)
    let names = crowd.dropFirst().map { $0 } + [MachineNetwork.name(4)]
    let invented = crowd.map { name in
      var one = described(name, version: 1, connectedWith: name == peer(1) ? names : [peer(1)])
      for index in one.connections.indices { one.connections[index].address = "" }
      return one
    }
    _ = network.hosts[4]?.machine.topology.merge(TopologyUpdate(peers: invented), random: &random)
    network.connect(1, to: 2)
    network.connect(4, to: 1, 2)
    network.run(for: .seconds(40))
    return network
  }

  private func limit(_ number: UInt8, in network: inout MachineNetwork) {
    var limits = Topology.Limits()
    limits.peerCount = number == 4 ? 1000 : 40
    guard let own = network.hosts[number]?.machine.topology.own else { return }
    network.hosts[number]?.machine.topology = Topology(own: own, limits: limits)
  }

  @Test(arguments: [true, false]) func newcomersJoinAtTheLimit(hasDiscovery: Bool) throws {
    var network = crowdedNetwork(hasDiscovery: hasDiscovery)
    for number: UInt8 in 1...2 {
      #expect(network.report(number).peers.count == 40)
      #expect(network.report(number).counts.leftOutPeers > 0)
    }
    network.connect(3, to: 1)
    network.run(for: .seconds(40))
    let others = hasDiscovery ? [1, 2] : [1] as [UInt8]
    #expect(network.established(3).isSuperset(of: others.map { MachineNetwork.name($0) }))
    for number in others {
      let routes = try #require(network.hosts[number]?.machine.forwarding.peers)
      let newcomer = routes.first { $0.name == MachineNetwork.name(3) }
      #expect(newcomer?.nextHop == MachineNetwork.name(3))
      // What we say of ourselves goes on being heard.
      let said = network.hosts[number]?.machine.topology.own
      let heard = network.hosts[number % 2 + 1]?.machine.topology.peers[MachineNetwork.name(number)]
      #expect(heard == said)
    }
    let two = network.hosts[3]?.machine.forwarding.peers.first { $0.name == MachineNetwork.name(2) }
    #expect(two?.nextHop == MachineNetwork.name(hasDiscovery ? 2 : 1))
  }

  @Test(arguments: [true, false])
  func discoveryGoesOnBesideInventedAddresses(isCrowd: Bool) throws {
    var bench = MachineBench()
    let liar = bench.join(2)
    _ = bench.join(3)
    var connections: [PeerDescription.Connection] = []
    for number in 0..<1100 as Range<UInt32> {
      connections.append(
        PeerDescription.Connection(
          peer: peer(UInt64(number) + 1000),
          address: SocketAddress(IPv4Address(bits: 0x0B00_0001 + number), port: 1).description,
          isOutbound: true, isEstablished: true))
    }
    var invented = [described(MachineNetwork.name(2), uid: 2, version: 1)]
    invented[0].connections = connections
    if isCrowd {
      // Each of many has one address instead.
      invented += connections.map { connection in
        var one = described(connection.peer, version: 1)
        one.connections = [connection]
        one.connections[0].peer = peer(connection.peer.bits + 10_000)
        return one
      }
      for index in connections.indices { invented[0].connections[index].address = "" }
    }
    var honest = described(MachineNetwork.name(3), uid: 3, version: 1)
    honest.connections = [MachineBench.connection(to: 9, address: "10.0.0.9:6783")]
    let update = TopologyUpdate(peers: invented + [honest])
    try bench.say(.gossip, "topology", update.gob, on: liar)
    bench.wait(.milliseconds(200))
    #expect(bench.dials.contains { $0.address == MachineNetwork.address(9) })
  }

  @Test func muchWorkForRoutesIsDoneLessOften() throws {
    var topology = Topology(own: described(peer(1)))
    topology.addConnection(to: described(peer(2)), address: "", isOutbound: true)
    topology.setEstablished(true, with: peer(2))
    var routes = MeshRoutes(topology)
    let start = MeshInstant(nanoseconds: 1)
    #expect(try pause(&routes, topology, start) == .milliseconds(100))
    // A ring of rings: each is connected with the 60 next to it.
    let count: UInt64 = 500
    var random = SeededGenerator(seed: 1)
    var crowd: [PeerDescription] = []
    for number in 0..<count {
      var others: [PeerName] = number == 0 ? [peer(1)] : []
      for step in 1...30 as ClosedRange<UInt64> {
        others.append(peer((number + step) % count + 2))
        others.append(peer((number + count - step) % count + 2))
      }
      crowd.append(described(peer(number + 2), version: 1, connectedWith: others))
    }
    _ = topology.merge(TopologyUpdate(peers: crowd), random: &random)
    let long = try pause(&routes, topology, start)
    #expect(long > .milliseconds(100) && long <= MeshTiming.routesMax)
  }

  /// From a calculation, with the ways of everybody's floods, to the next one.
  private func pause(
    _ routes: inout MeshRoutes, _ topology: Topology, _ start: MeshInstant
  ) throws -> Duration {
    routes.calculate(topology, now: start)
    for name in topology.peers.keys.sorted() { _ = routes.established.broadcast(from: name) }
    routes.invalidate(now: start)
    return start.duration(to: try #require(routes.dueAt))
  }
}
