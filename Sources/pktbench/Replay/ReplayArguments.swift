// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Forwarding
import Inet

/// The address of one host.
struct ReplayAddress: ExpressibleByArgument {
  let address: IPv4Address

  init?(argument: String) {
    guard let address = IPv4Address(argument), address.isUnicast else { return nil }
    self.address = address
  }
}

/// `IN.pcap`, `IN.pcap,OUT.pcap` or `,OUT.pcap`.
struct ReplayFiles: ExpressibleByArgument, Equatable {
  /// What comes from the port; nil if nothing does.
  let input: String?
  /// What gets the frames sent through it; nil if they are only counted.
  let output: String?

  init?(argument: String) {
    let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard names.count <= 2 else { return nil }
    input = names[0].isEmpty ? nil : names[0]
    output = names.count < 2 || names[1].isEmpty ? nil : names[1]
    if input == nil && output == nil { return nil }
  }
}

/// `ADDRESS:VNI`.
struct ReplayEndpoint: ExpressibleByArgument {
  let endpoint: ReplaySwitch.Endpoint

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv4Address(String(parts[0])), address.isUnicast,
      let network = UInt32(parts[1]), (1...0xFF_FFFF).contains(network)
    else { return nil }
    endpoint = ReplaySwitch.Endpoint(
      address: address, network: VirtualNetwork(bits: network))
  }
}

/// `loss=1,seed=7`: rates in percent and where the random numbers start.
struct ReplayFaults: ExpressibleByArgument {
  let settings: FaultSettings

  init?(argument: String) {
    var settings = FaultSettings(seed: 1)
    var seen: Set<Substring> = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, seen.insert(sides[0]).inserted else { return nil }
      if sides[0] == "seed" {
        guard let seed = UInt64(sides[1]) else { return nil }
        settings.seed = seed
      } else {
        guard let kind = ReplayFaults.kinds[sides[0]], let percent = Double(sides[1]),
          (0...100).contains(percent)
        else { return nil }
        settings[keyPath: kind] = UInt32((percent * 10_000).rounded())
      }
    }
    self.settings = settings
  }

  private static var kinds: [Substring: WritableKeyPath<FaultSettings, UInt32>] {
    [
      "loss": \.loss, "duplication": \.duplication, "reordering": \.reordering,
      "corruption": \.corruption, "truncation": \.truncation,
    ]
  }
}
