// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// What the self test of a port says, and where no test frame may be.
  @Suite struct SelfTestTests {
    @Test(.timeLimit(.minutes(5))) func portsOfContainersAndOfTheHostAreTested() throws {
      try Testbed.run(containers: 1) { bed in
        let status = try bed.a.status()
        let tested = status.ports.filter { $0.kind != "underlay" }
        #expect(tested.map(\.kind).sorted() == ["container", "host"])
        for port in tested {
          #expect(port.reason.hasPrefix("\(port.mode): "), "\(port)")
          let isShort = port.reason.contains("carried 64 of 64 test frames")
          #expect(isShort == (port.kind == "container"), "\(port)")
          #expect(port.reason.contains(" test frames; "), "\(port)")
        }
        // Test frames are none of the port's, and come before anything of the container's.
        let port = try #require(tested.first { $0.kind == "container" })
        #expect(port.kernel_drops.missed == 0, "\(port)")
        #expect(try framesSent(by: bed.containersOfA[0]) >= 64, "the counter counts test frames")
        let underlay = try #require(status.port("eth0"))
        #expect(underlay.reason.hasSuffix("; not tested"), "\(underlay)")
        let text = try bed.a.statusText()
        for port in status.ports { #expect(text.contains("(\(port.reason))"), "\(text)") }
      }
    }

    @Test(.timeLimit(.minutes(5))) func runningContainerMeetsNoTestFrameAtATakeOver() throws {
      try Testbed.run(containers: 1) { bed in
        let container = bed.containersOfA[0]
        let before = try #require(try bed.a.status().ports.first { $0.kind == "container" })
        let sent = try framesSent(by: container)
        bed.a.kill()
        try bed.a.start()
        let after = try #require(try bed.a.status().ports.first { $0.kind == "container" })
        #expect(after.mode == before.mode)
        #expect(
          after.reason.hasPrefix("\(before.mode): as the program that was there; not tested"),
          "\(after)")
        // A burst of the test would be more; a few frames are the container's own.
        #expect(try framesSent(by: container) < sent + 32)
        try container.pingUntilAnswered(bed.containersOfB[0])
      }
    }

    private func framesSent(by container: TestContainer) throws -> Int {
      let link = try container.namespace.links().first { $0["ifname"] as? String == "ethwe" }
      let statistics = try #require(link?["stats64"] as? [String: [String: Any]])
      return try #require(statistics["tx"]?["packets"] as? Int)
    }
  }
}
