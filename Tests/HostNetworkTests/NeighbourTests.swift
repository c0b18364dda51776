// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Inet
import Testing

extension KernelTests {
  @Suite struct NeighbourTests {
    @Test func managedEntryFindsItsPeerAndGoesWhenRemoved() throws {
      try withHosts { host, peer in
        let target = try address("10.77.0.2")
        let found = try eventually { () -> Neighbour? in
          let known = try host.run { () throws(HostNetworkError) in
            var netlink = try NetlinkSocket()
            let link = try netlink.existingLink(named: "h0")
            return try netlink.resolveNeighbour(target, on: link.index)
          }
          return known?.usableMAC == nil ? nil : known
        }
        let neighbour = try #require(found)
        #expect(neighbour.isManaged)
        #expect(try neighbour.mac?.description == peer.judgedLink("p0").address)
        let judged = try host.ask("neigh show dev h0", as: [JudgedNeighbour].self)
        #expect(judged.map(\.dst) == ["10.77.0.2"])
        #expect(judged.first?.lladdr == neighbour.mac?.description)
        #expect(try host.ip("neigh show").contains("managed"))
        let outcomes = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "h0")
          return [
            try netlink.removeManagedNeighbour(target, on: link.index),
            try netlink.removeManagedNeighbour(target, on: link.index),
          ]
        }
        #expect(outcomes == [true, false])
        // An entry in use by a queued probe may be shown once more, without its address.
        #expect(try !host.ip("neigh show").contains("managed"))
      }
    }

    @Test func administratorsEntryIsUsedAndLeftAlone() throws {
      try withHosts { host, _ in
        try host.ip("neigh add 10.77.0.9 lladdr 02:00:00:00:00:99 dev h0 nud permanent")
        let target = try address("10.77.0.9")
        let known = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let index = try netlink.existingLink(named: "h0").index
          let known = try netlink.resolveNeighbour(target, on: index)
          try netlink.removeManagedNeighbour(target, on: index)
          return known
        }
        #expect(known?.state == .permanent && known?.isManaged == false)
        #expect(known?.usableMAC?.description == "02:00:00:00:00:99")
        let judged = try host.ask("neigh show dev h0", as: [JudgedNeighbour].self)
        #expect(judged.map(\.state) == [["PERMANENT"]])
      }
    }

    @Test func onlyOursAndUnwantedEntriesAreRemoved() throws {
      try withHosts { host, _ in
        let addresses = try ["10.77.0.2", "10.77.0.3"].map { try address($0) }
        try host.ip("neigh add 10.77.0.8 dev h0 managed")
        try host.ip("neigh add 10.77.0.9 lladdr 02:00:00:00:00:99 dev h0")
        let managed: @Sendable () throws(HostNetworkError) -> [String] = {
          () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          return try netlink.neighbours().filter(\.isManaged).map(\.address.description).sorted()
        }
        try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let index = try netlink.existingLink(named: "h0").index
          for address in addresses { _ = try netlink.resolveNeighbour(address, on: index) }
          try netlink.removeManagedNeighbours(except: [addresses[0]], on: index)
        }
        #expect(try host.run(managed) == ["10.77.0.2", "10.77.0.8"])
        try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          try netlink.removeManagedNeighbours()
        }
        #expect(try host.run(managed) == ["10.77.0.8"])
        #expect(try host.ip("neigh show").contains("02:00:00:00:00:99"))
      }
    }

    @Test func entryThatSomebodyElseManagesIsUsedAndLeftAlone() throws {
      try withHosts { host, _ in
        try host.ip("neigh add 10.77.0.2 dev h0 managed")
        let target = try address("10.77.0.2")
        let isRemoved = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let index = try netlink.existingLink(named: "h0").index
          _ = try netlink.resolveNeighbour(target, on: index)
          return try netlink.removeManagedNeighbour(target, on: index)
        }
        #expect(!isRemoved)
        #expect(try host.ip("neigh show").contains("managed"))
      }
    }

    @Test func learnedEntryBecomesManaged() throws {
      try withHosts { host, _ in
        try host.ip("neigh add 10.77.0.2 lladdr 02:00:00:00:00:98 dev h0 nud stale")
        let target = try address("10.77.0.2")
        let known = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let index = try netlink.existingLink(named: "h0").index
          return try netlink.resolveNeighbour(target, on: index)
        }
        #expect(known?.isManaged == true && known?.mac != nil)
        let listed = try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          return try netlink.neighbours()
        }
        #expect(listed.map(\.address) == [target])
      }
    }

    @Test func announcementIsHeardOnTheOtherSide() throws {
      try withHosts { host, peer in
        let output = NSTemporaryDirectory() + "hn-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: output) }
        let listener = Process()
        listener.executableURL = URL(fileURLWithPath: "/bin/sh")
        listener.arguments = [
          "-c",
          "exec timeout 10 ip netns exec \(peer.name) "
            + "tcpdump -lnne -c 2 -i p0 arp >\(output) 2>&1",
        ]
        try listener.run()
        let isListening = try eventually {
          let text = try? String(contentsOfFile: output, encoding: .utf8)
          return text?.contains("listening") == true ? true : nil
        }
        #expect(isListening == true)
        let (announced, station) = (try address("10.77.0.50"), try mac("02:00:00:00:00:50"))
        try host.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "h0")
          try GratuitousARP.announce(announced, at: station, on: link.index)
        }
        listener.waitUntilExit()
        let heard = try String(contentsOfFile: output, encoding: .utf8)
        let lines = heard.split(separator: "\n").filter { $0.contains("who-has") }
        #expect(lines.count == 2, "\(heard)")
        for line in lines {
          #expect(line.contains("02:00:00:00:00:50 > ff:ff:ff:ff:ff:ff"))
          #expect(line.contains("length 42"))
          #expect(
            line.contains("Announcement 10.77.0.50")
              || line.contains("who-has 10.77.0.50") && line.contains("tell 10.77.0.50"))
        }
      }
    }

    @Test func announcementIsBuiltAsTheStandardSays() throws {
      let frame = GratuitousARP.frame(try address("10.32.0.1"), at: try mac("02:00:00:00:00:0a"))
      let expected: [UInt8] = [
        255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 10, 8, 6,
        0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 10, 10, 32, 0, 1,
        0, 0, 0, 0, 0, 0, 10, 32, 0, 1,
      ]
      #expect(frame == expected)
    }
  }
}
