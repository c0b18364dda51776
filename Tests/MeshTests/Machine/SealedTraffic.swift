// SPDX-License-Identifier: Apache-2.0

import Inet
@testable import Mesh
import Sealing
import TestSupport
import Testing

/// Frames on their way between the hosts of a network: each is sealed with the key of the moment
/// when it is sent, and has to be opened when it arrives.
struct SealedTraffic {
  private struct Packet {
    let due: MeshInstant
    let from: UInt8
    let to: UInt8
    let overlay: OverlayKind
    let key: FrameKey
    let connectionUID: UInt64
  }

  private var packets: [Packet] = []
  private var random: SeededGenerator
  private(set) var openedCount = 0
  /// Keys that were used.
  private(set) var keys: Set<FrameKey> = []

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// Lets time pass while frames travel between all of these hosts, which are neighbours.
  mutating func run(
    _ network: inout MachineNetwork, for duration: Duration, among numbers: [UInt8],
    every pause: Duration = .milliseconds(50)
  ) {
    let end = network.now.advanced(by: duration)
    while network.now < end {
      network.run(for: pause)
      arrive(network)
      for number in numbers {
        for other in numbers where other != number { send(network, from: number, to: other) }
      }
    }
  }

  private mutating func send(_ network: MachineNetwork, from number: UInt8, to other: UInt8) {
    let forwarding = network.read(number)
    let name = MachineNetwork.name(other)
    guard let neighbour = forwarding?.neighbours.first(where: { $0.name == name }),
      neighbour.chosen == .fastdp
    else {
      Issue.record("host \(number) has no way to \(other), \(random)")
      return
    }
    for overlay in OverlayKind.allCases {
      guard let key = forwarding?.link(to: other, overlay)?.security?.sealing else {
        Issue.record("host \(number) has no key of \(overlay) to \(other), \(random)")
        continue
      }
      keys.insert(key)
      packets.append(
        Packet(
          due: network.now.advanced(by: .milliseconds(random.number(below: 300))), from: number,
          to: other, overlay: overlay, key: key, connectionUID: neighbour.connectionUID))
    }
  }

  private mutating func arrive(_ network: MachineNetwork) {
    for packet in packets where packet.due <= network.now {
      if network.read(packet.to)?.opens(packet.key, from: packet.from, packet.overlay) == true {
        openedCount += 1
      } else {
        Issue.record("a frame from \(packet.from) to \(packet.to) is lost, \(random)")
      }
    }
    packets.removeAll { $0.due <= network.now }
  }
}
