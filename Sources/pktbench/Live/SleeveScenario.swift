// SPDX-License-Identifier: Apache-2.0

import Foundation
import Sealing

/// Sleeve between two hosts, plain and sealed, beside Weave Net's own and other tunnels.
enum SleeveScenario: Scenario {
  static let description = ScenarioDescription(
    name: "sleeve", abstract: "Weave Net's sleeve between containers of two hosts.",
    method: """
      The same rooms as of `stream`, but both hosts are peers and frames travel by sleeve, in the \
      datagrams of Weave Net's wire: plain ("sleeve") and sealed with NaCl's secretbox \
      ("sleeve.sealed"). TX checksums, TSO, GSO and GRO are off at the containers and on the wire.

      A size of 64 has 512 flows of frames sent from the first core, through an AF_XDP socket at \
      the first container; an XDP program counts them at the second one. Each side is sent to at \
      the pace at which the most arrives: 5,000 in a second, doubled as long as more arrives, up \
      to 160,000 and then as fast as goes. Both hosts' workers have the second core. A larger \
      size is one TCP stream whose MTU is --size without its 14 bytes of Ethernet, as in `stream`.

      "vxlan" is our own VXLAN, beside the plain one only. "weave" are two real Weave Net routers, \
      with the same encryption, in the hosts' rooms: WEAVE_ROUTER names the program. Beside the \
      sealed ones there is also what two hosts of ours agree on, sleeve sealed with AES-256-GCM \
      ("sleeve.aes256gcm"), if this processor has it. "xdp" sets VXLAN through the kernel's UDP \
      sockets with segmentation ("sockets") beside VXLAN through AF_XDP, in TCP; for this one, on \
      both sides alike, the wire's offloads are on and the containers' ends are as `weft attach` \
      makes them, without checksums and TSO but with GSO and GRO. "wireguard-go" and "nebula" are \
      Debian's programs of these names beside the sealed one, in TCP; they route packets, where we \
      switch frames.

      FORWARDER NS and PER CPU SECOND are those of `encrypted`. Workers' frames must add up. What \
      was dropped where stands in the progress.
      """,
    sizes: NumberSetting(range: 60...1428, fallback: [64, 1428], unit: "bytes"), entries: nil,
    competitors: ["weave", "vxlan", "xdp", "wireguard-go", "nebula"],
    usualCompetitors: WeaveProgram.path == nil ? ["vxlan"] : ["weave", "vxlan"], pairs: 5,
    seconds: 2, needsRoot: true)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let cores = try LaboratoryCores.available()
    var measures: [Measure] = []
    for size in plan.sizes {
      for (ours, theirs) in contests(plan.against, size: size) {
        try run.check()
        let contest = HostContest(size: size, plan: plan, run: run, cores: cores)
        measures.append(try contest.measure(ours, theirs))
      }
    }
    return measures
  }

  /// What is measured beside what.
  static func contests(
    _ against: [String], size: Int
  ) -> [(ours: HostJoint, theirs: HostJoint?)] {
    let both: [CipherSuite?] = [nil, .secretbox]
    guard !against.isEmpty else { return both.map { (.sleeve($0), nil) } }
    return against.flatMap { name -> [(HostJoint, HostJoint?)] in
      switch name {
      case "weave":
        (both + CipherSuite.available.filter { $0 == .aes256gcm }).map {
          (.sleeve($0), .weave(isSealed: $0 != nil))
        }
      case "vxlan": [(.sleeve(nil), .vxlan)]
      case _ where size < HostContest.streamSizeMin: []
      case "xdp": [(.sockets, .offloadedXDP)]
      default: [(.sleeve(.secretbox), .routed(name))]
      }
    }
  }
}

/// The Weave Net router to measure beside ours, which is not part of this project.
enum WeaveProgram {
  static let path = ProcessInfo.processInfo.environment["WEAVE_ROUTER"]
}
