// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import TestSupport
import Testing

/// Whom the machine dials, and what it makes of who answers.
@Suite struct ConnectionMakerTests {
  @Test func discoveredAddressIsDialledAndItsPeerMustBeKnown() throws {
    var bench = MachineBench()
    let two = bench.join(2)
    let connections = [
      MachineBench.connection(to: 1), MachineBench.connection(to: 9, address: "10.0.0.9:7777"),
      MachineBench.connection(to: 8, address: "10.0.0.8:50000", isOutbound: false),
    ]
    try bench.describe(2, connections: connections, on: two)
    bench.wait(.seconds(1))
    let addresses = bench.dials.map(\.address)
    #expect(addresses == [MachineNetwork.address(8), MachineNetwork.address(9, port: 7777)])
    bench.answer(7, bench.dials[0])
    #expect(bench.refusals == ["unknown_peer": 1])
    bench.answer(9, bench.dials[1])
    #expect(bench.report.connections.compactMap(\.peer).count == 2)
  }

  @Test func userMayMeetAnybody() {
    var bench = MachineBench()
    bench.give(.connect([MachineNetwork.target(5)], isReplacing: false))
    bench.answer(7, bench.dials[0])
    #expect(bench.report.connections.compactMap(\.peer) == [MachineNetwork.name(7)])
  }

  @Test func addressesThatNobodyCanHaveAreNotDialled() throws {
    var bench = MachineBench()
    let two = bench.join(2)
    let addresses = [
      "", ":", "10.0.0.9", "10.0.0.9:", "10.0.0.9:0", "10.0.0.9:65536", "300.0.0.9:1", "::1:6783",
      "[::1]:6783", "127.0.0.1:22", "0.0.0.0:6783", "224.0.0.1:6783", "255.255.255.255:6783",
      "host:6783", String(repeating: "9", count: 70_000),
    ]
    let connections = addresses.enumerated().map { index, address in
      MachineBench.connection(to: UInt8(100 + index), address: address)
    }
    try bench.describe(2, connections: connections, on: two)
    bench.wait(.seconds(5))
    #expect(bench.dials.isEmpty)
    #expect(!bench.closed.contains(two))
  }

  @Test func inventedPeersDoNotMakeUsDialWithoutEnd() throws {
    var bench = MachineBench()
    let two = bench.join(2)
    let connections = (0..<5000).map { number in
      PeerDescription.Connection(
        peer: PeerName(bits: UInt64(0x1000 + number)),
        address: "10.1.\(number / 250).\(1 + number % 250):6783", isOutbound: true,
        isEstablished: true)
    }
    try bench.describe(2, connections: connections, on: two)
    bench.wait(.seconds(1))
    #expect(bench.dials.count == 64)
    // The user's wish comes first all the same.
    bench.give(.connect([MachineNetwork.target(5)], isReplacing: false))
    bench.give(.dialFailed(bench.dials[0].link, reason: "no way"))
    #expect(bench.dials.map(\.address).last == MachineNetwork.address(5))
    #expect(bench.report.connections.count <= 1024 + 2)
  }

  @Test func targetWithoutPortIsNotDialledWhileItsHostIsConnected() {
    var bench = MachineBench()
    let link = bench.join(2)
    bench.give(.connect([MachineNetwork.target(2)], isReplacing: false))
    bench.wait(.seconds(40))
    #expect(bench.dials.isEmpty)
    #expect(bench.report.connections.count == 1)
    bench.give(.closed(link, reason: "gone"))
    #expect(bench.dials.map(\.address) == [MachineNetwork.address(2)])
  }

  @Test func connectionThatLivedAMinuteIsDialledAtOnce() throws {
    var bench = MachineBench()
    bench.give(.connect([MachineNetwork.target(2)], isReplacing: false))
    bench.answer(2, bench.dials[0])
    bench.wait(.seconds(59))
    bench.give(.closed(bench.dials[0].link, reason: "gone"))
    #expect(bench.dials.count == 1)
    bench.wait(.seconds(3))
    #expect(bench.dials.count == 2)
    bench.answer(2, bench.dials[1])
    for _ in 0..<3 {
      bench.wait(.seconds(25))
      try bench.say(.heartbeat, [], on: bench.dials[1].link)
    }
    bench.give(.closed(bench.dials[1].link, reason: "gone"))
    #expect(bench.dials.count == 3)
  }

  @Test func answerThatNobodyWaitsForIsClosed() {
    var bench = MachineBench()
    let link = LinkIdentifier(77)
    bench.give(
      .dialed(link, remote: MachineNetwork.address(2), local: MachineNetwork.address(1)))
    #expect(bench.closed == [link])
    bench.give(.dialFailed(link, reason: "late"))
    bench.give(.closed(link, reason: "late"))
    bench.give(.received(link, [1, 2, 3]))
    #expect(bench.report.connections.isEmpty && bench.refusals.isEmpty)
  }

  @Test func lineBudgetIsRenewedEachSecond() {
    var notes = NoteLimiter()
    let start = MeshInstant(nanoseconds: 5)
    func admitted(_ count: Int, _ cause: NoteLimiter.Cause, after: Duration) -> [Int?] {
      (0..<count).map { _ in notes.admit(cause, now: start.advanced(by: after)) }
    }
    #expect(admitted(100, .peers, after: .zero).count { $0 != nil } == 20)
    #expect(admitted(1, .strangers, after: .zero) == [0])
    #expect(admitted(1, .peers, after: .milliseconds(999)) == [nil])
    #expect(admitted(1, .peers, after: .milliseconds(1001)) == [81])
    #expect(admitted(1, .peers, after: .milliseconds(1999)) == [nil])
    #expect(admitted(100, .peers, after: .seconds(86_400)).count { $0 != nil } == 20)
  }
}
