// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inet
import TestSupport
import Testing

extension RealHosts {
  /// Frames that nobody well-meaning sends, through real veths into ports of both kinds.
  @Suite struct HostileWireTests {
    private static let seed = UInt64.random(in: 0...UInt64(UInt32.max))

    /// Frames for each kind of port.
    private var frameCount: Int {
      ProcessInfo.processInfo.environment["WEFT_SOAK"] == "1" ? 100_000 : 1000
    }

    @Test(.timeLimit(.minutes(5))) func hostileFramesAreAllAccountedForAndOthersStillPass() throws {
      try Testbed.runWithKernel { host, kernel, pair in
        let before = try host.status().frames.received
        let good = try goodFrames(host, kernel, pair)
        let interface = try #require(pair.0.interface)
        let inner = try send(good.inner, interface, in: pair.0.namespace)
        let outer = try send(good.outer, "eth0", in: kernel.namespace)
        // The kernel refuses a few by itself, and keeps those on the underlay that are not ours.
        try #require(inner > frameCount / 2 && outer > frameCount / 2, "seed \(Self.seed)")
        try eventually("weftd has looked at most frames", within: .seconds(10)) {
          let status = try host.status()
          return status.frames.received >= before + UInt64((inner + outer) / 2)
            && status.dropsThatHappened.count >= 5
        }
        let status = try host.status()
        print("\(inner) and \(outer) hostile frames: \(status.dropsThatHappened)")
        #expect(status.dropsThatHappened.count >= 5, "seed \(Self.seed): \(status.drops)")
        try pair.0.pingUntilAnswered(pair.1)
        try pair.1.ping(pair.0)
      }
    }

    /// What the frames are made of: one for each port that would reach a container.
    private func goodFrames(
      _ host: TestHost, _ kernel: KernelHost, _ pair: (TestContainer, TestContainer)
    ) throws -> (inner: [[UInt8]], outer: [[UInt8]]) {
      let stations = [
        try station(pair.0.namespace, pair.0.interface, pair.0.address),
        try station(pair.1.namespace, pair.1.interface, pair.1.address),
      ]
      let hosts = [
        try station(host.namespace, "eth0", host.place.address),
        try station(kernel.namespace, "eth0", kernel.place.address),
      ]
      let toKernel = builder(from: stations[0], to: stations[1])
      let toHost = builder(from: stations[1], to: stations[0])
      let envelope = builder(from: hosts[1], to: hosts[0])
      let inner = [toKernel, toHost].flatMap { frames in
        [
          frames.udp(sourcePort: 7, destinationPort: 9, payload: [UInt8](repeating: 1, count: 40)),
          frames.tcp(sourcePort: 7, destinationPort: 9), frames.echoRequest(payload: [1, 2, 3]),
        ]
      }
      return (inner, inner.map { envelope.vxlan(network: 42, inner: $0) })
    }

    private func builder(
      from source: (MACAddress, IPv4Address), to destination: (MACAddress, IPv4Address)
    ) -> FrameBuilder {
      FrameBuilder(
        sourceMAC: source.0, destinationMAC: destination.0, source: source.1,
        destination: destination.1)
    }

    private func station(
      _ namespace: TestNamespace, _ interface: String?, _ address: String
    ) throws -> (MACAddress, IPv4Address) {
      let link = try namespace.links().first { $0["ifname"] as? String == interface }
      let mac = (link?["address"] as? String).flatMap { MACAddress($0) }
      return (try #require(mac), try #require(IPv4Address(address)))
    }

    /// Sends frames made of the good ones; returns how many the kernel took.
    private func send(
      _ good: [[UInt8]], _ interface: String, in namespace: TestNamespace
    ) throws -> Int {
      let words = good.map { frame in frame.map { octet in hexadecimal(octet) }.joined() }
      let output = try namespace.run(
        Peer.command("damage", [interface, "\(frameCount)", "\(Self.seed)"] + words),
        limit: .seconds(35))
      return try #require(Int(output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    private func hexadecimal(_ octet: UInt8) -> String {
      (octet < 16 ? "0" : "") + String(octet, radix: 16)
    }
  }
}
