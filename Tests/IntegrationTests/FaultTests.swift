// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// `[[fault]]` on the underlay of host B: what A sends there is lost and doubled on purpose.
  @Suite struct FaultTests {
    private static let datagramCount = 2000

    @Test(.timeLimit(.minutes(5))) func badUnderlayLosesWhatItsCountersSayAndStreamsArrive() throws
    {
      try Testbed.run(containers: 0) { bed in
        let (one, other) = try Self.attachOverBadUnderlay(bed)
        let before = try Self.counts(bed, one, other)
        let sink = try other.namespace.start(Self.python(Self.sink, other.address))
        try sink.expect("ready")
        try one.namespace.run(
          Self.python(Self.source, other.address, "\(Self.datagramCount)"), limit: .seconds(30))
        var now = before
        try eventually("every datagram sent has an end", within: .seconds(10)) {
          now = try Self.counts(bed, one, other)
          return now.isAtRest(since: before, sent: UInt64(Self.datagramCount))
        }
        #expect(now.lost > before.lost && now.doubled > before.doubled)
        let share = Double(now.lost - before.lost) / Double(now.arrived - before.arrived)
        #expect(share > 0.06 && share < 0.14, "10 % of 2000, within six standard deviations")
        sink.stop()

        let stream = try one.transfer(300_000, to: other, port: 5001)
        #expect(stream.sent == stream.received)
        try Self.expectWarning(bed.b)
      }
    }

    /// One container on each host, with nothing else on the wire than what the test sends.
    private static func attachOverBadUnderlay(
      _ bed: Testbed
    ) throws -> (one: TestContainer, other: TestContainer) {
      bed.b.stop()
      let fault = "[[fault]]\ninterface = \"eth0\"\nloss = 10\nduplication = 2.5\nseed = 7\n"
      try bed.b.writeConfig(bed.b.config() + fault)
      let (one, other) = (try TestContainer(1), try TestContainer(101))
      for namespace in [bed.a.namespace, bed.b.namespace, one.namespace, other.namespace] {
        for scope in ["all", "default"] {
          try namespace.run("sysctl -qw net.ipv6.conf.\(scope).disable_ipv6=1")
        }
      }
      try bed.b.start()
      try bed.b.waitUntilResolved()
      let macs = (try bed.a.attach(one).mac, try bed.b.attach(other).mac)
      for (container, peer, mac) in [(one, other, macs.1), (other, one, macs.0)] {
        let interface = try #require(container.interface)
        try container.namespace.ip(
          "neigh replace \(peer.address) lladdr \(mac) dev \(interface) nud permanent")
      }
      // Both switches learn who is where; with 10 % loss one of several pings gets through.
      try one.namespace.run("ping -n -q -c 5 -i 0.05 -W 10 \(other.address)")
      try eventually("the pings are over") {
        let first = try counts(bed, one, other)
        Thread.sleep(forTimeInterval: 0.1)
        return try counts(bed, one, other) == first
      }
      return (one, other)
    }

    /// What both hosts and the receiving container count.
    private struct Counts: Equatable {
      /// Frames from the sending container, those that its port lost included.
      var left, missed: UInt64
      /// Frames that host A put on the wire and that host B took from it.
      var sent, arrived: UInt64
      /// What host B's port did to them.
      var lost, doubled: UInt64
      /// Frames that host B gave to the container, and datagrams that came to the program there.
      var delivered, read: UInt64

      /// Whether since `before` so many datagrams were sent, and each has its end.
      func isAtRest(since before: Counts, sent count: UInt64) -> Bool {
        left + missed - before.left - before.missed == count
          && sent - before.sent == left - before.left
          && arrived - before.arrived == sent - before.sent
          && delivered + lost - before.delivered - before.lost
            == arrived + doubled - before.arrived - before.doubled
          && read - before.read == delivered - before.delivered
      }
    }

    private static func counts(
      _ bed: Testbed, _ one: TestContainer, _ other: TestContainer
    ) throws -> Counts {
      let (a, b) = (try bed.a.status(), try bed.b.status())
      let left = try #require(a.ports.first { $0.kind == "container" })
      let delivered = try #require(b.ports.first { $0.kind == "container" })
      let out = try #require(a.port("eth0"))
      let into = try #require(b.port("eth0"))
      let lost = b.drops.first { $0.reason == "faultInjected" }?.frames ?? 0
      return Counts(
        left: left.received_frames, missed: left.kernel_drops.total, sent: out.sent_frames,
        arrived: into.received_frames + into.kernel_drops.total, lost: lost,
        doubled: b.frames.copied, delivered: delivered.sent_frames,
        read: try datagramsRead(in: other.namespace))
    }

    /// `InDatagrams`, the first number of UDP's second line.
    private static func datagramsRead(in namespace: TestNamespace) throws -> UInt64 {
      let lines = try namespace.run("cat /proc/net/snmp").split(separator: "\n")
      let numbers = lines.last { $0.hasPrefix("Udp:") }?.split(separator: " ")
      return try #require(numbers?.dropFirst().first.flatMap { UInt64($0) })
    }

    /// Nobody who looks can miss that the faults are on.
    private static func expectWarning(_ host: TestHost) throws {
      let log = host.weftd?.errors ?? ""
      #expect(
        log.split(separator: "\n").contains { $0.contains("warning") && $0.contains("loss 10 %") },
        "\(log)")
      let shown = try host.ask(["status"]).output
      #expect(shown.contains("FAULTS ON PURPOSE: loss 10 %, duplication 2.5 %, seed 7"))
    }

    // MARK: Programs

    private static func python(_ source: String, _ arguments: String...) -> [String] {
      ["timeout", "-k", "1", "40", "/usr/bin/python3", "-u", "-c", source] + arguments
    }

    /// Reads datagrams for ever, with room for all of them.
    private static let sink = """
      import socket, sys
      server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      server.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
      server.bind((sys.argv[1], 9))
      print('ready')
      while True:
          server.recv(2048)
      """

    /// Sends so many datagrams, a few at a time: on a busy machine a veth's ring may wait long.
    private static let source = """
      import socket, sys, time
      client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      client.connect((sys.argv[1], 9))
      for number in range(int(sys.argv[2])):
          client.send(number.to_bytes(8, 'big') * 8)
          if number % 10 == 9:
              time.sleep(0.005)
      """
  }
}
