// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// What a starting weftd finds on the host: a predecessor's leavings are its own, others' things
  /// are not.
  @Suite struct TakeOverTests {
    /// `sysexits.h`.
    private static let unavailable: Int32 = 69

    @Test(.timeLimit(.minutes(5)), arguments: ForeignProgram.Mode.allCases)
    func foreignProgramOnTheUnderlayIsNamedAndStays(mode: ForeignProgram.Mode) throws {
      try Testbed.run(containers: 1) { bed in
        let container = bed.containersOfA[0]
        bed.a.kill()
        try bed.a.writeConfig(bed.a.config(mode: "xdp"))
        let foreign = try ForeignProgram("eth0", in: bed.a.namespace, mode)
        let before = try bed.a.namespace.interfaces()
        let outcome = try attempt(try bed.a.weftdCommand("--config", bed.a.configFile))
        #expect(outcome.status == Self.unavailable, "\(outcome)")
        let told = outcome.errorLines.filter { $0.hasPrefix("weftd: ") }
        #expect(told.count == 1, "\(outcome)")
        for text in ["eth0", "'\(ForeignProgram.name)'", "ip link set dev eth0 xdp off"] {
          #expect(told.first?.contains(text) == true, "\(text) is not in \(outcome)")
        }
        #expect(try foreign.isAttached())
        #expect(try bed.a.namespace.interfaces() == before)
        #expect(try container.namespace.addresses(of: "ethwe") == [container.prefix])

        try foreign.detach()
        try bed.a.start()
        try container.pingEventually(bed.containersOfB[0])
      }
    }

    @Test(.timeLimit(.minutes(5)))
    func foreignProgramOnAKilledDaemonsPortIsRespectedUntilItGoes() throws {
      try Testbed.run(containers: 2) { bed in
        let container = bed.containersOfA[0]
        let port = try #require(
          try bed.a.attachments().first { $0.addresses == [container.prefix] }?.host_interface)
        bed.a.kill()
        let mode = try ForeignProgram.Mode(of: port, in: bed.a.namespace)
        let foreign = try ForeignProgram(port, in: bed.a.namespace, mode)
        try bed.a.start()
        #expect(try bed.a.attachments().map(\.state).sorted() == ["attached", "down"])
        let detail = try bed.a.attachments().map(\.detail).joined()
        #expect(detail.contains("'\(ForeignProgram.name)'") && detail.contains(port), "\(detail)")
        #expect(try foreign.isAttached())
        try bed.containersOfA[1].pingEventually(bed.containersOfB[0])
        try foreign.detach()
        try container.pingEventually(bed.containersOfB[0])
        #expect(try bed.a.attachments().map(\.state) == ["attached", "attached"])
      }
    }

    @Test(.timeLimit(.minutes(5))) func refusedStartLeavesAFreshHostAsItWas() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        try bed.a.writeConfig(bed.a.config(mode: "xdp"))
        let foreign = try ForeignProgram("eth0", in: bed.a.namespace, .native)
        let outcome = try attempt(try bed.a.weftdCommand("--config", bed.a.configFile))
        #expect(outcome.status == Self.unavailable, "\(outcome)")
        #expect(try bed.a.namespace.interfaces() == ["eth0"])
        #expect(try !bed.a.namespace.ip("neigh show").contains("managed"))
        #expect(!FileManager.default.fileExists(atPath: bed.a.socket))
        try foreign.detach()
      }
    }

    @Test(.timeLimit(.minutes(5))) func interfaceMovedWhileNoDaemonRanIsNotServed() throws {
      try Testbed.run(containers: 2) { bed in
        let elsewhere = try TestNamespace("elsewhere")
        let (moved, stays) = (bed.containersOfA[0], bed.containersOfA[1])
        bed.a.kill()
        try moved.namespace.ip("link set ethwe netns \(elsewhere.name)")
        try bed.a.start()
        #expect(try bed.a.attachments().map(\.addresses) == [[stays.prefix]])
        #expect(try bed.a.status().losses.attachments == 1)
        #expect(try elsewhere.interfaces() == [])
        try stays.pingEventually(bed.containersOfB[0])
      }
    }

    @Test(.timeLimit(.minutes(5))) func otherDaemonsAreRefusedWhileTrafficGoesOn() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        let ping = try one.namespace.start(
          words("ping -n -q -i 0.02 -c 200 -W 10 \(other.address)"))
        var refused = 0
        while ping.isRunning, refused < 5 {
          let outcome = try attempt(try bed.a.weftdCommand("--config", bed.a.configFile))
          #expect(outcome.status == Self.unavailable, "\(outcome)")
          #expect(outcome.errors.contains("another weftd"), "\(outcome)")
          refused += 1
        }
        #expect(refused > 0)
        #expect(ping.wait(.seconds(20)) == 0, "\(ping.output)")
        #expect(ping.output.contains("200 received, 0% packet loss"), "\(ping.output)")
        #expect(try bed.a.status().losses.underlay == 0)
      }
    }

    @Test(.timeLimit(.minutes(5))) func neighboursOfAnEndpointThatIsNoMoreAreForgotten() throws {
      try Testbed.run(containers: 0) { bed in
        try bed.a.namespace.ip("neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth0")
        #expect(try managed(bed.a) == [TestHost.Place.b.address])
        bed.a.kill()
        #expect(try managed(bed.a) == [TestHost.Place.b.address])
        try bed.a.writeConfig(bed.a.config(peers: ["192.0.2.99"]))
        try bed.a.start()
        #expect(try managed(bed.a) == ["192.0.2.99"])
        #expect(bed.a.stop() == 0)
        #expect(try managed(bed.a) == [])
        #expect(try bed.a.namespace.ip("neigh show").contains("192.0.2.77"))
      }
    }

    private func managed(_ host: TestHost) throws -> [String] {
      try host.namespace.ip("neigh show").split(separator: "\n").filter { $0.contains("managed") }
        .compactMap { $0.split(separator: " ").first.map(String.init) }.sorted()
    }

    @Test(.timeLimit(.minutes(5))) func halfMadeInterfacesOfAKilledDaemonAreRemoved() throws {
      try Testbed.run(containers: 1) { bed in
        bed.a.kill()
        let container = try TestContainer(70)
        let host = bed.a.namespace
        let inside = container.namespace.name
        try host.ip("link add weft-0123abcd type veth peer name ethwe netns \(inside)")
        // Not a name of ours, and not without an alias.
        try host.ip("link add weft-12 type veth peer name mine0 netns \(inside)")
        try host.ip("link add weft-99999999 type veth peer name mine1 netns \(inside)")
        try host.run(["ip", "link", "set", "weft-99999999", "alias", "somebody's"])
        try bed.a.start()
        #expect(try container.namespace.interfaces() == ["mine0", "mine1"])
        try bed.containersOfA[0].pingEventually(bed.containersOfB[0])
      }
    }
  }
}
