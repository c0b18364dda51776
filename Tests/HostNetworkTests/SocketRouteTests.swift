// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Testing

extension KernelTests {
  /// Routes through interfaces of kinds that every kernel of a test machine can make.
  @Suite struct SocketRouteTests {
    private func ask(_ host: TestNamespace, _ addresses: [String]) throws -> [SocketRoute?] {
      let wanted = try addresses.map { try address($0) }
      return try host.run { () throws(HostNetworkError) in
        var netlink = try NetlinkSocket()
        var routes: [SocketRoute?] = []
        for address in wanted { routes.append(try netlink.socketRoute(to: address)) }
        return routes
      }
    }

    private func route(_ interface: String, _ source: String, _ mtu: Int) throws -> SocketRoute {
      SocketRoute(interface: interface, sourceAddress: try address(source), mtu: mtu)
    }

    @Test func bridgeIsAWayLikeAnyOther() throws {
      try withHosts { host, _ in
        try host.ip("link add br0 type bridge")
        try host.ip("addr flush dev h0")
        try host.ip("link set h0 master br0")
        try host.ip("link set br0 mtu 1400 up")
        try host.ip("addr add 10.77.0.1/24 dev br0")
        try host.ip("route add 10.99.0.0/16 via 10.77.0.2 mtu 1300")
        #expect(
          try ask(host, ["10.77.0.2", "10.99.1.1"]) == [
            try route("br0", "10.77.0.1", 1400), try route("br0", "10.77.0.1", 1300),
          ])
        #expect(try kind(of: "br0", in: host) == "bridge true")
      }
    }

    @Test func macvlanIsAWayLikeAnyOther() throws {
      try withHosts { host, _ in
        try host.ip("link add link h0 name mv0 type macvlan")
        try host.ip("addr add 10.78.0.1/24 dev mv0")
        try host.ip("link set mv0 up")
        #expect(try ask(host, ["10.78.0.2"]) == [try route("mv0", "10.78.0.1", 1500)])
        #expect(try kind(of: "mv0", in: host) == "macvlan true")
      }
    }

    @Test func tunIsAWayWithAnAddressOfItsOwnOrWithout() throws {
      try withHosts { host, _ in
        try host.ip("tuntap add dev tun0 mode tun")
        try host.ip("link set tun0 mtu 1420 up")
        try host.ip("route add 10.98.0.0/16 dev tun0")
        #expect(try ask(host, ["10.98.0.1"]) == [try route("tun0", "10.77.0.1", 1420)])
        try host.ip("addr add 10.98.0.1 peer 10.98.0.2 dev tun0")
        #expect(try ask(host, ["10.98.0.2"]) == [try route("tun0", "10.98.0.1", 1420)])
        #expect(try kind(of: "tun0", in: host) == "tun false")
      }
    }

    @Test func ownAddressesAreReachedThroughTheLoopbackInterface() throws {
      try withHosts { host, _ in
        let routes = try ask(host, ["127.0.0.1", "10.77.0.1"])
        #expect(
          routes == [try route("lo", "127.0.0.1", 65536), try route("lo", "10.77.0.1", 65536)])
      }
    }

    @Test func whereNothingLeadsToOneHostThereIsNone() throws {
      try withHosts { host, _ in
        try host.ip("route add blackhole 10.98.0.0/16")
        let wanted = ["192.0.2.1", "10.98.1.1", "10.77.0.255"]
        #expect(try ask(host, wanted) == [nil, nil, nil])
      }
    }

    /// The kind and whether its frames are Ethernet's, as the underlay is chosen by.
    private func kind(of name: String, in host: TestNamespace) throws -> String {
      try host.run { () throws(HostNetworkError) in
        var netlink = try NetlinkSocket()
        let link = try netlink.existingLink(named: name)
        return "\(link.kind ?? "none") \(link.isEthernet)"
      }
    }
  }
}
