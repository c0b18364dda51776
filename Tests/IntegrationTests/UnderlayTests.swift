// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// The outer network changes under a running weftd: traffic resumes by itself, and until then the
  /// status says why it does not pass.
  @Suite struct UnderlayTests {
    private static let minutes = TimeLimitTrait.Duration.minutes(5)

    @Test(.timeLimit(minutes)) func downIsToldAndUpAgainTrafficResumes() throws {
      try Testbed.run(containers: 2) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        try bed.a.namespace.ip("link set eth0 down")
        try expectProblem(bed.a, "eth0 is down; set it up")
        try expectProblem(bed.b, "eth0 has no carrier")
        #expect(try bed.a.status().underlay.state == "down")
        #expect(try bed.a.status().endpoints.map(\.state) == ["unresolved"])
        try one.ping(bed.containersOfA[1])

        try bed.a.namespace.ip("link set eth0 up")
        try one.pingEventually(other)
        try other.pingEventually(one)
        try expectNoProblem(bed.a)
        try expectNoProblem(bed.b)
      }
    }

    @Test(.timeLimit(minutes), arguments: [true, false])
    func newAddressIsFollowed(isAddedFirst: Bool) throws {
      let new = "192.0.2.11"
      let configure = { (bed: Testbed) in
        _ = try bed.b.writeConfig(bed.b.config(peers: [TestHost.Place.a.address, new]))
      }
      try Testbed.run(containers: 0, configure: configure, waitsForEndpoints: false) { bed in
        let (one, other) = (try TestContainer(1), try TestContainer(101))
        try bed.a.attach(one)
        try bed.b.attach(other)
        try one.pingEventually(other)
        let host = bed.a.namespace
        if isAddedFirst {
          // Otherwise the second address goes with the first, whose subnet it shares.
          try host.run("sysctl -q -w net.ipv4.conf.eth0.promote_secondaries=1")
          try host.ip("address add \(new)/24 dev eth0")
          try host.ip("address del \(TestHost.Place.a.address)/24 dev eth0")
        } else {
          try host.ip("address del \(TestHost.Place.a.address)/24 dev eth0")
          try expectProblem(bed.a, "eth0 has no IPv4 address")
          try host.ip("address add \(new)/24 dev eth0")
        }
        try eventually("frames leave from the new address", within: .seconds(10)) {
          try bed.a.status().endpoints.map(\.source_address) == [new]
        }
        try one.pingEventually(other)
        try other.pingEventually(one)
        try one.ping(other)
        try expectNoProblem(bed.a)
      }
    }

    @Test(.timeLimit(minutes)) func smallerAndLargerMTUAreFollowed() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        #expect(try one.reaches(other, packetOf: 1450))
        for host in [bed.a, bed.b] { try host.namespace.ip("link set eth0 mtu 1400") }
        try expectProblem(bed.a, "MTU of 1400 leaves 1350 bytes for containers, which have 1450")
        try one.pingEventually(other)
        #expect(try one.reaches(other, packetOf: 1350))
        let before = try bed.a.status().dropped("tooLongForUnderlay")
        #expect(try !one.reaches(other, packetOf: 1351, tries: 1))
        #expect(try bed.a.status().dropped("tooLongForUnderlay") > before)

        for mtu in [1500, 1600] {
          for host in [bed.a, bed.b] {
            try host.namespace.ip("link set eth0 mtu \(mtu)")
            try eventually("the MTU is noticed") { try host.status().underlay.mtu == mtu }
          }
          try expectNoProblem(bed.a)
          try expectNoProblem(bed.b)
          // The container was told what fitted then, and believes it for ten minutes.
          try one.namespace.run("ip route flush cache")
          try one.pingEventually(other)
          #expect(try one.reaches(other, packetOf: 1450))
          #expect(try bed.a.status().underlay.mtu == mtu)
        }
        #expect(try bed.a.status().losses.underlay == 3)
      }
    }

    @Test(.timeLimit(minutes)) func interfaceThatIsDeletedIsWaitedFor() throws {
      try Testbed.run(containers: 2) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        let weftd = try #require(bed.a.weftd)
        let sockets = try weftd.sockets()
        for round in 1...3 {
          try bed.a.namespace.ip("link del eth0")
          try expectProblem(bed.a, "interface eth0 is gone; waiting for it")
          let status = try bed.a.status()
          #expect(status.underlay.state == "missing")
          #expect(status.port("eth0") == nil)
          #expect(status.losses.underlay == round)
          #expect(status.endpoints.map(\.reason) == ["the underlay eth0 is not in use"])
          try eventually("the underlay's socket is closed") {
            try weftd.sockets() == sockets - 1
          }
          try one.ping(bed.containersOfA[1])

          try bed.connect()
          try one.pingEventually(other)
          try other.pingEventually(one)
          try expectNoProblem(bed.a)
          try expectNoProblem(bed.b)
          try eventually("there are as many sockets as before") {
            try weftd.sockets() == sockets
          }
        }
      }
    }

    @Test(.timeLimit(minutes)) func interfaceThatIsMovedAwayComesBack() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        let elsewhere = try TestNamespace("elsewhere")
        try bed.a.namespace.ip("link set eth0 netns \(elsewhere.name)")
        try expectProblem(bed.a, "interface eth0 is gone; waiting for it")
        let links = try elsewhere.links()
        #expect(links.allSatisfy { $0["xdp"] == nil }, "a program of ours went along: \(links)")

        try elsewhere.ip("link set eth0 netns \(bed.a.namespace.name)")
        try bed.a.namespace.ip("address add \(TestHost.Place.a.address)/24 dev eth0")
        try bed.a.namespace.ip("link set eth0 up")
        try one.pingEventually(other)
        try other.pingEventually(one)
        try expectNoProblem(bed.a)
      }
    }

    @Test(.timeLimit(minutes)) func foreignProgramOnTheInterfaceThatComesBackIsWaitedFor() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try bed.a.namespace.ip("link del eth0")
        try expectProblem(bed.a, "interface eth0 is gone; waiting for it")
        try bed.a.namespace.ip("link add wire0 type veth peer name eth1")
        var foreign = try ForeignProgram("wire0", in: bed.a.namespace, .generic)
        try bed.a.namespace.ip("link set wire0 name eth0")
        foreign.interface = "eth0"
        try expectProblem(bed.a, "eth0 is down")
        try bed.a.namespace.ip("link set eth0 up")
        try eventually("sockets are used, and why is told", within: .seconds(10)) {
          let underlay = try bed.a.status().underlay
          return underlay.method == "socket"
            && underlay.method_reason.contains("eth0 already has the XDP program")
            && underlay.method_reason.contains("'\(ForeignProgram.name)'")
        }
        #expect(try foreign.isAttached())
        try foreign.detach()
        try bed.a.namespace.ip("link set eth1 up")
        try bed.a.namespace.ip("link set eth1 netns \(bed.b.namespace.name)")
        try bed.b.namespace.ip("link set eth1 name eth0")
        for host in [bed.a, bed.b] {
          try host.namespace.ip("address add \(host.place.address)/24 dev eth0")
          try host.namespace.ip("link set eth0 up")
          try host.namespace.finishFrames(of: "eth0")
        }
        try one.pingEventually(other)
        try expectNoProblem(bed.a)
      }
    }

    @Test(.timeLimit(minutes)) func programThatIsTakenOffComesBackAndTrafficResumes() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        for round in 1...3 {
          try one.ping(other)
          try bed.a.takeProgramOffUnderlay()
          try eventually("the port was opened again", within: .seconds(10)) {
            let status = try bed.a.status()
            return status.losses.underlay == round && status.underlay.state == "up"
          }
          try bed.a.waitUntilResolved()
          try one.pingEventually(other)
          try other.pingEventually(one)
          try expectNoProblem(bed.a)
        }
      }
    }

    @Test(.timeLimit(minutes)) func queuesThatAreAddedAreServed() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        #expect(try bed.a.status().port("eth0")?.queues == 1)
        // The driver wants an end's frames to have a queue to arrive on.
        for direction in ["rx", "tx"] {
          for host in [bed.a, bed.b] {
            try host.namespace.run("ethtool -L eth0 \(direction) 2")
          }
        }
        for host in [bed.a, bed.b] {
          try eventually("both queues are served", within: .seconds(10)) {
            try host.status().port("eth0")?.queues == 2
          }
        }
        try one.pingEventually(other)
        try other.pingEventually(one)
        try one.ping(other)
        try expectNoProblem(bed.a)
        try expectNoProblem(bed.b)
      }
    }

    /// Both forms of the status say it.
    private func expectProblem(_ host: TestHost, _ text: String) throws {
      try eventually("host \(host.place.name) says '\(text)'", within: .seconds(10)) {
        try host.status().problems.contains { $0.contains(text) }
      }
      let lines = try host.statusText().split(separator: "\n")
      #expect(lines.contains { $0.contains("Problem: ") && $0.contains(text) }, "\(lines)")
    }

    private func expectNoProblem(_ host: TestHost) throws {
      var problems: [String] = []
      try eventually("host \(host.place.name) has no problem", within: .seconds(10)) {
        let status = try host.status()
        problems = status.problems + status.endpoints.map(\.reason)
        return status.problems.isEmpty && status.underlay.state == "up"
      }
      #expect(problems.allSatisfy { !$0.contains("eth0") }, "\(problems)")
    }
  }
}
