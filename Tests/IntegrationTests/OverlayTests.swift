// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Which overlay carries frames, and what is seen of them on the wire.
  @Suite struct OverlayTests {
    private func carrier(_ host: TestHost) throws -> String {
      let connection = try host.report().router.Connections?.first
      return connection?.Attrs?.name ?? ""
    }

    @Test(.timeLimit(.minutes(5))) func sleeveTakesOverWhileVXLANIsBlocked() throws {
      try MeshBed.run { bed in
        let (a, b) = (try bed.addHost(1), try bed.addHost(2, peers: [1]))
        for host in bed.hosts { try host.start() }
        let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
        try left.pingEventually(right)
        for host in bed.hosts {
          try eventually("VXLAN carries", within: .seconds(20)) {
            try carrier(host) == "fastdp"
          }
        }
        try bed.dropOnWire(udpPort: 6784)
        for host in bed.hosts {
          try eventually("sleeve carries", within: .seconds(10)) { try carrier(host) == "sleeve" }
        }
        try left.pingEventually(right)
        try left.ping(right, count: 20)
        let sums = try left.transfer(1_000_000, to: right, port: 5001)
        #expect(sums.sent == sums.received)
        try bed.dropNothingOnWire()
        for host in bed.hosts {
          try eventually("VXLAN carries again", within: .seconds(20)) {
            try carrier(host) == "fastdp"
          }
        }
        try left.ping(right, count: 20)
        let log = a.weftd?.errors ?? ""
        #expect(log.contains("overlay") && log.contains("sleeve") && log.contains("fastdp"))
      }
    }

    @Test(.timeLimit(.minutes(5))) func nothingIsReadableOnTheWireWithAPassword() throws {
      try MeshBed.run { bed in
        let (a, b) = (
          try bed.addHost(1, password: "a secret"),
          try bed.addHost(2, peers: [1], password: "a secret")
        )
        for host in bed.hosts { try host.start() }
        let (left, right) = (try bed.attach(1, to: a), try bed.attach(2, to: b))
        try left.pingEventually(right)
        let capture = try bed.captureOnWire()
        for (from, to) in [(left, right), (right, left)] {
          let pattern = "5765667420697320686572652e"
          try from.namespace.run("ping -n -q -c 50 -i 0.01 -p \(pattern) -s 1000 \(to.address)")
        }
        let sums = try left.transfer(1_000_000, to: right, port: 5001)
        #expect(sums.sent == sums.received)
        let recorded = try capture.bytes()
        #expect(recorded.count > 1_000_000)
        for word in ["Weft is here.", "a secret"] {
          #expect(!recorded.contains(word), "\(word)")
        }
        #expect(try a.ask(["status", "connections"]).output.contains("aes256gcm"))
      }
    }
  }
}
