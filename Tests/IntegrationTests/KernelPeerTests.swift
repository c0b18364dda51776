// SPDX-License-Identifier: Apache-2.0

import Testing

extension RealHosts {
  /// Host B is the Linux kernel: `type vxlan`, a bridge, no weftd.
  @Suite struct KernelPeerTests {
    @Test(.timeLimit(.minutes(5))) func kernelAndWeftPingEachOther() throws {
      try Testbed.runWithKernel { _, _, pair in
        try pair.0.ping(pair.1, count: 20)
        try pair.1.ping(pair.0, count: 20)
      }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [64, 1350])
    func datagramsComeBackUnchangedFromAndToTheKernel(size: Int) throws {
      try Testbed.runWithKernel { _, _, pair in
        for (client, server) in [(pair.0, pair.1), (pair.1, pair.0)] {
          let echo = try server.serve("echo", server.address, "7")
          try client.play("ask", server.address, "7", "\(size)", "200")
          echo.stop()
        }
      }
    }

    @Test(.timeLimit(.minutes(5))) func streamsArriveUnchangedFromAndAtTheKernel() throws {
      try Testbed.runWithKernel { _, _, pair in
        let there = try pair.0.transfer(transferLength, to: pair.1, port: 5001)
        #expect(there.sent == there.received)
        let back = try pair.1.transfer(transferLength, to: pair.0, port: 5001)
        #expect(back.sent == back.received)
      }
    }

    @Test(.timeLimit(.minutes(5))) func tsharkFindsNothingWrongOnTheWire() throws {
      try Testbed.runWithKernel { _, kernel, pair in
        let capture = try Capture("eth0", in: kernel.namespace)
        try pair.0.ping(pair.1, count: 20)
        let echo = try pair.1.serve("echo", pair.1.address, "7")
        for size in [64, 1350] { try pair.0.play("ask", pair.1.address, "7", "\(size)", "50") }
        echo.stop()
        _ = try pair.0.transfer(1_000_000, to: pair.1, port: 5001)
        _ = try pair.1.transfer(1_000_000, to: pair.0, port: 5001)
        capture.stop()
        try judge(capture)
      }
    }

    /// RFC 7348, section 5: the outer headers; what is inside is as its sender made it.
    private func judge(_ capture: Capture) throws {
      let ours = "udp.dstport == 4789 && ip.src == 192.0.2.1"
      let fields = ["vxlan.vni", "udp.checksum", "ip.flags.df", "udp.srcport", "vxlan.flags"]
      let frames = try capture.frames(ours, fields: fields)
      #expect(frames.count > 500, "the capture has too few of our frames to judge")
      for frame in frames {
        let values = frame.split(separator: "\t", omittingEmptySubsequences: false)
        guard values.count == fields.count, values[0] == "42", values[1] == "0x0000",
          ["1", "True"].contains(values[2]), let port = UInt16(values[3]), port >= 49_152,
          values[4] == "0x0800"
        else {
          Issue.record("an outer header is wrong: \(fields) are \(values)")
          return
        }
      }
      let faults = [
        "_ws.malformed", "_ws.short", "ip.checksum.status == \"Bad\"",
        "udp.checksum.status == \"Bad\"", "tcp.checksum.status == \"Bad\"",
        "icmp.checksum.status == \"Bad\"", "ip.flags.mf == 1 || ip.frag_offset > 0",
      ]
      for fault in faults {
        let found = try capture.frames(fault, fields: ["frame.number", "_ws.col.Info"])
        #expect(found.isEmpty, "\(found.count) frames with \(fault), like \(found.prefix(3))")
      }
      // Otherwise "no checksum is bad" could mean that none was looked at.
      for good in ["ip", "tcp", "udp"] {
        let verified = try capture.frames("\(good).checksum.status == \"Good\" && \(ours)")
        #expect(verified.count > 50, "tshark verified too few \(good) checksums")
      }
    }
  }
}
