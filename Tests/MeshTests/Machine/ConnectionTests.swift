// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Two machines, or a few, from dialling to the end.
@Suite struct ConnectionTests {
  @Test(arguments: [nil, "secret"])
  func twoPeersConnect(password: String?) throws {
    var network = MachineNetwork(seed: 1)
    network.add(1, password: password)
    network.add(2, password: password)
    network.connect(1, to: 2)
    #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) })
    for number: UInt8 in [1, 2] {
      let report = network.report(number)
      let line = try #require(report.connections.first)
      #expect(report.connections.count == 1)
      #expect(line.isEncrypted == (password != nil))
      #expect(line.isOutbound == (number == 1))
      #expect(line.nickname == "host\(3 - number)")
      #expect(line.overlay == "fastdp")
      #expect(line.suite == (password == nil ? nil : "aes256gcm"))
      #expect(line.attributes["encrypted"] == (password == nil ? nil : "true"))
    }
    network.run(for: .seconds(3))
    let other = MachineNetwork.name(2)
    let forwarding = try #require(network.hosts[1]?.machine.forwarding)
    #expect(forwarding.broadcast == [other])
    #expect(forwarding.peers.map(\.nextHop) == [other])
    #expect(forwarding.peers.first?.shortID == network.hosts[2]?.machine.forwarding.shortID)
    let neighbour = try #require(forwarding.neighbours.first)
    #expect(neighbour.chosen == .fastdp)
    #expect(neighbour.sleeve?.remote == MachineNetwork.address(2))
    #expect(neighbour.isSealed == (password != nil))
    let report = network.report(1)
    #expect(report.peers.map(\.name) == [MachineNetwork.name(1), other])
    #expect(report.peers.allSatisfy { $0.connections.first?.isEstablished == true })
    #expect(report.unicastRoutes.map(\.via) == [.unknown, other])
  }

  @Test(arguments: [("one", "another"), ("one", nil), (nil, "one")] as [(String?, String?)])
  func wrongPasswordIsExplained(ours: String?, theirs: String?) throws {
    var network = MachineNetwork(seed: 3)
    network.add(1, password: ours)
    network.add(2, password: theirs)
    network.connect(1, to: 2)
    network.run(for: .seconds(1))
    let line = try #require(network.report(1).connections.first)
    #expect(line.state == .failed)
    #expect(line.problem.contains("password"), "\(line.problem)")
    #expect(try #require(line.retryAfter) > .zero)
    let notes = network.notes(1, "session refused") + network.notes(2, "session refused")
    #expect(notes.contains { $0.details["reason"]?.contains("password") == true })
    #expect(network.report(2).connections.isEmpty)
    #expect(network.report(1).counts.refusals.values.reduce(0, +) == 1)
    #expect(network.report(2).counts.refusals.values.reduce(0, +) == 1)
    #expect(network.report(1).counts.terminations == 0)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func ofTwoConnectionsBothEndsKeepTheSame(seed: UInt64) throws {
    var network = MachineNetwork(seed: seed)
    network.add(1)
    network.add(2)
    network.connect(1, to: 2)
    network.connect(2, to: 1)
    #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) }, "seed \(seed)")
    network.run(for: .seconds(600))
    #expect(network.isFullMesh([1, 2]))
    let one = try #require(network.report(1).connections.first)
    let other = try #require(network.report(2).connections.first)
    #expect(one.isOutbound != other.isOutbound, "seed \(seed)")
    #expect(network.report(1).connections.count == 1)
    #expect(network.report(2).connections.count == 1)
    // Each side dialled once and left it at that.
    #expect(network.hosts[1]?.dials.count == 1)
    #expect(network.hosts[2]?.dials.count == 1)
  }

