// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RealHosts {
  /// `weft trace` of real frames.
  @Suite struct TraceTests {
    @Test(.timeLimit(.minutes(5))) func pingBetweenTwoHostsIsFollowedOnBoth() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        // Nothing but pings: a new interface announces itself to IPv6.
        for container in [one, other] {
          try container.namespace.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
        }
        try one.ping(other)
        let mac = try #require(try bed.a.attachments().first).mac
        let there = try bed.a.startTrace("-n", "4", "--mac", mac)
        let here = try bed.b.startTrace("-n", "4", "--mac", mac)
        try bed.a.waitUntilTraced()
        try bed.b.waitUntilTraced()
        try one.ping(other, count: 4)
        try expectPing(try there.answer(), inAt: one, of: bed.a, isSender: true)
        try expectPing(try here.answer(), inAt: other, of: bed.b, isSender: false)
      }
    }

    @Test(.timeLimit(.minutes(5))) func droppedFrameShowsItsReason() throws {
      try Testbed.run(containers: 1) { bed in
        let (one, other) = (bed.containersOfA[0], bed.containersOfB[0])
        try one.ping(other)
        let interface = try #require(one.interface)
        // Longer than fits the underlay with VXLAN, not longer than the kernel lets over a veth.
        try one.namespace.ip("link set \(interface) mtu 1454")
        let port = try #require(try bed.a.attachments().first).host_interface
        let mac = try #require(try bed.b.attachments().first).mac
        let trace = try bed.a.startTrace(
          "-n", "3", "--port", port, "--mac", mac, "--seconds", "30")
        try bed.a.waitUntilTraced()
        _ = try attempt(
          one.namespace.command(
            words("ping -n -q -c 3 -i 0.1 -W 1 -M do -s 1424 \(other.address)")))
        // An ARP probe may be among them.
        let frame = try #require(try trace.answer().first { $0.end == "dropped" })
        #expect(frame.drop_reason == "tooLongForUnderlay", "\(frame)")
        #expect(frame.port == port && frame.length == 1466)
        #expect(
          frame.steps.map(\.stage) == ["parse", "learn", "look up", "encapsulate", "end"])
      }
    }

    @Test(.timeLimit(.minutes(5))) func secondTraceIsRefusedUntilTheFirstOneGoesAway() throws {
      try Testbed.run(containers: 0) { bed in
        let first = try bed.a.startTrace("--mac", "02:00:00:00:00:99", "--seconds", "60")
        try bed.a.waitUntilTraced()
        let second = try bed.a.ask(["trace", "--seconds", "1"])
        #expect(second.status == 1 && second.errors.contains("another trace is under way"))
        let unknown = try bed.b.ask(["trace", "--port", "nowhere"])
        #expect(unknown.status == 1 && unknown.errors.contains("there is no port 'nowhere'"))
        first.process.stop(with: SIGKILL)
        try eventually("the trace of a client that went away ends", within: .seconds(10)) {
          try bed.a.ask(["trace", "--seconds", "1"]).status == 0
        }
      }
    }

    /// Requests and replies in turn, each with all stages; on the pinger's host requests come from
    /// the container and replies from the underlay, on the other host the other way round.
    private func expectPing(
      _ frames: [TraceJSON.Frame], inAt container: TestContainer, of host: TestHost, isSender: Bool
    ) throws {
      let port = try #require(try host.attachments().first).host_interface
      #expect(frames.count == 4)
      // The container's kernel may have said something else meanwhile.
      let ping = frames.filter { frame in
        frame.steps.contains { $0.stage == "parse" && $0.text.hasSuffix(" ICMP") }
      }
      let outward = ping.filter { $0.port == port }
      let inward = ping.filter { $0.port == "eth0" }
      #expect(!outward.isEmpty && !inward.isEmpty, "\(frames)")
      #expect(ping.first?.port == (isSender ? port : "eth0"))
      for frame in outward {
        #expect(frame.length == 98 && frame.end == "sent" && frame.kind == "container")
        #expect(frame.netns == container.namespace.path)
        #expect(
          frame.steps.map(\.stage) == ["parse", "learn", "look up", "encapsulate", "end"])
        #expect(frame.steps[2].text == "station at endpoint \(host.place.peer), VNI 42")
        #expect(frame.steps[3].text == "VXLAN to \(host.place.peer):4789, 148 bytes")
        #expect(frame.steps[4].text == "eth0")
      }
      for frame in inward {
        #expect(frame.length == 148 && frame.end == "sent" && frame.kind == "underlay")
        #expect(frame.steps.map(\.stage) == ["open", "parse", "learn", "look up", "end"])
        #expect(
          frame.steps[0].text == "VXLAN from \(host.place.peer), VNI 42, 98 bytes inside")
        #expect(frame.steps[4].text == "\(port) (\(container.namespace.name))")
      }
    }
  }
}

/// What the tests read of `weft trace --json`.
struct TraceJSON: Decodable {
  struct Step: Decodable {
    let stage: String
    let text: String
  }

  struct Frame: Decodable {
    let port: String
    let kind: String
    let netns: String?
    let length: Int
    let steps: [Step]
    let end: String
    let drop_reason: String?
  }

  let frames: [Frame]
}

/// A `weft trace` that runs beside the test.
struct RunningTrace {
  let process: RunningProcess

  /// Waits until it ends and returns its frames.
  func answer() throws -> [TraceJSON.Frame] {
    guard process.wait(.seconds(40)) == 0 else {
      throw TestbedError("'\(process.line)' failed: \(process.output)\(process.errors)")
    }
    return try JSONDecoder().decode(TraceJSON.self, from: Data(process.output.utf8)).frames
  }
}

extension TestHost {
  /// Waits until the first trace of this host is under way, of which weftd writes a line.
  func waitUntilTraced() throws {
    try weftd?.expect("info trace ")
  }

  /// Starts `weft trace --json`; it is not armed yet when this returns.
  func startTrace(_ arguments: String...) throws -> RunningTrace {
    RunningTrace(
      process: try RunningProcess(
        [try Programs.weft, "trace", "--json"] + arguments, environment: ["WEFT_SOCKET": socket]))
  }
}
