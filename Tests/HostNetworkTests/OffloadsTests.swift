// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Testing

extension KernelTests {
  @Suite struct OffloadsTests {
    @Test func checksumAndSegmentationAreOffInTheEyesOfOthers() throws {
      try withHosts { host, _ in
        let before = try host.run { () throws(HostNetworkError) in
          try Offloads().isTransmitChecksumOn("h0")
        }
        #expect(before)
        let after = try host.run { () throws(HostNetworkError) in
          let offloads = try Offloads()
          try offloads.disableTransmitChecksum("h0")
          return [
            try offloads.isTransmitChecksumOn("h0"), try offloads.isTCPSegmentationOn("h0"),
          ]
        }
        #expect(after == [false, false])
        let judged = try host.execute("ethtool -k h0")
        #expect(judged.contains("\ntx-checksumming: off"))
        #expect(judged.contains("tx-tcp-segmentation: off"))
        #expect(judged.contains("tx-udp-segmentation: off"))
      }
    }

    @Test func driverAndQueuesAreTold() throws {
      try withNamespaces(1) { namespaces in
        try namespaces[0].ip(
          "link add name a numtxqueues 3 numrxqueues 3 type veth peer name b numtxqueues 2")
        let (driver, channels, count) = try namespaces[0].run { () throws(HostNetworkError) in
          let offloads = try Offloads()
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "a")
          return (
            try offloads.driver("a"), try offloads.channels("a"),
            try netlink.receiveQueueCount(of: link)
          )
        }
        #expect(driver == "veth")
        #expect(channels?.receiveQueueCount == 3 && channels?.transmitQueueCount == 3)
        #expect(count == 3)
        let loopback = try namespaces[0].run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          let link = try netlink.existingLink(named: "lo")
          return (try Offloads().channels("lo"), try netlink.receiveQueueCount(of: link))
        }
        #expect(loopback.0 == nil && loopback.1 == 1)
      }
    }

    @Test func missingInterfaceIsNamed() throws {
      let offloads = try Offloads()
      let error = #expect(throws: HostNetworkError.self) {
        try offloads.disableTransmitChecksum("absent0")
      }
      #expect(error?.description.contains("absent0") == true)
    }
  }
}
