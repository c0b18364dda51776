// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

extension KernelTests {
  @Suite struct ContainerMonitorTests {
    @Test func changesInsideOfAContainerAreHeard() throws {
      try withNamespaces { namespaces in
        let (host, path) = (namespaces[0], namespaces[1].path)
        let extra = try prefix("10.78.0.1/24")
        let wanted = AttachSpecification(
          namespacePath: path, addresses: [], mtu: 1400, queueCount: 1, hostEnd: "weft-00000001")
        let outcome = try host.run { () throws(HostNetworkError) in
          var generator = SeededGenerator(seed: 5)
          let attached = try ContainerInterface.attach(wanted, using: &generator)
          var monitor = try ContainerMonitor()
          let before = try monitor.drain()
          var netlink = try NetlinkSocket()
          // On the host's end, which is of no interest here.
          try netlink.addAddress(extra, to: attached.hostEndIndex)
          let own = try monitor.drain()
          try NetworkNamespace(path: path).run { () throws(HostNetworkError) in
            var netlink = try NetlinkSocket()
            let link = try netlink.existingLink(named: "ethwe")
            try netlink.addAddress(extra, to: link.index)
            var changes = LinkChanges()
            changes.alias = "changed"
            try netlink.change(link.index, changes)
          }
          return (attached.peer, before, own, try monitor.drain())
        }
        let peer = try #require(outcome.0)
        let number = try #require(peer.namespace)
        #expect(outcome.1.isEmpty)
        #expect(outcome.2.isEmpty, "the host's own changes are another monitor's")
        #expect(outcome.3 == [.changed(peer.index, namespace: number)])
      }
    }
  }
}