  @Test func lowerNumberSurvivesAndOfEqualOnesNeither() throws {
    var outcomes: Set<Bool> = []
    for seed: UInt64 in 1...10 {
      var bench = MachineBench(seed: seed)
      let links = [bench.join(2), bench.join(2)]
      let numbers = try links.map { try #require(bench.players[$0]).connectionUID }
      let survivor = numbers[0] < numbers[1] ? links[0] : links[1]
      #expect(bench.closed == Set(links).subtracting([survivor]), "seed \(seed)")
      #expect(bench.report.connections.count == 1)
      // Who is connected by another way is not forgotten in between.
      #expect(bench.forgotten.isEmpty)
      outcomes.insert(survivor == links[0])
      // The machine's half of the next number is the same in a copy.
      var copy = bench
      let probe = copy.join(2) { $0.connectionID = 0 }
      let next = try #require(copy.players[probe]).connectionUID
      let number = try #require(bench.players[survivor]).connectionUID
      let equal = bench.join(2) { $0.connectionID = next ^ number }
      #expect(bench.closed == Set(links + [equal]), "seed \(seed)")
      #expect(bench.report.connections.isEmpty)
    }
    #expect(outcomes.count == 2)
  }

  @Test func targetsWithPortsDoNotFightEither() {
    for seed: UInt64 in 1...10 {
      var network = MachineNetwork(seed: seed)
      network.add(1)
      network.add(2)
      for (from, to): (UInt8, UInt8) in [(1, 2), (2, 1)] {
        let target = MachineNetwork.target(to, hasPort: true)
        network.give(.connect([target], isReplacing: false), to: from)
      }
      #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) }, "seed \(seed)")
      network.run(for: .seconds(600))
      let dials = network.hosts.values.map(\.dials.count)
      #expect(dials == [1, 1], "seed \(seed)")
    }
  }

  @Test func restartedPeerIsConnectedAnew() throws {
    var network = MachineNetwork(seed: 5)
    network.add(1)
    network.add(2)
    network.connect(1, to: 2)
    #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) })
    network.run(for: .seconds(100))
    network.restart(2)
    #expect(network.run(atMost: .seconds(5)) { $0.established(1).isEmpty })
    #expect(network.run(atMost: .seconds(30)) { $0.isFullMesh([1, 2]) })
    network.run(for: .seconds(5))
    let uid = try #require(network.hosts[2]?.options.uid)
    #expect(network.report(1).peers.last?.uid == uid)
    #expect(network.hosts[1]?.forgotten == [MachineNetwork.name(2)])
    #expect(network.report(1).counts.terminations == 1)
  }

  @Test func peerThatRestartsWithoutAWordComesBack() {
    var network = MachineNetwork(seed: 6)
    network.add(1)
    network.add(2)
    network.connect(2, to: 1)
    #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) })
    network.restart(2, isSilent: true)
    network.connect(2, to: 1)
    #expect(network.run(atMost: .seconds(120)) { $0.isFullMesh([1, 2]) })
  }

  @Test func silentPeerIsDroppedWithinTenSeconds() {
    var network = MachineNetwork(seed: 7)
    network.add(1)
    network.add(2)
    network.connect(1, to: 2)
    #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) })
    network.run(for: .seconds(300))
    #expect(network.report(1).counts.terminations == 0)
    network.setCut(true, 1, 2)
    network.run(for: .seconds(5))
    #expect(network.isFullMesh([1, 2]))
    network.run(for: .seconds(5))
    #expect(network.report(1).counts.terminations == 1)
    #expect(network.report(2).counts.terminations == 1)
    #expect(network.report(2).peers.count == 1)
    #expect(network.hosts[2]?.machine.forwarding.neighbours == [])
    network.setCut(false, 1, 2)
    #expect(network.run(atMost: .seconds(60)) { $0.isFullMesh([1, 2]) })
  }

  @Test func connectionToOurselvesIsNeverTriedAgain() throws {
    var network = MachineNetwork(seed: 8)
    network.add(1)
    network.connect(1, to: 1)
    network.run(for: .seconds(2000))
    #expect(network.hosts[1]?.dials.count == 1)
    let line = try #require(network.report(1).connections.first)
    #expect(line.state == .failed && line.retryAfter == nil)
    #expect(line.problem.contains("ourselves"))
    #expect(network.report(1).counts.terminations == 0)
  }

  @Test func peerWithOurNameIsNeverDialledAgain() throws {
    var network = MachineNetwork(seed: 9)
    network.add(1)
    network.add(2) { $0.name = MachineNetwork.name(1) }
    network.connect(1, to: 2)
    network.run(for: .seconds(2000))
    #expect(network.hosts[1]?.dials.count == 1)
    let line = try #require(network.report(1).connections.first)
    #expect(line.retryAfter == nil)
    #expect(line.problem.contains("02:00:00:00:00:01"))
    // Whoever asks again is heard.
    network.connect(1, to: 2)
    network.run(for: .seconds(10))
    #expect(network.hosts[1]?.dials.count == 2)
  }

  @Test func connectionsBeyondTheLimitAreRefused() throws {
    var network = MachineNetwork(seed: 10)
    for number: UInt8 in 1...4 {
      network.add(number) {
        $0.connectionCountMax = number == 1 ? 2 : 0
        $0.hasDiscovery = false
      }
    }
    for number: UInt8 in 2...4 { network.connect(number, to: 1) }
    network.run(for: .seconds(20))
    #expect(network.established(1).count == 2)
    #expect(try #require(network.report(1).counts.refusals["limit"]) > 0)
    // Nor are any dialled.
    network.connect(1, to: 2, 3, 4)
    network.run(for: .seconds(100))
    #expect(network.hosts[1]?.dials.count == 0)
    let suspended = network.report(1).connections.filter { $0.state == .suspended }
    #expect(suspended.count == 1)
    // Where one leaves another one comes in.
    let leaving = try #require(network.established(1).min())
    network.stop(UInt8(leaving.bits & 0xFF))
    #expect(network.run(atMost: .seconds(400)) { $0.established(1).count == 2 })
  }

  @Test(arguments: [(true, true), (true, false), (false, false)])
  func framesAreClearOnlyOverPathsThatBothEndsTrust(one: Bool, other: Bool) throws {
    var network = MachineNetwork(seed: 11)
    let subnet = try #require(IPv4Prefix("10.0.0.0/24"))
    network.add(1, password: "secret") { $0.trustedSubnets = one ? [subnet] : [] }
    network.add(2, password: "secret") { $0.trustedSubnets = other ? [subnet] : [] }
    network.connect(1, to: 2)
    #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) })
    for number: UInt8 in [1, 2] {
      let line = try #require(network.report(number).connections.first)
      #expect(line.isEncrypted == true)
      #expect((line.attributes["encrypted"] == "true") == !(one && other))
      #expect(line.overlay == "fastdp")
      #expect((line.suite == nil) == (one && other))
    }
  }
}
