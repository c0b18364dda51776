// SPDX-License-Identifier: Apache-2.0

import Sealing

/// VXLAN in ESP between two hosts, beside our other ways and other encrypted tunnels.
enum EncryptedScenario: Scenario {
  static let description: ScenarioDescription = {
    var description = base
    description.wireMTU = NumberSetting(
      range: TwoHosts.usualWireMTU...65_535, fallback: [TwoHosts.usualWireMTU], unit: "bytes")
    return description
  }()

  private static let base = ScenarioDescription(
    name: "encrypted", abstract: "Encrypted VXLAN between containers of two hosts.",
    method: """
      The same rooms as of `sleeve`, but frames travel as VXLAN in ESP with AES-256-GCM, as \
      between peers with a password and fast datapath. A size of 64 is single frames, a larger one \
      is one TCP stream, both as in `sleeve`. For a stream, the containers' MTU is what the tunnel \
      in question fits into the wire: over 1500 bytes in frames 1430 for ESP, 1464 for plain \
      VXLAN, 1428 for sealed sleeve and 1434 for the others, if --size is not less. --wire-mtu \
      makes the wire's packets longer, and with them the longest --size, which is then the usual \
      one of the stream.

      FORWARDER NS is what the workers of both hosts together worked for a frame; of a stream, for \
      as many bytes as fill a packet, acknowledgements included. PER CPU SECOND is frames or bytes \
      for each second of processor time of the whole machine, sender and receiver included.

      "vxlan" is our own VXLAN in clear. "sleeve" is our own sleeve sealed with secretbox, \
      "sleeve-aes256gcm" and "sleeve-chacha20poly1305" are the same with other suites. \
      "wireguard-go" and "nebula" are Debian's programs of these names, in TCP only; they route \
      packets, where we switch frames.

      Workers' frames must add up. What was dropped where stands in the progress.
      """,
    sizes: NumberSetting(range: 60...1464, fallback: [64, 1464], unit: "bytes"), entries: nil,
    competitors: [
      "vxlan", "sleeve", "sleeve-aes256gcm", "sleeve-chacha20poly1305", "wireguard-go", "nebula",
    ],
    usualCompetitors: ["vxlan", "sleeve"], pairs: 5, seconds: 2, needsRoot: true)

  static func measure(_ plan: ScenarioPlan, in run: ScenarioRun) throws -> [Measure] {
    let cores = try LaboratoryCores.available()
    var measures: [Measure] = []
    for size in plan.sizes {
      let contest = HostContest(size: size, plan: plan, run: run, cores: cores)
      if plan.against.isEmpty { measures.append(try contest.measure(.esp, nil)) }
      for theirs in plan.against.compactMap({ competitor($0, size: size) }) {
        try run.check()
        measures.append(try contest.measure(.esp, theirs))
      }
    }
    return measures
  }

  /// The competitor of this name; nil if it takes no part at this size.
  private static func competitor(_ name: String, size: Int) -> HostJoint? {
    switch name {
    case "vxlan": .vxlan
    case "sleeve": .sleeve(.secretbox)
    case "sleeve-aes256gcm": .sleeve(.aes256gcm)
    case "sleeve-chacha20poly1305": .sleeve(.chacha20poly1305)
    default: size < HostContest.streamSizeMin ? nil : .routed(name)
    }
  }
}
