// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// `weft attach`, `detach` and `ps` with real namespaces.
  @Suite struct AttachTests {
    @Test(.timeLimit(.minutes(5))) func containersGetAddressesAndTheOverlaysMTU() throws {
      try Testbed.run(containers: 1) { bed in
        let container = bed.containersOfA[0]
        let interface = try #require(container.interface)
        #expect(try container.namespace.addresses(of: interface) == [container.prefix])
        let link = try #require(
          try container.namespace.links().first { $0["ifname"] as? String == interface })
        #expect(link["mtu"] as? Int == 1450)
        let status = try bed.a.status()
        #expect(status.overlay_mtu == 1450)
        #expect(status.underlay.interface == "eth0")
        #expect(status.underlay.state == "up")
      }
    }

    @Test(.timeLimit(.minutes(5))) func processNamesItsNamespace() throws {
      try Testbed.run(containers: 1) { bed in
        let container = try TestContainer(60)
        let process = try container.namespace.start(words("sleep 50"))
        let before = try bed.a.namespace.interfaces()
        try eventually("the process is in its namespace") {
          let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
          let its = try FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/\(process.id)/ns/net")
          return own != its
        }
        let attached = try bed.a.ask(["attach", "--pid", "\(process.id)", container.prefix])
        #expect(attached.status == 0, "\(attached)")
        try container.ping(bed.containersOfA[0])
        try container.ping(bed.containersOfB[0])
        let listed = try bed.a.attachments().first { $0.addresses.contains(container.prefix) }
        #expect(listed?.state == "attached")
        #expect(listed?.netns.contains("\(process.id)") == true, "\(String(describing: listed))")

        let detached = try bed.a.ask(["detach", "--pid", "\(process.id)"])
        #expect(detached.status == 0, "\(detached)")
        #expect(detached.output.contains(container.address))
        #expect(try container.namespace.interfaces() == [])
        #expect(try bed.a.namespace.interfaces() == before)
        #expect(try bed.a.attachments().count == 1)
      }
    }

    @Test(.timeLimit(.minutes(5))) func secondAddressIsAddedAndTakenAway() throws {
      try Testbed.run(containers: 1) { bed in
        let container = bed.containersOfA[0]
        let interface = try #require(container.interface)
        let path = container.namespace.path
        let added = try bed.a.ask(["attach", "--netns", path, "10.33.0.1/24"])
        #expect(added.status == 0, "\(added)")
        let both = try container.namespace.addresses(of: interface).sorted()
        #expect(both == [container.prefix, "10.33.0.1/24"])
        let taken = try bed.a.ask(["detach", "--netns", path, "10.33.0.1/24"])
        #expect(taken.status == 0, "\(taken)")
        #expect(try container.namespace.addresses(of: interface) == [container.prefix])
        try container.ping(bed.containersOfB[0])
      }
    }

    @Test(.timeLimit(.minutes(5))) func impossibleAttachmentsAreRefusedAndLeaveNothing() throws {
      try Testbed.run(containers: 1) { bed in
        let fresh = try TestContainer(61)
        let before = try bed.a.namespace.interfaces()
        let absent = "/run/netns/weft-\(getpid())-absent"
        try expectRefusal(bed.a, ["attach", "--netns", absent, fresh.prefix], naming: absent)
        try expectRefusal(
          bed.a, ["attach", "--netns", bed.a.namespace.path, fresh.prefix], naming: "host's own")
        try expectRefusal(
          bed.a,
          ["attach", "--netns", fresh.namespace.path, fresh.prefix, "10.32.0.61/16"],
          naming: "given twice", status: 64)
        try fresh.namespace.ip("link add taken0 type bridge")
        try expectRefusal(
          bed.a,
          ["attach", "--netns", fresh.namespace.path, "--interface", "taken0", fresh.prefix],
          naming: "taken0")
        #expect(try fresh.namespace.interfaces() == ["taken0"])
        #expect(try bed.a.namespace.interfaces() == before)
        #expect(try bed.a.attachments().count == 1)
        try bed.containersOfA[0].ping(bed.containersOfB[0])
      }
    }

    @Test(.timeLimit(.minutes(5))) func detachOfWhatIsNotAttachedIsRefused() throws {
      try Testbed.run(containers: 1) { bed in
        let stranger = try TestContainer(62)
        try expectRefusal(
          bed.a, ["detach", "--netns", stranger.namespace.path], naming: stranger.namespace.name)
        #expect(try bed.a.attachments().count == 1)
      }
    }

    @Test(.timeLimit(.minutes(5))) func deletedContainerIsNoObstacleForTheNext() throws {
      try Testbed.run(containers: 1) { bed in
        let gone = try TestContainer(63)
        try bed.a.attach(gone)
        try gone.ping(bed.containersOfA[0])
        gone.namespace.delete()
        let next = try TestContainer(63)
        try bed.a.attach(next)
        try next.ping(bed.containersOfA[0])
        try next.ping(bed.containersOfB[0])
      }
    }

    /// weftd refuses with an exit code and one sentence that names what is wrong.
    private func expectRefusal(
      _ host: TestHost, _ arguments: [String], naming text: String, status: Int32 = 1
    ) throws {
      let outcome = try host.ask(arguments)
      #expect(outcome.status == status, "\(outcome)")
      #expect(outcome.errors.contains(text), "\(outcome)")
      // A wrong command line is answered with the usage as well.
      if status == 1 { #expect(outcome.errorLines.count == 1, "\(outcome)") }
    }
  }
}
