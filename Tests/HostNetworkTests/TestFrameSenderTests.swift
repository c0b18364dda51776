// SPDX-License-Identifier: Apache-2.0

import HostNetwork
import Inet
import Testing

extension KernelTests {
  @Suite struct TestFrameSenderTests {
    /// Frames of `length` bytes from `sender`, one after the other.
    private func frames(_ count: Int, _ length: Int, _ sender: TestFrameSender) -> [UInt8] {
      let octets = [sender.destination, sender.source].flatMap { mac in
        (0..<6).map { UInt8(truncatingIfNeeded: mac.bits >> UInt64(40 - 8 * $0)) }
      }
      let frame = octets + [0x88, 0xB5] + [UInt8](repeating: 0xA5, count: length - 14)
      return Array(repeatElement(frame, count: count).joined())
    }

    private func received(_ name: String, _ namespace: TestNamespace) throws -> Int {
      let text = try namespace.execute("cat /sys/class/net/\(name)/statistics/rx_packets")
      return try #require(Int(text.split(separator: "\n").joined()))
    }

    @Test func framesLeaveTheContainersEndWhileBothEndsAreUp() throws {
      try withNamespaces { namespaces in
        let (host, container) = (namespaces[0], namespaces[1])
        for namespace in namespaces {
          try namespace.execute("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
        }
        let specification = AttachSpecification(
          namespacePath: container.path, addresses: [try prefix("10.32.0.1/12")], mtu: 1400,
          queueCount: 2, hostEnd: AttachmentListing.hostEndName(0x12AB))
        let sender = try host.run { () throws(HostNetworkError) in
          var generator = SeededGenerator(seed: 3)
          return try PreparedInterface(specification, using: &generator).testFrameSender()
        }
        #expect(sender.frameLengthMax == 1414)
        #expect(try container.judgedLink("ethwe").address == sender.source.description)
        #expect(try host.judgedLink("weft-000012ab").address == sender.destination.description)
        #expect(throws: HostNetworkError.self) {
          try sender.send(frames(1, 64, sender), length: 64)
        }

        try host.run { () throws(HostNetworkError) in try sender.begin() }
        let small = try sender.send(frames(64, 64, sender), length: 64)
        let large = try sender.send(frames(3, 1414, sender), length: 1414)
        #expect(small.count == 64 && large.count == 3)
        #expect(small.nanoseconds > 0)
        #expect(try received("weft-000012ab", host) == 67)
        #expect(try container.judgedLink("ethwe").flags.contains("UP"))

        try host.run { () throws(HostNetworkError) in sender.end() }
        #expect(try !container.judgedLink("ethwe").flags.contains("UP"))
        #expect(try !host.judgedLink("weft-000012ab").flags.contains("UP"))
      }
    }

    @Test func frameThatIsTooLongIsRefused() throws {
      try withNamespaces(1) { namespaces in
        let sender = try namespaces[0].run { () throws(HostNetworkError) in
          try TestFrameSender(of: HostPair.create(HostPair.Options(queueCount: 1, mtu: 1400)))
        }
        #expect(throws: HostNetworkError.self) {
          try sender.send(frames(1, 1415, sender), length: 1415)
        }
        #expect(try sender.send(frames(1, 1414, sender), length: 1414).count == 1)
      }
    }

    @Test func hostsPairStaysUp() throws {
      try withNamespaces(1) { namespaces in
        let host = namespaces[0]
        try host.run { () throws(HostNetworkError) in
          let sender = try TestFrameSender(
            of: HostPair.create(HostPair.Options(queueCount: 1, mtu: 1400)))
          try sender.begin()
          sender.end()
        }
        for name in ["weft0", "weft0-sw"] {
          #expect(try host.judgedLink(name).flags.contains("UP"), "\(name)")
        }
      }
    }
  }
}
