// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Testing

extension KernelTests {
  @Suite struct NetworkMonitorTests {
    @Test func changesOfAllKindsAreHeard() throws {
      try withHosts { host, _ in
        let (extra, far) = (try prefix("10.78.0.1/24"), try prefix("10.99.0.0/16"))
        let (target, gateway) = (try address("10.77.0.2"), try address("10.77.0.2"))
        let events = try host.run { () throws(HostNetworkError) in
          var monitor = try NetworkMonitor()
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "h0")
          var changes = LinkChanges()
          changes.alias = "watched"
          changes.mtu = 1400
          try netlink.change(link.index, changes)
          try netlink.addAddress(extra, to: link.index)
          try netlink.removeAddress(extra, from: link.index)
          try netlink.addRoute(far, through: link.index, gateway: gateway)
          try netlink.removeRoute(far, through: link.index, gateway: gateway)
          // The first request may be lost, as the interface has just come up.
          for _ in 0..<1000
          where try netlink.resolveNeighbour(target, on: link.index)?.usableMAC == nil {
            usleep(10_000)
          }
          try netlink.removeManagedNeighbour(target, on: link.index)
          let pair = try netlink.createVethPair(VethOptions(name: "new", peerName: "wen"))
          try netlink.deleteLink(pair.index)
          usleep(50_000)
          return try monitor.drain() + monitor.drain()
        }
        var seen: Set<String> = []
        for event in events {
          switch event {
          case .linkChanged(let link) where link.alias == "watched" && link.mtu == 1400:
            seen.insert("link")
          case .linkRemoved(_, name: "new"): seen.insert("removed")
          case .addressChanged(let found, let presence) where found.prefix == extra:
            seen.insert("address \(presence)")
          case .routeChanged(let route, let presence) where route.destination == far:
            seen.insert("route \(presence)")
            #expect(route.gateway == gateway)
          case .neighbourChanged(let found, let presence) where found.address == target:
            if found.usableMAC != nil || presence == .removed {
              seen.insert("neighbour \(presence)")
            }
          default: break
          }
        }
        let expected: Set<String> = [
          "link", "removed", "address present", "address removed", "route present",
          "route removed", "neighbour present", "neighbour removed",
        ]
        #expect(seen == expected, "\(events)")
        #expect(!events.contains(.overflow))
      }
    }

    @Test func quietNetworkHasNoEvents() throws {
      try withNamespaces(1) { namespaces in
        let events = try namespaces[0].run { () throws(HostNetworkError) in
          var monitor = try NetworkMonitor()
          return try monitor.drain()
        }
        #expect(events.isEmpty)
      }
    }

    @Test func lostEventsAreToldAndTheMonitorGoesOn() throws {
      try withHosts { host, _ in
        let extra = try prefix("10.78.0.1/24")
        let (flooded, later) = try host.run { () throws(HostNetworkError) in
          var monitor = try NetworkMonitor(receiveBufferLength: 16384)
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "h0")
          for _ in 0..<100 {
            try netlink.addAddress(extra, to: link.index)
            try netlink.removeAddress(extra, from: link.index)
          }
          var flooded: [NetworkEvent] = []
          for _ in 0..<3 { flooded += try monitor.drain() }
          try netlink.addAddress(extra, to: link.index)
          return (flooded, try monitor.drain())
        }
        #expect(flooded.filter { $0 == .overflow }.count == 1)
        #expect(!later.isEmpty && !later.contains(.overflow))
      }
    }
  }
}
