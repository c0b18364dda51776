// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

extension KernelTests {
  @Suite struct LinkTests {
    private func options() throws -> VethOptions {
      var options = VethOptions(name: "here", peerName: "there")
      options.queueCount = 2
      options.mtu = 1376
      options.mac = try mac("02:00:00:00:00:01")
      options.peerMAC = try mac("02:00:00:00:00:02")
      options.alias = "a test's"
      return options
    }

    @Test func pairIsMadeWholeInOneRequest() throws {
      try withNamespaces { namespaces in
        let (options, path) = (try options(), namespaces[1].path)
        let link = try namespaces[0].run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          return try netlink.createVethPair(options, peerIn: NetworkNamespace(path: path))
        }
        #expect(link.name == "here" && link.alias == "a test's" && link.kind == "veth")
        #expect(link.mtu == 1376 && !link.isUp && link.peerNamespace != nil)
        #expect(link.transmitQueueCount == 2 && link.receiveQueueCount == 2)
        let here = try namespaces[0].judgedLink("here")
        #expect(here.ifalias == "a test's" && here.address == "02:00:00:00:00:01")
        #expect(here.ifindex == link.index.rawValue)
        let there = try namespaces[1].judgedLink("there")
        #expect(there.address == "02:00:00:00:00:02" && there.mtu == 1376)
        #expect(there.ifindex == link.peerIndex?.rawValue)
        for judged in [here, there] {
          #expect(judged.num_tx_queues == 2 && judged.num_rx_queues == 2)
          #expect(judged.linkinfo?.info_kind == "veth")
        }
      }
    }

    @Test func takenNamesAreToldApart() throws {
      try withNamespaces { namespaces in
        let (host, options, path) = (namespaces[0], try options(), namespaces[1].path)
        let create: @Sendable () throws(HostNetworkError) -> Void = {
          () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          _ = try netlink.createVethPair(options, peerIn: NetworkNamespace(path: path))
        }
        try namespaces[1].ip("link add name there type veth peer name x")
        #expect(throws: HostNetworkError.interfaceExists(name: "there", place: "the container")) {
          try host.run(create)
        }
        #expect(try host.judgedLinks().isEmpty)
        try host.ip("link add name here type veth peer name y")
        let expected = HostNetworkError.interfaceExists(
          name: "here", place: "this network namespace")
        #expect(throws: expected) { try host.run(create) }
      }
    }

    @Test func everyChangeIsSeenByOthers() throws {
      try withNamespaces(1) { namespaces in
        try namespaces[0].ip("link add name a type veth peer name b")
        try namespaces[0].ip("link set dev b up")
        let address = try mac("02:00:00:00:00:03")
        try namespaces[0].run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "a")
          var changes = LinkChanges()
          changes.name = "renamed"
          changes.mtu = 1280
          changes.mac = address
          changes.alias = "x y"
          changes.isARPOn = false
          try netlink.change(link.index, changes)
          try netlink.change(link.index, .up)
        }
        let judged = try namespaces[0].judgedLink("renamed")
        #expect(judged.mtu == 1280 && judged.address == address.description)
        #expect(judged.ifalias == "x y")
        #expect(judged.flags.contains("UP") && judged.flags.contains("NOARP"))
        let link = try namespaces[0].run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          var changes = LinkChanges()
          changes.alias = ""
          changes.isUp = false
          let index = try netlink.existingLink(named: "renamed").index
          try netlink.change(index, changes)
          return try netlink.link(at: index)
        }
        #expect(link?.alias == nil && link?.isUp == false && link?.isARPOff == true)
      }
    }

    @Test func silentInterfaceHasNoAddressOfItsOwn() throws {
      try withNamespaces(1) { namespaces in
        try namespaces[0].ip("link add name a type veth peer name b")
        try namespaces[0].run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          for name in ["a", "b"] {
            let link = try netlink.existingLink(named: name)
            if name == "a" { try netlink.silence(link) }
            try netlink.change(link.index, .up)
          }
        }
        let judged = try namespaces[0].judgedLink("a")
        #expect(judged.flags.contains("NOARP"))
        #expect(judged.inet6_addr_gen_mode == "none")
        let disabled = try namespaces[0].execute("cat /proc/sys/net/ipv6/conf/a/disable_ipv6")
        #expect(disabled == "1\n")
        let found = try namespaces[0].ask("addr show dev a", as: [JudgedAddresses].self)
        #expect(found.first?.addr_info.isEmpty == true)
      }
    }

    @Test func deletionTakesBothEndsAndIsNoErrorTwice() throws {
      try withNamespaces { namespaces in
        let (options, path) = (try options(), namespaces[1].path)
        let outcomes = try namespaces[0].run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.createVethPair(options, peerIn: NetworkNamespace(path: path))
          return [try netlink.deleteLink(link.index), try netlink.deleteLink(link.index)]
        }
        #expect(outcomes == [true, false])
        #expect(try namespaces.allSatisfy { try $0.judgedLinks().isEmpty })
      }
    }

    @Test(arguments: ["", "a/b", "a b", "a:b", "..", "sixteen-bytes-xx", "eth%d", "all", "a\n"])
    func impossibleNamesAreRefusedBeforeTheKernelSeesThem(name: String) throws {
      var netlink = try NetlinkSocket()
      #expect(throws: HostNetworkError.invalidInterfaceName(name: name)) {
        _ = try netlink.link(named: name)
      }
    }

    @Test func numbersOutsideOfTheirRangeNameIt() throws {
      var options = VethOptions(name: "a", peerName: "b")
      options.queueCount = 0
      var netlink = try NetlinkSocket()
      let queues = HostNetworkError.outOfRange(what: "queue count", value: 0, accepted: 1...4096)
      #expect(throws: queues) { _ = try netlink.createVethPair(options) }
      options.queueCount = 1
      options.mtu = 20
      let mtu = HostNetworkError.outOfRange(what: "MTU", value: 20, accepted: 68...65535)
      #expect(throws: mtu) { _ = try netlink.createVethPair(options) }
      #expect(mtu.description == "MTU 20 is not accepted: give 68 to 65535")
      options.mtu = 1500
      options.mac = .broadcast
      #expect(throws: HostNetworkError.invalidMAC(.broadcast)) {
        _ = try netlink.createVethPair(options)
      }
    }

    @Test func kernelsOwnSentenceIsInTheError() throws {
      try withNamespaces(1) { namespaces in
        try namespaces[0].ip("link add name a type veth peer name b")
        let error = #expect(throws: HostNetworkError.self) {
          try namespaces[0].run { () throws(HostNetworkError) in
            var netlink = try NetlinkSocket()
            let link = try netlink.existingLink(named: "a")
            guard let prefix = IPv4Prefix("10.0.0.1/24") else { return }
            // The interface is down, so there can be no route through it.
            try netlink.addRoute(prefix, through: link.index)
          }
        }
        guard case .system(let failure) = error else {
          Issue.record("\(String(describing: error))")
          return
        }
        #expect(failure.call == "RTM_NEWROUTE" && failure.subject == "10.0.0.1/24")
        #expect(failure.detail?.isEmpty == false, "\(failure)")
      }
    }
  }
}
