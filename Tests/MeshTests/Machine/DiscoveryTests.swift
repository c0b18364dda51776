// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// What peers make of each other's connections, and of the user's wishes.
@Suite struct DiscoveryTests {
  private func chain(seed: UInt64, hasDiscovery: Bool) -> MachineNetwork {
    var network = MachineNetwork(seed: seed)
    for number: UInt8 in 1...3 { network.add(number) { $0.hasDiscovery = hasDiscovery } }
    network.connect(1, to: 2)
    network.connect(3, to: 2)
    return network
  }

  @Test func withoutDiscoveryAChainStaysAChain() throws {
    var network = chain(seed: 1, hasDiscovery: false)
    network.run(for: .seconds(60))
    let names = (1...3).map { MachineNetwork.name($0) }
    #expect(network.established(1) == [names[1]])
    #expect(network.established(3) == [names[1]])
    #expect(network.report(1).peers.map(\.name) == names)
    let forwarding = try #require(network.hosts[1]?.machine.forwarding)
    #expect(forwarding.peers.map(\.nextHop) == [names[1], names[1]])
    let middle = try #require(network.hosts[2]?.machine.forwarding)
    #expect(middle.peers.map(\.broadcast) == [[names[2]], [names[0]]])
    #expect(middle.broadcast == [names[0], names[2]])
    // When the middle is gone, so is what was behind it.
    network.stop(2)
    network.run(for: .seconds(5))
    #expect(network.report(1).peers.count == 1)
    #expect(network.hosts[1]?.forgotten == [names[1], names[2]])
  }

