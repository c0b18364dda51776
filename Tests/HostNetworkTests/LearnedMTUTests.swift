// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Testing

extension KernelTests {
  /// What routers say of a path, and what is configured for it.
  @Suite struct LearnedMTUTests {
    /// Whom a router reaches by a link of MTU 1000.
    private let far = "10.88.0.2"

    @Test func whatAnICMPMessageSaysIsNotBelieved() throws {
      try withLearnedMTU { _, ask in
        let answers = try ask()
        #expect(answers == Answers(route: nil, socket: 1500))
      }
    }

    @Test(arguments: ["mtu 1400", "mtu lock 1400"])
    func whatIsConfiguredIsReadBesideIt(metric: String) throws {
      try withLearnedMTU(metric) { host, ask in
        #expect(try ask() == Answers(route: 1400, socket: 1400))
        try host.ip("route change 10.88.0.0/24 via 10.77.0.2 mtu 1300")
        #expect(try ask() == Answers(route: 1300, socket: 1300))
      }
    }

    private struct Answers: Equatable {
      var route: Int?
      var socket: Int?
    }

    /// Lends a host whose kernel learned by ICMP how narrow the path to `far` is, and asks there.
    private func withLearnedMTU(
      _ metric: String = "", _ body: (TestNamespace, () throws -> Answers) throws -> Void
    ) throws {
      try withHosts { host, router in
        try withNamespaces(1) { others in
          try router.ip("link add name q0 mtu 1000 type veth peer name f0 netns \(others[0].name)")
          try router.ip("addr add 10.88.0.1/24 dev q0")
          try router.ip("link set dev q0 up")
          try others[0].ip("addr add \(far)/24 dev f0")
          try others[0].ip("link set dev f0 up")
          try others[0].ip("route add default via 10.88.0.1")
          try router.execute("sysctl -q -w net.ipv4.ip_forward=1")
          try host.ip("route add 10.88.0.0/24 via 10.77.0.2 \(metric)")
          if !metric.contains("lock") { try learn(host) }
          let address = try address(far)
          try body(host) {
            try host.run { () throws(HostNetworkError) in
              var netlink = try NetlinkSocket()
              return Answers(
                route: try netlink.lookUpRoute(to: address)?.mtu,
                socket: try netlink.socketRoute(to: address)?.mtu)
            }
          }
        }
      }
    }

    /// Has the router say that a packet is too long.
    private func learn(_ host: TestNamespace) throws {
      let learned = try eventually {
        _ = try? host.execute("ping -n -c 1 -W 1 -M do -s 1300 \(far)")
        let route = try host.ip("route get \(far)")
        return route.contains("mtu 1000") && route.contains("expires") ? route : nil
      }
      try #require(learned != nil, "the kernel takes what the router says")
    }
  }
}
