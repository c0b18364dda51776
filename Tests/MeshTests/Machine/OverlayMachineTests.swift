// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import TestSupport
import Testing

/// Overlays as the machine runs them, and as its neighbours see it.
@Suite struct OverlayMachineTests {
  private func meshed(
    password: String? = nil, _ configure: (inout MeshMachine.Options) -> Void = { _ in }
  ) -> MachineNetwork {
    var network = MachineNetwork(seed: 2)
    network.add(1, password: password)
    network.add(2, password: password, configure)
    network.connect(1, to: 2)
    #expect(network.run(atMost: .seconds(10)) { $0.isFullMesh([1, 2]) })
    network.run(for: .seconds(5))
    return network
  }

  private func neighbour(
    of number: UInt8, _ network: MachineNetwork
  ) throws -> MeshForwarding.Neighbour {
    try #require(network.hosts[number]?.machine.forwarding.neighbours.first)
  }

  @Test func vxlanNeedsBothEnds() throws {
    let network = meshed { $0.overlays = [.sleeve] }
    for number: UInt8 in [1, 2] {
      let neighbour = try neighbour(of: number, network)
      #expect(neighbour.fastdp == nil && neighbour.chosen == .sleeve)
      #expect(neighbour.sleeve?.mayFragment == true)
    }
  }

  @Test func changeOfTheOverlayIsWrittenAndReported() throws {
    var network = meshed()
    #expect(network.notes(1, "overlay changed").count <= 1)
    let before = network.notes(1, "overlay changed").count
    network.blockedOverlays = [.fastdp]
    network.run(for: .seconds(10))
    let note = try #require(network.notes(1, "overlay changed").last)
    #expect(
      note
        == MeshNote(
          .info, "overlay changed",
          [
            "peer": MachineNetwork.name(2).description, "from": "fastdp", "to": "sleeve",
            "reason": "nothing came by fastdp for 8 s",
          ]))
    let line = try #require(network.report(1).connections.first)
    #expect(line.overlay == "sleeve" && line.attributes["name"] == "sleeve")
    #expect(line.overlayReason == "nothing came by fastdp for 8 s")
    #expect(try neighbour(of: 1, network).chosen == .sleeve)
    network.blockedOverlays = []
    network.run(for: .seconds(3))
    #expect(try neighbour(of: 2, network).chosen == .fastdp)
    #expect(network.notes(1, "overlay changed").count == before + 2)
    #expect(network.report(1).counts.terminations == 0)
  }

  @Test func linkIsKnownFromTheFirstProbeOn() throws {
    var bench = MachineBench()
    let link = bench.join(3) { $0.overlays = ["fastdp", "sleeve"] }
    let early = try #require(bench.machine.forwarding.neighbours.first)
    #expect(early.chosen == nil && early.fastdp?.isWorking == false)
    #expect(
      early.sleeve?.remote == nil && early.connectionUID == bench.players[link]?.connectionUID)
    #expect(bench.probes.map(\.overlay) == [.fastdp])
    let now = bench.now
    let player = try #require(bench.players[link])
    let beat = OverlaySpecial(
      overlay: .sleeve, peer: MachineNetwork.name(3), source: MachineNetwork.address(3),
      frameLength: 22,
      content: .heartbeat(connectionUID: player.connectionUID, announcedLength: 0))
    let effects = bench.machine.handle(.special(beat), now: now)
    let told = try #require(effects.firstIndex(of: .forwardingChanged))
    let sent = try #require(
      effects.firstIndex { if case .probe = $0 { true } else { false } })
    #expect(told < sent)
    #expect(bench.machine.forwarding.neighbours.first?.sleeve?.remote == beat.source)
  }

  @Test func routersAndUnderlayNarrowAllLinksToAHost() throws {
    var network = meshed(password: "secret")
    let router = MeshInput.datagramTooLong(
      destination: MachineNetwork.address(2, port: 9), pathMTU: 1300)
    network.deafHosts = [2]
    network.give(router, to: 1)
    #expect(try neighbour(of: 1, network).sleeve?.datagramLengthMax == 1472)
    network.run(for: .milliseconds(400))
    #expect(try neighbour(of: 1, network).sleeve?.datagramLengthMax == 1272)
    network.deafHosts = []
    network.run(for: .seconds(1))
    // The path is as it was.
    #expect(try neighbour(of: 1, network).sleeve?.datagramLengthMax == 1472)
    let stranger = MeshInput.datagramTooLong(
      destination: MachineNetwork.address(9), pathMTU: 1300)
    network.give(stranger, to: 1)
    #expect(try neighbour(of: 1, network).sleeve?.datagramLengthMax == 1472)
    network.give(.underlayMTU(1200), to: 1)
    #expect(try neighbour(of: 1, network).sleeve?.datagramLengthMax == 1172)
  }

  @Test func overlayMTUIsTheLengthOfHeartbeats() throws {
    var bench = MachineBench()
    let link = bench.join(3) { $0.overlays = ["fastdp", "sleeve"] }
    #expect(bench.probes.map(\.frameLength) == [1390])
    bench.give(.overlayMTU(8000))
    bench.wait(.milliseconds(600))
    #expect(bench.probes.last?.frameLength == 8014)
    bench.beat(.fastdp, on: link)
    #expect(bench.machine.forwarding.neighbours.first?.fastdp?.frameLengthMax == 1390)
  }

  @Test func peerThatFlapsWritesFewLines() throws {
    var bench = MachineBench()
    let link = bench.join(3) {
      $0.overlays = ["fastdp", "sleeve"]
      $0.extensions = ["lively"]
    }
    for overlay in OverlayKind.allCases { bench.beat(overlay, on: link) }
    try bench.say(.overlayControl, [1, 1], on: link)
    let before = bench.notes.count
    for _ in 0..<1000 {
      try bench.say(.overlayControl, [0, 0], on: link)
      try bench.say(.overlayControl, [0, 0x80], on: link)
    }
    #expect(bench.report.connections.first?.overlay == "sleeve")
    #expect(bench.notes.count - before == 10)
  }
}
