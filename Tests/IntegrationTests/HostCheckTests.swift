// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// The file against the host that it is for.
  @Suite struct HostCheckTests {
    private static let configuration: Int32 = 78

    @Test(.timeLimit(.minutes(5)), arguments: ["--check", "--config"])
    func portOfTheKernelsOwnVXLANIsRefused(option: String) throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        try bed.a.namespace.ip(
          "link add vxlan0 type vxlan id 42 dstport 4789 remote \(bed.a.place.peer) dev eth0")
        try bed.a.namespace.ip("link set vxlan0 up")
        let outcome = try attempt(try bed.a.weftdCommand(option, bed.a.configFile))
        #expect(outcome.status == Self.configuration, "\(outcome)")
        #expect(outcome.errorLines.count == 1, "\(outcome)")
        #expect(
          outcome.errors.contains(
            "weftd.toml:2: underlay.vxlan_port: UDP port 4789 is in use: something on this host "
              + "receives at 0.0.0.0; accepted: a port that is free on eth0"), "\(outcome)")
        #expect(try bed.a.namespace.interfaces() == ["eth0", "vxlan0"])
        try bed.a.namespace.ip("link set vxlan0 down")
        let after = try attempt(try bed.a.weftdCommand("--check", bed.a.configFile))
        #expect(after.status == 0, "\(after)")
      }
    }

    @Test(.timeLimit(.minutes(5))) func portOfVXLANIsOthersUntilThereIsAnEndpoint() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        let host = bed.a.namespace
        try host.ip(
          "link add vxlan0 type vxlan id 42 dstport 4789 remote \(bed.a.place.peer) dev eth0")
        try host.ip("link set vxlan0 up")
        try bed.a.writeConfig(bed.a.config(peers: []) + "[mesh]\n")
        try bed.a.start()
        let process = try #require(bed.a.weftd)
        func reload(_ expected: String) throws {
          let before = process.errors.ranges(of: expected).count
          process.send(SIGHUP)
          try eventually("weftd says '\(expected)'", within: .seconds(10)) {
            process.errors.ranges(of: expected).count > before
          }
        }
        try bed.a.writeConfig(bed.a.config() + "[mesh]\n")
        try reload("not reloaded")
        #expect(process.errors.contains("UDP port 4789 is in use"), "\(process.errors)")
        try host.ip("link set vxlan0 down")
        try reload("reloaded changed=vtep")
        #expect(throws: (any Error).self) { try host.ip("link set vxlan0 up") }
        try reload("reloaded changed=nothing")
        try bed.a.waitUntilResolved()
        try bed.a.writeConfig(bed.a.config(peers: []) + "[mesh]\n")
        try reload("reloaded changed=vtep")
        try host.ip("link set vxlan0 up")
      }
    }

    @Test(.timeLimit(.minutes(5))) func runningDaemonIsNotInTheWayOfACheck() throws {
      try Testbed.run(containers: 1) { bed in
        let outcome = try attempt(try bed.a.weftdCommand("--check", bed.a.configFile))
        #expect(outcome.status == 0, "\(outcome)")
      }
    }

    @Test(.timeLimit(.minutes(5))) func singleHostOfTheExampleServesItsContainers() throws {
      try Testbed.run(containers: 0) { bed in
        bed.a.stop()
        let file = Programs.root.appendingPathComponent("configs/single-host.toml")
        let text = try String(contentsOf: file, encoding: .utf8)
        try bed.a.writeConfig(text + "[api]\nsocket = \"\(bed.a.socket)\"\n")
        try bed.a.start()
        let (one, other) = (try TestContainer(1), try TestContainer(2))
        for container in [one, other] { try bed.a.attach(container) }
        try one.ping(other)
        try other.ping(one)
        #expect(try bed.a.status().endpoints.isEmpty)
        try Testbed.expectBalance(bed.a)
        bed.a.stop()
        #expect(try one.namespace.interfaces() == [try #require(one.interface)])
      }
    }
  }
}
