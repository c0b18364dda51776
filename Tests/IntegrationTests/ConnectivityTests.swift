// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Two hosts with weftd: who reaches whom.
  @Suite struct ConnectivityTests {
    @Test(.timeLimit(.minutes(5))) func allPairsOfEightContainersOnTwoHostsPing() throws {
      try Testbed.run(containers: 4) { bed in
        for one in bed.containers {
          for other in bed.containers where other !== one { try one.ping(other) }
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func broadcastAndMulticastReachAllOthers() throws {
      try Testbed.run(containers: 4) { bed in
        for sender in [bed.containersOfA[0], bed.containersOfB[3]] {
          let others = bed.containers.filter { $0 !== sender }
          let listeners = try others.map {
            try $0.start("listen", $0.address, "239.1.2.3", "5353", "broadcast", "multicast")
          }
          for listener in listeners { try listener.expect("ready") }
          try sender.play("announce", sender.address, TestContainer.broadcast, "5353", "broadcast")
          try sender.play("announce", sender.address, "239.1.2.3", "5353", "multicast")
          for listener in listeners { try listener.expect("complete", within: .seconds(3)) }
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func datagramsOfManySizesComeBackUnchanged() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let server = try other.serve("echo", other.address, "7")
        // 1422 bytes fill a packet of 1450; 4000 are three fragments.
        for size in [1, 64, 1350, 1422, 4000] {
          try one.play("ask", other.address, "7", "\(size)", "50")
        }
        server.stop()
      }
    }

    @Test(.timeLimit(.minutes(5))) func streamsArriveUnchangedInBothDirections() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let there = try one.transfer(transferLength, to: other, port: 5001)
        #expect(there.sent == there.received)
        let back = try other.transfer(transferLength, to: one, port: 5001)
        #expect(back.sent == back.received)
      }
    }

    @Test(.timeLimit(.minutes(5))) func countersOfPortsAndKernelAgree() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        let port = try #require(try bed.a.attachments().first).host_interface
        try one.ping(other)
        // What crossed the veth while the port was being made is the kernel's alone, and what a new
        // interface says of itself may pass between two looks.
        var before = try rest(one, bed.a, port)
        try eventually("nothing crosses the veth any more", within: .seconds(20)) {
          let former = before
          usleep(500_000)
          before = try rest(one, bed.a, port)
          return former == before
        }
        try one.ping(other, count: 100)
        var after = before
        defer { print("kernel and weftd: before \(before), after \(after)") }
        try eventually("kernel and weftd count alike and lose nothing", within: .seconds(3)) {
          after = try rest(one, bed.a, port)
          return after.difference == before.difference && after.ours >= before.ours + 200
            && after.lost == before.lost
        }
        let status = try bed.a.status()
        #expect(status.ports.map(\.received_frames).reduce(0, +) == status.frames.received)
        #expect(status.ports.map(\.sent_frames).reduce(0, +) == status.frames.sent)
      }
    }

    /// The frames of a container as both sides count them.
    private func rest(
      _ container: TestContainer, _ host: TestHost, _ name: String
    ) throws -> (ours: UInt64, difference: Int64, lost: UInt64) {
      let port = try #require(try host.status().port(name))
      let ours = port.received_frames + port.sent_frames
      let links = try container.namespace.links()
      let link = links.first { $0["ifname"] as? String == container.interface }
      let statistics = try #require(link?["stats64"] as? [String: [String: Any]])
      let counts = [statistics["tx"]?["packets"], statistics["rx"]?["packets"]]
      let kernels = counts.compactMap { ($0 as? NSNumber)?.int64Value }.reduce(0, +)
      return (ours, kernels - Int64(ours), port.kernel_drops.total)
    }
  }
}

/// Bytes of a TCP transfer.
var transferLength: Int {
  let isSoak = ProcessInfo.processInfo.environment["WEFT_SOAK"] == "1"
  return (isSoak ? 100 : 10) * 1_000_000
}
