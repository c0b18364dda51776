// SPDX-License-Identifier: Apache-2.0

import CaptureSupport
import Gob
import Inet
import Mesh
import Testing

/// What two real Weave routers said to each other, said to a machine instead.
///
/// In clear, what one end says does not depend on the other end's numbers, so that each half of a
/// recorded session makes a peer of its own.
@Suite struct RecordedMachineTests {
  @Test(arguments: [true, false])
  func weaveRouterIsUnderstoodAndPassedOn(isFromClient: Bool) throws {
    let session = try #require(try Capture(named: "weave-v2-plain").sessions.first)
    let ends = [PeerName(bits: 0x0200_0000_000B), PeerName(bits: 0x0200_0000_000A)]
    let (router, own) = isFromClient ? (ends[0], ends[1]) : (ends[1], ends[0])
    var bench = MachineBench { $0.name = own }
    let player = bench.join(3)
    try bench.describe(
      3, connections: [.init(peer: own, address: "", isOutbound: true, isEstablished: true)],
      on: player)
    let link = meet(&bench, isDialed: !isFromClient)
    var elapsed = 0
    for piece in session.pieces where piece.isFromClient == isFromClient {
      bench.wait(.microseconds(max(0, min(piece.microseconds, 50_000_000) - elapsed)))
      elapsed = max(elapsed, min(piece.microseconds, 50_000_000))
      bench.give(.received(link, piece.bytes))
    }
    #expect(!bench.closed.contains(link))
    let report = bench.report
    let line = try #require(report.connections.first { $0.peer == router })
    #expect(line.nickname == (isFromClient ? "hostB" : "hostA"))
    #expect(report.counts.unknownMessages == 0 && report.counts.gossipReceived > 5)
    let peer = try #require(report.peers.first { $0.name == router })
    #expect(peer.version >= 2 && peer.shortID != nil)
    #expect(peer.connections.map(\.peer) == [own])
    // The player hears all of it that is not for the machine alone.
    let heard = bench.takeHeard(on: player)
    let envelopes = try heard.map { try GossipEnvelope(gob: $0.payload, isUnicast: false) }
    #expect(Set(envelopes.map(\.channel)) == ["IPallocation", "nameserver"])
    for (message, envelope) in zip(heard, envelopes) {
      #expect(envelope.source == (message.tag == .gossipBroadcast ? router : own))
    }
    #expect(heard.contains { $0.tag == .gossipBroadcast })
  }

  /// A session with the router, which dials or is dialled.
  private func meet(_ bench: inout MachineBench, isDialed: Bool) -> LinkIdentifier {
    guard isDialed else { return bench.accept(from: 11) }
    bench.give(.connect([MachineNetwork.target(10)], isReplacing: false))
    let link = bench.dials[0].link
    let local = MachineNetwork.address(1, port: 40_000)
    bench.give(.dialed(link, remote: MachineNetwork.address(10), local: local))
    return link
  }
}
