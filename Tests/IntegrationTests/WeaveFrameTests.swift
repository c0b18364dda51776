// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// Containers of ours and of real Weave Net routers on one network.
  @Suite(.enabled(if: WeaveRouter.program != nil, WeaveRouter.absence))
  struct WeaveFrameTests {
    static let passwords: [String?] = [nil, "a secret of many"]
    /// Bytes of a stream; all of them are compared.
    static let streamLength =
      ProcessInfo.processInfo.environment["WEFT_SOAK"] == "1" ? 100_000_000 : 20_000_000

    private func flags(_ password: String?) -> [String] {
      password.map { ["--password=\($0)"] } ?? []
    }

    /// A host of ours and a router, connected, with a container each.
    private func run(
      _ password: String?, mtu: Int = 65_535,
      _ test: (MeshBed, TestHost, WeaveRouter, TestContainer, TestContainer) throws -> Void
    ) throws {
      try MeshBed.run { bed in
        let router = try bed.addRouter(2, flags(password))
        let host = try bed.addHost(1, peers: [2], password: password, overlayMTU: mtu)
        try router.start()
        try host.start()
        try host.waitUntilConnected(2)
        try router.waitUntilConnected(1)
        let (ours, theirs) = (try bed.attach(1, to: host), try bed.attach(2, to: router))
        try ours.pingEventually(theirs)
        try test(bed, host, router, ours, theirs)
      }
    }

    @Test(.timeLimit(.minutes(3)), arguments: passwords)
    func containersTalkInBothDirections(password: String?) throws {
      try run(password) { _, host, _, ours, theirs in
        try ours.ping(theirs, count: 20)
        try theirs.ping(ours, count: 20)
        for (from, to) in [(ours, theirs), (theirs, ours)] {
          let sums = try from.transfer(Self.streamLength, to: to, port: 5001)
          #expect(sums.sent == sums.received)
        }
        let text = try host.ask(["status", "connections"]).output
        #expect(text.contains("sleeve"), "\(text)")
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: passwords)
    func longDatagramsPassOverTheLargestMTU(password: String?) throws {
      try run(password) { _, _, _, ours, theirs in
        for (from, to) in [(ours, theirs), (theirs, ours)] {
          let echo = try to.serve("echo", to.address, "7")
          for length in [1_400, 1_500, 10_240, 60_000] {
            try from.play("ask", to.address, "7", "\(length)", "20")
          }
          echo.stop(with: SIGKILL)
        }
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: passwords)
    func broadcastAndMulticastPass(password: String?) throws {
      try run(password) { _, _, _, ours, theirs in
        for (from, to) in [(ours, theirs), (theirs, ours)] {
          let listener = try to.serve(
            "listen", to.address, "239.1.2.3", "5007", "by broadcast", "by multicast")
          try from.play("announce", from.address, TestContainer.broadcast, "5007", "by broadcast")
          try from.play("announce", from.address, "239.1.2.3", "5007", "by multicast")
          try listener.expect("complete")
        }
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: passwords)
    func weaveRouterRelaysBetweenTwoOfOurs(password: String?) throws {
      try MeshBed.run { bed in
        let router = try bed.addRouter(2, flags(password))
        let (a, c) = (
          try bed.addHost(1, peers: [2], password: password, overlayMTU: 1400),
          try bed.addHost(3, peers: [2], password: password, overlayMTU: 1400)
        )
        try bed.cut((a.namespace, 1), (c.namespace, 3))
        try router.start()
        for host in [a, c] { try host.start() }
        try router.waitUntilConnected(1, 3)
        try expectConversation(bed.attach(1, to: a), bed.attach(3, to: c))
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: passwords)
    func ourHostRelaysBetweenTwoWeaveRouters(password: String?) throws {
      try MeshBed.run { bed in
        let (a, c) = (
          try bed.addRouter(1, peers: [2], flags(password)),
          try bed.addRouter(3, peers: [2], flags(password))
        )
        let host = try bed.addHost(2, password: password, overlayMTU: 1400)
        try bed.cut((a.namespace, 1), (c.namespace, 3))
        try host.start()
        for router in [a, c] { try router.start() }
        try host.waitUntilConnected(1, 3)
        try expectConversation(bed.attach(1, to: a), bed.attach(3, to: c))
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func eitherSideMayBeBehindMasquerade(areWeBehind: Bool) throws {
      try MeshBed.run { bed in
        let host = try bed.addHost(
          1, peers: areWeBehind ? [2] : [], password: "a secret", overlayMTU: 1400)
        let router = try bed.addRouter(2, peers: areWeBehind ? [] : [1], flags("a secret"))
        let gate = try bed.hide(
          areWeBehind ? host.namespace : router.namespace, areWeBehind ? 1 : 2, behind: 7)
        try host.start()
        try router.start()
        try host.waitUntilConnected(2)
        try router.waitUntilConnected(1)
        try expectConversation(bed.attach(1, to: host), bed.attach(2, to: router))
        withExtendedLifetime(gate) {}
      }
    }

    private func expectConversation(_ left: TestContainer, _ right: TestContainer) throws {
      try left.pingEventually(right)
      try left.ping(right, count: 20)
      try right.ping(left, count: 20)
      for (from, to) in [(left, right), (right, left)] {
        let sums = try from.transfer(2_000_000, to: to, port: 5001)
        #expect(sums.sent == sums.received)
      }
    }
  }
}
