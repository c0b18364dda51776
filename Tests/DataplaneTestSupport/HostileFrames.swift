// SPDX-License-Identifier: Apache-2.0

import Inet
package import TestSupport

/// Good frames, garbage, frames that were cut off and frames with some bytes changed.
///
/// Good frames are built once and copied, so that millions can be drawn in seconds.
package struct HostileFrames {
  /// What the choices follow from.
  package var random: SeededGenerator
  private let inner: [[UInt8]]
  private let outer: [[UInt8]]
  private let cruel: [[UInt8]]
  /// By peer, packets of the mesh from there, from anywhere and for anybody.
  private let mesh: [[UInt8]]

  /// Frames for a switch made with default options and stations 0 to 5, which joined a mesh.
  package init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    inner = HostileFrames.innerFrames(&random)
    outer = inner.enumerated().map { DataplaneTestSupport.outer(from: $0.offset % 3, $0.element) }
    cruel = HostileFrames.cruelFrames(&random)
    mesh = HostileFrames.meshFrames(inner, &random)
  }

  /// The next frame for a port of one kind, which a few times is one for the other kind.
  package mutating func next(isOuter: Bool) -> [UInt8] {
    switch random.number(below: 24) {
    case 0..<3: return random.bytes(random.number(below: 8) == 0 ? random.number(below: 3000) : 60)
    case 3: return cruel[random.number(below: cruel.count)]
    default: break
    }
    let isSwapped = random.number(below: 16) == 0
    let isMesh = random.number(below: 3) == 0
    let frames = isOuter != isSwapped ? (isMesh ? mesh : outer) : inner
    var bytes = frames[random.number(below: frames.count)]
    switch random.number(below: 4) {
    case 0: bytes.removeLast(random.number(below: bytes.count))
    case 1: mutate(&bytes)
    default: break
    }
    return bytes
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    for _ in 0...random.number(below: 4) {
      bytes[random.number(below: min(bytes.count, 80))] = UInt8(random.number(below: 256))
    }
    guard random.number(below: 2) == 0 else { return }
    repairChecksum(&bytes)
  }

  /// Makes the IPv4 checksum right, or else little behind it would ever be reached.
  private func repairChecksum(_ bytes: inout [UInt8]) {
    let length = bytes.count > 14 ? 4 * Int(bytes[14] & 0xF) : 0
    guard length >= 20, bytes.count >= 14 + length else { return }
    bytes[24] = 0
    bytes[25] = 0
    let checksum = internetChecksum(Array(bytes[14..<14 + length]))
    bytes[24] = UInt8(checksum >> 8)
    bytes[25] = UInt8(checksum & 0xFF)
  }

  private static func meshFrames(
    _ inner: [[UInt8]], _ random: inout SeededGenerator
  ) -> [[UInt8]] {
    let numbers = MemorySwitch.meshShortIDs + [0, 0xFFF]
    return inner.map { frame in
      let network = meshNetwork(
        from: numbers[random.number(below: 6)],
        to: numbers[random.number(below: 2) * random.number(below: 6)])
      return meshOuter(fromPeer: random.number(below: 4), frame, network: network)
    }
  }

  /// Between stations known and unknown, short, and now and then too long for every port.
  private static func innerFrames(_ random: inout SeededGenerator) -> [[UInt8]] {
    (0..<256).map { number in
      let length = number % 20 == 0 ? 1600 : random.number(below: 200)
      return frame(
        from: random.number(below: 8), to: random.number(below: 8), payloadLength: length)
    }
  }

  /// What no mutation of a good frame is likely to give.
  private static func cruelFrames(_ random: inout SeededGenerator) -> [[UInt8]] {
    var frames = (0..<14).map { DataplaneTestSupport.outer(from: 0, random.bytes($0)) }
    let builder = FrameBuilder(
      sourceMAC: hopMAC(0), source: endpointAddress(0), destination: MemorySwitch.ownAddress)
    frames += builder.fragments(
      size: 64, sourcePort: 1, destinationPort: 4789, payload: random.bytes(99))
    var optional = builder
    for length in stride(from: 4, through: 40, by: 4) {
      optional.options = random.bytes(length)
      frames.append(optional.vxlan(network: MemorySwitch.network, inner: frame(from: 4, to: 0)))
    }
    var group = FrameBuilder(sourceMAC: MACAddress(bits: 0x0100_5E00_0001))
    frames.append(group.arpRequest())
    group.sourceMAC = stationMAC(0)
    frames.append(group.arpRequest())
    frames.append(DataplaneTestSupport.outer(from: 0, group.arpRequest()))
    // An envelope within an envelope, and one that we would send.
    frames.append(DataplaneTestSupport.outer(from: 0, DataplaneTestSupport.outer(from: 1, [])))
    frames.append(DataplaneTestSupport.outer(to: 0, frame(from: 0, to: 4), sourcePort: 1))
    return frames
  }
}
