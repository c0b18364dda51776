// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Testing

extension KernelTests {
  @Suite struct RouteTests {
    @Test func addressesComeAndGoWithTheirBroadcast() throws {
      try withHosts { host, _ in
        let wide = try prefix("10.32.0.1/12")
        let single = try prefix("10.99.0.1/32")
        let listed = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "h0")
          try netlink.addAddress(wide, to: link.index)
          try netlink.addAddress(single, to: link.index)
          return try netlink.addresses(of: link.index)
        }
        let judged = try host.ask("addr show dev h0", as: [JudgedAddresses].self)
        let found = try #require(judged.first).addr_info.filter { !$0.local.contains(":") }
        #expect(found.map { "\($0.local)/\($0.prefixlen)" } == listed.map(\.prefix.description))
        #expect(found.map(\.broadcast) == [nil, "10.47.255.255", nil])
        #expect(listed.map { $0.broadcast?.description } == found.map(\.broadcast))
        let outcomes = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "h0")
          return [
            try netlink.removeAddress(wide, from: link.index),
            try netlink.removeAddress(wide, from: link.index),
          ]
        }
        #expect(outcomes == [true, false])
      }
    }

    @Test func addressesOfAllInterfacesAreListed() throws {
      try withHosts { host, _ in
        let all = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          return try netlink.addresses().map(\.prefix.description)
        }
        #expect(Set(all) == ["127.0.0.1/8", "10.77.0.1/24"])
      }
    }

    @Test func multicastRouteIsAddedOnceAndRemoved() throws {
      try withHosts { host, _ in
        let multicast = try prefix("224.0.0.0/4")
        let added = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "h0")
          return [
            try netlink.addRoute(multicast, through: link.index),
            try netlink.addRoute(multicast, through: link.index),
            try netlink.routes(through: link.index).contains { $0.destination == multicast },
          ]
        }
        #expect(added == [true, false, true])
        let judged = try host.ask("route show 224.0.0.0/4", as: [JudgedRoute].self)
        #expect(judged.map(\.dev) == ["h0"])
        let removed = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "h0")
          return [
            try netlink.removeRoute(multicast, through: link.index),
            try netlink.removeRoute(multicast, through: link.index),
          ]
        }
        #expect(removed == [true, false])
        #expect(try host.ask("route show 224.0.0.0/4", as: [JudgedRoute].self).isEmpty)
      }
    }

    @Test func lookUpKnowsDirectGatewayLocalAndNone() throws {
      try withHosts { host, _ in
        try host.ip("route add 10.99.0.0/16 via 10.77.0.2 mtu 1400")
        try host.ip("route add blackhole 10.98.0.0/16")
        let wanted = try ["10.77.0.7", "10.99.1.1", "10.77.0.1", "10.98.1.1", "192.0.2.1"]
          .map { try address($0) }
        let routes = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          var routes: [Route?] = []
          for address in wanted { routes.append(try netlink.lookUpRoute(to: address)) }
          return routes
        }
        let index = try host.judgedLink("h0").ifindex
        let direct = try #require(routes[0])
        #expect(direct.outInterface?.rawValue == index && direct.gateway == nil)
        #expect(direct.preferredSource?.description == "10.77.0.1" && direct.kind == .unicast)
        let behind = try #require(routes[1])
        #expect(behind.outInterface?.rawValue == index && behind.mtu == 1400)
        #expect(behind.gateway?.description == "10.77.0.2")
        #expect(routes[2]?.kind == .local)
        #expect(routes[3] == nil && routes[4] == nil)
      }
    }

    @Test func hostBehindAGatewayResolvesToTheGatewaysMAC() throws {
      try withHosts { host, peer in
        try host.ip("route add 10.99.0.0/16 via 10.77.0.2 mtu 1400")
        let gateway = try peer.judgedLink("p0").address
        let own = try host.judgedLink("h0").address
        let (behind, direct) = (try address("10.99.1.1"), try address("10.77.0.2"))
        let states = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          var states: [NextHopState] = []
          for _ in 0..<500 {
            let state = try netlink.resolveNextHop(for: behind)
            if case .resolved = state {
              states.append(state)
              states.append(try netlink.resolveNextHop(for: direct))
              break
            }
            usleep(10_000)
          }
          return states
        }
        for (state, mtu) in zip(states, [1400, 1500]) {
          guard case .resolved(let hop) = state else {
            Issue.record("\(state)")
            continue
          }
          #expect(hop.destinationMAC.description == gateway)
          #expect(hop.sourceMAC.description == own)
          #expect(hop.sourceAddress.description == "10.77.0.1" && hop.mtu == mtu)
        }
        #expect(states.count == 2)
      }
    }

    @Test func nothingIsAskedOnAnotherInterfaceThanTheWantedOne() throws {
      try withHosts { host, _ in
        try host.ip("link add name other type veth peer name rehto")
        let target = try address("10.77.0.2")
        let state = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let other = try netlink.existingLink(named: "other").index
          return try netlink.resolveNextHop(for: target, through: other)
        }
        #expect(state == .unresolved(.otherInterface(interface: "h0")))
        #expect(state.neighbour == nil)
        #expect(try host.ip("neigh show") == "")
      }
    }

    @Test func unreachableHostsSayWhy() throws {
      try withHosts { host, peer in
        let wanted = try ["10.77.0.1", "192.0.2.1", "10.77.0.9"].map { try address($0) }
        let ask: @Sendable () throws(HostNetworkError) -> [NextHopState] = {
          () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          var states: [NextHopState] = []
          for address in wanted { states.append(try netlink.resolveNextHop(for: address)) }
          return states
        }
        let first = try host.run(ask)
        #expect(
          first == [.unresolved(.local), .unresolved(.noRoute), .unresolved(.asking(wanted[2]))])
        let last = try eventually { () -> NextHopState? in
          let state = try host.run(ask)[2]
          return state == .unresolved(.silent(wanted[2])) ? state : nil
        }
        #expect(last != nil)
        try peer.ip("link set p0 down")
        #expect(try host.run(ask)[2] == .unresolved(.interfaceDown(interface: "h0")))
      }
    }
  }
}