  @Test func withDiscoveryAChainBecomesAMesh() {
    var network = chain(seed: 2, hasDiscovery: true)
    #expect(network.run(atMost: .seconds(60)) { $0.isFullMesh([1, 2, 3]) })
    network.run(for: .seconds(60))
    let routes = network.report(1).unicastRoutes.map(\.via)
    #expect(routes == [.unknown, MachineNetwork.name(2), MachineNetwork.name(3)])
    // Nobody goes on dialling.
    let dials = network.hosts.mapValues(\.dials.count)
    network.run(for: .seconds(1000))
    #expect(network.hosts.mapValues(\.dials.count) == dials)
    for number: UInt8 in 1...3 { #expect(network.report(number).connections.count == 2) }
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func manyPeersFindEachOther(seed: UInt64) {
    var network = MachineNetwork(seed: seed)
    let numbers = Array(1...8 as ClosedRange<UInt8>)
    for number in numbers { network.add(number, password: "secret") }
    for number in numbers.dropFirst() { network.connect(number, to: number - 1) }
    #expect(network.run(atMost: .seconds(120)) { $0.isFullMesh(numbers) }, "seed \(seed)")
    network.run(for: .seconds(5))
    for number in numbers { #expect(network.report(number).peers.count == 8, "seed \(seed)") }
  }

  @Test func brokenPathIsGoneAround() {
    var network = chain(seed: 3, hasDiscovery: true)
    #expect(network.run(atMost: .seconds(60)) { $0.isFullMesh([1, 2, 3]) })
    network.setCut(true, 1, 3)
    network.run(for: .seconds(90))
    #expect(network.established(1) == [MachineNetwork.name(2)])
    let hop = network.hosts[1]?.machine.forwarding.peers.last?.nextHop
    #expect(hop == MachineNetwork.name(2))
    network.setCut(false, 1, 3)
    #expect(network.run(atMost: .seconds(600)) { $0.isFullMesh([1, 2, 3]) })
  }

  @Test func forgottenTargetStaysConnectedAndIsNotDialledAgain() {
    var network = chain(seed: 4, hasDiscovery: false)
    #expect(network.run(atMost: .seconds(10)) { $0.established(2).count == 2 })
    network.forget(1, 2)
    network.run(for: .seconds(100))
    #expect(network.established(1) == [MachineNetwork.name(2)])
    #expect(network.report(1).targets.isEmpty)
    network.restart(2)
    network.run(for: .seconds(1000))
    #expect(network.hosts[1]?.dials.count == 1)
    #expect(network.report(1).connections.isEmpty)
  }

  @Test func replacedTargetsAreDialledInsteadOfThoseBefore() {
    var network = MachineNetwork(seed: 5)
    for number: UInt8 in 1...3 { network.add(number) { $0.hasDiscovery = false } }
    network.stop(2)
    network.connect(1, to: 2)
    network.run(for: .seconds(10))
    network.connect(1, to: 3, isReplacing: true)
    #expect(network.run(atMost: .seconds(10)) { $0.established(1) == [MachineNetwork.name(3)] })
    #expect(network.report(1).targets == ["10.0.0.3"])
    let dials = network.hosts[1]?.dials.count
    network.run(for: .seconds(1000))
    #expect(network.hosts[1]?.dials.count == dials)
    #expect(network.report(1).connections.count == 1)
  }

  @Test func waitsGrowByHalfUpToSixMinutes() throws {
    var network = MachineNetwork(seed: 6)
    network.add(1)
    network.connect(1, to: 2)
    network.run(for: .seconds(20_000))
    let dials = try #require(network.hosts[1]?.dials.map(\.at))
    #expect(dials.count > 40)
    var interval = 2.0
    for (before, after) in zip(dials, dials.dropFirst()) {
      // A dial takes a little until it has failed.
      let wait = before.duration(to: after) / .seconds(1) - 0.002
      #expect(wait >= interval / 2 - 0.001 && wait < interval * 3 / 2 + 0.001)
      interval = min(interval * 1.5, 360)
    }
    let line = try #require(network.report(1).connections.first)
    #expect(line.state == .failed && line.problem == "connection refused")
    #expect(try #require(line.retryAfter) <= .seconds(540))
  }

  @Test func connectionThatNeverWorksIsDialledLessAndLess() throws {
    for deafHost: UInt8 in [1, 2] {
      var network = MachineNetwork(seed: 9)
      network.add(1)
      network.add(2)
      network.deafHosts = [deafHost]
      network.connect(1, to: 2)
      network.run(for: .seconds(3600))
      #expect(try #require(network.hosts[1]?.dials.count) < 30)
      #expect(network.established(1).isEmpty && network.established(2).isEmpty)
      // Neither end ever took it for a connection that carries frames.
      #expect(network.notes(1, "connection established").isEmpty)
      #expect(network.notes(2, "connection established").isEmpty)
      network.deafHosts = []
      #expect(network.run(atMost: .seconds(600)) { $0.isFullMesh([1, 2]) })
    }
  }

  @Test func statesFollowTheAttempts() {
    var network = MachineNetwork(seed: 7)
    network.add(1)
    network.add(2)
    network.setCut(true, 1, 2)
    network.connect(1, to: 2)
    #expect(network.report(1).connections.map(\.state) == [.connecting])
    network.run(for: .seconds(6))
    #expect(network.report(1).connections.map(\.state) == [.failed])
    #expect(network.run(atMost: .seconds(4)) { $0.report(1).connections[0].state == .retrying })
    network.setCut(false, 1, 2)
    #expect(network.run(atMost: .seconds(20)) { $0.report(1).connections[0].state == .pending })
    #expect(network.run(atMost: .seconds(20)) { $0.report(1).connections[0].state == .established })
  }

  @Test func nameWithoutAddressIsShownAsFailed() {
    var network = MachineNetwork(seed: 8)
    network.add(1)
    let target = MeshTarget(text: "nowhere", addresses: [], hasPort: false)
    network.give(.connect([target], isReplacing: false), to: 1)
    #expect(network.report(1).targets == ["nowhere"])
    #expect(network.report(1).connections.map(\.address) == ["nowhere"])
    #expect(network.report(1).connections.map(\.state) == [.failed])
  }
}
