// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

extension KernelTests {
  @Suite struct ContainerConditionTests {
    /// Runs a test with a host, its container, another namespace, and the attachment.
    private func withAttachment(
      _ test: (TestNamespace, TestNamespace, TestNamespace, ContainerInterface) throws -> Void
    ) throws {
      try withNamespaces(3) { namespaces in
        let wanted = AttachSpecification(
          namespacePath: namespaces[1].path, addresses: [try prefix("10.32.0.1/12")], mtu: 1400,
          queueCount: 1, hostEnd: "weft-00000001")
        let attached = try namespaces[0].run { () throws(HostNetworkError) in
          var generator = SeededGenerator(seed: 5)
          return try ContainerInterface.attach(wanted, using: &generator)
        }
        try test(namespaces[0], namespaces[1], namespaces[2], attached)
      }
    }

    private func inspect(
      _ attached: ContainerInterface, on host: TestNamespace
    ) throws -> ContainerCondition? {
      try host.run { () throws(HostNetworkError) in
        var netlink = try NetlinkSocket()
        return try netlink.inspect(attached)
      }
    }

    private func presence(
      _ attached: ContainerInterface, on host: TestNamespace
    ) throws -> ContainerCondition.Presence {
      let condition = try inspect(attached, on: host)
      guard case .present(let presence) = condition else {
        throw Unexpected(what: "\(String(describing: condition))")
      }
      return presence
    }

    private struct Unexpected: Error {
      let what: String
    }

    @Test func bothEndsAreSeenFromTheHost() throws {
      try withAttachment { host, container, _, attached in
        var found = try presence(attached, on: host)
        #expect(found.containerEnd.name == "ethwe" && found.containerEnd.isUp)
        #expect(found.hostEnd.name == "weft-00000001" && found.hostEnd.isUp)
        #expect(found.addresses == attached.record.addresses)
        try container.ip("link set ethwe down")
        try container.ip("link set ethwe name eth7")
        try container.ip("address add 172.17.0.2/16 dev eth7")
        try container.ip("address del 10.32.0.1/12 dev eth7")
        found = try presence(attached, on: host)
        #expect(found.containerEnd.name == "eth7" && !found.containerEnd.isUp)
        #expect(found.addresses.map(\.description) == ["172.17.0.2/16"])
      }
    }

    @Test func deletedPairIsGone() throws {
      try withAttachment { host, container, _, attached in
        try container.ip("link del ethwe")
        #expect(try inspect(attached, on: host) == .gone)
      }
    }

    @Test(arguments: [true, false]) func movedEndIsNoticed(isToTheHost: Bool) throws {
      try withAttachment { host, container, other, attached in
        try container.ip("link set ethwe netns \(isToTheHost ? host.name : other.name)")
        #expect(try inspect(attached, on: host) == .moved)
      }
    }

    @Test func moveThatNobodySawIsNoticedWhileThePathIsThere() throws {
      try withAttachment { host, container, other, attached in
        let wasMoved: @Sendable () throws(HostNetworkError) -> Bool = {
          () throws(HostNetworkError) in
          let listing = try AttachmentListing.read()
          var netlink = try NetlinkSocket()
          for interface in listing.attachments { return try netlink.wasMoved(interface) }
          return false
        }
        #expect(try !host.run(wasMoved))
        try container.ip("link set ethwe netns \(other.name)")
        #expect(try host.run(wasMoved))
      }
    }

    @Test(arguments: ["all", "default"])
    func nameThatCouldNotBeReadBackIsNotWritten(name: String) throws {
      try withAttachment { host, _, _, attached in
        #expect(throws: HostNetworkError.invalidInterfaceName(name: name)) {
          try host.run { () throws(HostNetworkError) in
            var changed = attached
            try changed.noteName(name)
          }
        }
        let listing = try host.run { () throws(HostNetworkError) in
          try AttachmentListing.read()
        }
        #expect(listing.attachments == [attached])
      }
    }

    @Test func losesAndNamesAreWrittenIntoTheRecord() throws {
      try withAttachment { host, container, _, attached in
        try container.ip("link set ethwe down")
        try container.ip("link set ethwe name eth7")
        let addresses = attached.record.addresses
        let changed = try host.run { () throws(HostNetworkError) in
          var changed = attached
          try changed.noteName("eth7")
          try changed.noteLoss(of: addresses)
          return changed
        }
        #expect(changed.record.containerInterface == "eth7")
        #expect(changed.record.addresses == [])
        let listing = try host.run { () throws(HostNetworkError) in
          try AttachmentListing.read()
        }
        #expect(listing.attachments == [changed])
      }
    }
  }
}
