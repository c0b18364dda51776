// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Whatever the MTUs of container, overlay and underlay are, nothing disappears without a word.
  @Suite struct PathMTUTests {
    static let inner = [576, 1000, 1280, 1376, 1400, 1412, 1414, 1438, 1450, 1500, 9000, 65_535]
    static let outer = [600, 900, 1280, 1300, 1400, 1450, 1492, 1500, 2000, 4000, 8000, 9000]
    /// The others only in a soak.
    static let tested =
      ProcessInfo.processInfo.environment["WEFT_SOAK"] == "1" ? outer : [900, 1500, 9000]

    @Test(.timeLimit(.minutes(6)), arguments: tested, [nil, "a secret of many"])
    func everyPacketArrivesOrIsAnswered(outer: Int, password: String?) throws {
      try MeshBed.run { bed in
        for number in [1, 2] {
          try bed.addHost(
            number, peers: number == 2 ? [1] : [], password: password, overlayMTU: 65_535)
        }
        try bed.setWireMTU(outer)
        for host in bed.hosts { try host.start() }
        try bed.hosts[0].waitUntilConnected(2)
        try bed.hosts[1].waitUntilConnected(1)
        let far = try bed.attach(200, to: bed.hosts[1])
        let server = try far.serve("digest", far.address, "7")
        let senders = try Self.inner.enumerated().map { index, mtu in
          let container = try bed.attach(index + 1, to: bed.hosts[0])
          let interface = try #require(container.interface)
          try container.namespace.ip("link set \(interface) mtu \(mtu)")
          return (container, mtu)
        }
        for (container, mtu) in senders {
          try container.pingEventually(far)
          let lengths = Self.lengths(inner: mtu, outer: outer).map { "\($0)" }
          let shown = try container.namespace.run(
            Peer.command("probe", [far.address, "7"] + lengths), limit: .seconds(40))
          let result = shown.split(separator: "\n").last.map(String.init) ?? "nothing"
          let words = result.split(separator: " ")
          #expect(
            words.count == 3, "inner MTU \(mtu), outer \(outer): without an answer: \(result)")
        }
        server.stop(with: SIGKILL)
      }
    }

    /// A few bytes, everything around the limits of both MTUs and overlays, and nearly the longest.
    private static func lengths(inner: Int, outer: Int) -> [Int] {
      // What VXLAN, sealed sleeve and plain sleeve leave of the outer MTU.
      let limits = [inner, outer, outer - 50, outer - 62, outer - 86]
      let around = limits.flatMap { [$0 - 1, $0, $0 + 1] }
      return Set([64, 65_000] + around).filter { (64...65_500).contains($0) }.sorted()
    }
  }
}
