// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

extension KernelTests {
  @Suite struct PreparedInterfaceTests {
    private func specification(_ path: String) throws -> AttachSpecification {
      AttachSpecification(
        namespacePath: path, addresses: [try prefix("10.32.0.1/12")], mtu: 1400, queueCount: 1,
        hostEnd: AttachmentListing.hostEndName(0x12AB))
    }

    @Test func nothingPassesAndNothingIsRecordedBeforeTheEnd() throws {
      try withNamespaces { namespaces in
        let (host, container) = (namespaces[0], namespaces[1])
        let wanted = try specification(container.path)
        let prepared = try host.run { () throws(HostNetworkError) in
          var generator = SeededGenerator(seed: 3)
          let prepared = try PreparedInterface(wanted, using: &generator)
          return prepared.hostEnd
        }
        let outside = try host.judgedLink("weft-000012ab")
        #expect(prepared.name == "weft-000012ab")
        #expect(!outside.flags.contains("UP") && outside.flags.contains("NOARP"))
        #expect(outside.ifalias == nil)
        #expect(try !container.judgedLink("ethwe").flags.contains("UP"))
      }
    }

    @Test func discardedPairIsGone() throws {
      try withNamespaces { namespaces in
        let wanted = try specification(namespaces[1].path)
        try namespaces[0].run { () throws(HostNetworkError) in
          var generator = SeededGenerator(seed: 3)
          try PreparedInterface(wanted, using: &generator).discard()
        }
        #expect(try namespaces.allSatisfy { try $0.judgedLinks().isEmpty })
      }
    }

    @Test func unfinishedPairsAreFoundAndNoOthers() throws {
      try withNamespaces(1) { namespaces in
        let host = namespaces[0]
        for (number, name) in [
          "weft-00000001", "weft-1", "weft-0000000g", "weft-000000001", "other", "weft0",
        ].enumerated() {
          try host.ip("link add name \(name) type veth peer name p\(number)")
        }
        try host.ip("link add name weft-00000002 type veth peer name aliased")
        try host.ip("link set weft-00000002 alias somebodys")
        try host.ip("link add name weft-00000003 type bridge")
        let removed = try host.run { () throws(HostNetworkError) in
          let listing = try AttachmentListing.read()
          return try listing.removeUnfinished()
        }
        #expect(removed == ["weft-00000001"])
        #expect(try host.judgedLinks().count == 2 * 6 + 1)
      }
    }
  }
}
