// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Containers that change the MTU of their own interface.
  @Suite struct ContainerMTUTests {
    @Test(.timeLimit(.minutes(2))) func whatALowerMTUKeepsOutIsCutOrAnswered() throws {
      try Testbed.run(containers: 2) { bed in
        let (one, neighbour) = (bed.containersOfA[0], bed.containersOfA[1])
        let narrow = bed.containersOfB[0]
        try one.ping(narrow)
        let interface = try #require(narrow.interface)
        try narrow.namespace.ip("link set \(interface) mtu 576")
        for sender in [one, bed.containersOfB[1]] {
          try eventually("packets arrive in pieces", within: .seconds(20)) {
            try ping(narrow, from: sender, "-M dont").status == 0
          }
          let answer = try ping(narrow, from: sender, "-M do").output
          #expect(answer.lowercased().contains("frag"), "\(answer)")
        }
        try narrow.namespace.ip("link set \(interface) mtu 1450")
        try eventually("the higher MTU is followed", within: .seconds(40)) {
          bed.b.weftd?.errors.ranges(of: "container's MTU changed").count == 2
        }
        // Nobody has told this one how much fitted before.
        try eventually("more fits again", within: .seconds(10)) {
          try neighbour.reaches(narrow, packetOf: 1450)
        }
      }
    }

    /// A container may do that as often as it likes.
    @Test(.timeLimit(.minutes(1))) func restlessContainerDoesNotKeepWeftdBusy() throws {
      try Testbed.run(containers: 1) { bed in
        let (restless, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let interface = try #require(restless.interface)
        for mtu in 600..<700 { try restless.namespace.ip("link set \(interface) mtu \(mtu)") }
        try restless.pingEventually(other)
        let told = bed.a.weftd?.errors.ranges(of: "container's MTU changed").count ?? 0
        #expect((1..<20).contains(told), "\(told)")
      }
    }

    @Test(.timeLimit(.minutes(1))) func problemOfTheMTUStaysWhileAContainerHasMore() throws {
      try Testbed.run(containers: 1) { bed in
        let host = bed.a.namespace
        try host.ip("link set eth0 mtu 1400")
        try eventually("the lower MTU is told", within: .seconds(10)) {
          try bed.a.status().problems.contains { $0.contains("which have 1450") }
        }
        try bed.a.writeConfig(bed.a.config() + "[overlay]\nmtu = 1350\n")
        let process = try #require(bed.a.weftd)
        process.send(SIGHUP)
        try process.expect("reloaded changed=overlay.mtu")
        #expect(try bed.a.status().overlay_mtu == 1350)
        #expect(try bed.a.status().problems.contains { $0.contains("which have 1450") })
        let container = bed.containersOfA[0]
        try bed.a.detach(container)
        #expect(try bed.a.status().problems.isEmpty)
        try bed.a.attach(container)
        #expect(try bed.a.status().problems.isEmpty)
      }
    }

    /// Sends one packet of 1028 bytes.
    private func ping(
      _ target: TestContainer, from sender: TestContainer, _ options: String
    ) throws -> Outcome {
      let line = "ping -n -c 1 -W 1 -s 1000 \(options) \(target.address)"
      return try attempt(sender.namespace.command(words(line)))
    }
  }
}
