// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

private func create(
  _ options: HostPair.Options, on host: TestNamespace
) throws -> HostPair {
  try host.run { () throws(HostNetworkError) in try HostPair.create(options) }
}

extension KernelTests {
  @Suite struct HostPairTests {
    @Test func pairIsMadeAsTheSwitchNeedsIt() throws {
      try withNamespaces(1) { namespaces in
        var options = HostPair.Options(queueCount: 2, mtu: 1376)
        options.mac = try mac("02:00:00:00:00:0f")
        let pair = try create(options, on: namespaces[0])
        #expect(!pair.wasReused && pair.host.hasCarrier && pair.switchEnd.isARPOff)
        let host = try namespaces[0].judgedLink("weft0")
        let switchEnd = try namespaces[0].judgedLink("weft0-sw")
        #expect(host.address == "02:00:00:00:00:0f" && !host.flags.contains("NOARP"))
        #expect(switchEnd.flags.contains("NOARP") && switchEnd.inet6_addr_gen_mode == "none")
        for link in [host, switchEnd] {
          #expect(link.ifalias == "weft1 host" && link.mtu == 1376 && link.flags.contains("UP"))
          #expect(link.num_rx_queues == 2 && link.num_tx_queues == 2)
        }
        let offloads = try namespaces[0].execute("ethtool -k weft0")
        #expect(offloads.contains("\ntx-checksumming: off"))
      }
    }

    @Test func pairThatFitsIsKeptWithItsAddresses() throws {
      try withNamespaces(1) { namespaces in
        let first = try create(HostPair.Options(queueCount: 2, mtu: 1376), on: namespaces[0])
        try namespaces[0].ip("addr add 10.32.0.1/12 dev weft0")
        let second = try create(HostPair.Options(queueCount: 2, mtu: 1400), on: namespaces[0])
        #expect(second.wasReused && second.host.index == first.host.index)
        #expect(second.host.mtu == 1400 && second.switchEnd.mtu == 1400)
        #expect(second.host.mac == first.host.mac)
        #expect(try namespaces[0].ip("addr show dev weft0").contains("10.32.0.1/12"))
      }
    }

    @Test func pairWithOtherQueuesIsMadeAnew() throws {
      try withNamespaces(1) { namespaces in
        let first = try create(HostPair.Options(queueCount: 2, mtu: 1376), on: namespaces[0])
        let second = try create(HostPair.Options(queueCount: 1, mtu: 1376), on: namespaces[0])
        #expect(!second.wasReused && second.host.index != first.host.index)
        #expect(second.host.receiveQueueCount == 1 && second.switchEnd.transmitQueueCount == 1)
        #expect(try namespaces[0].judgedLinks().count == 2)
      }
    }

    @Test func halfMadePairIsFinished() throws {
      try withNamespaces(1) { namespaces in
        try namespaces[0].ip(
          "link add name weft0 numtxqueues 1 numrxqueues 1 type veth "
            + "peer name weft0-sw numtxqueues 1 numrxqueues 1")
        let pair = try create(HostPair.Options(queueCount: 1, mtu: 1376), on: namespaces[0])
        #expect(pair.wasReused && pair.host.alias == HostPair.alias && pair.switchEnd.isARPOff)
      }
    }

    @Test func foreignInterfaceIsNeverTouched() throws {
      try withNamespaces(1) { namespaces in
        try namespaces[0].ip("link add name weft0 type veth peer name other")
        let expected = HostNetworkError.interfaceExists(
          name: "weft0", place: "this network namespace")
        #expect(throws: expected) {
          _ = try create(HostPair.Options(queueCount: 1, mtu: 1376), on: namespaces[0])
        }
        let removed = try namespaces[0].run { () throws(HostNetworkError) in
          try HostPair.remove()
        }
        #expect(!removed)
        #expect(try namespaces[0].judgedLinks().count == 2)
      }
    }

    @Test func removalLeavesNothing() throws {
      try withNamespaces(1) { namespaces in
        _ = try create(HostPair.Options(queueCount: 1, mtu: 1376), on: namespaces[0])
        let outcomes = try namespaces[0].run { () throws(HostNetworkError) in
          [try HostPair.remove(), try HostPair.remove()]
        }
        #expect(outcomes == [true, false])
        #expect(try namespaces[0].judgedLinks().isEmpty)
      }
    }
  }
}
