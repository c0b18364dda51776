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
  /// Of the next sealed datagram of sleeve.
  private var number: UInt64 = 0
  /// The last one.
  private var sealed: [UInt8] = []

  /// The key of neighbour 2's sleeve; neighbour 1 seals nothing.
  package static let key = [UInt8](repeating: 0x42, count: 32)

  /// Frames for a switch made with default options and stations 0 to 5, which joined a mesh
  /// with `sleeveOptions`.
  package init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    inner = HostileFrames.innerFrames(&random)
    outer = inner.enumerated().map { DataplaneTestSupport.outer(from: $0.offset % 3, $0.element) }
    cruel = HostileFrames.cruelFrames(&random)
    mesh = HostileFrames.meshFrames(inner, &random)
  }

  /// How the switch joins its mesh: to neighbour 1 by VXLAN, to neighbour 2 by sealed sleeve.
  package static var sleeveOptions: SleeveOptions {
    var options = SleeveOptions()
    options.keys = [2: key]
    options.neighboursByVXLAN = [1]
    return options
  }

  /// The next frame for a port of one kind, which a few times is one for the other kind.
  package mutating func next(isOuter: Bool) -> [UInt8] {
    switch random.number(below: 24) {
    case 0..<3: return random.bytes(random.number(below: 8) == 0 ? random.number(below: 3000) : 60)
    case 3: return cruel[random.number(below: cruel.count)]
    default: break
    }
    let isSwapped = random.number(below: 16) == 0
    var bytes = isOuter != isSwapped ? nextOuter() : inner[random.number(below: inner.count)]
    switch random.number(below: 4) {
    case 0: bytes.removeLast(random.number(below: bytes.count))
    case 1: mutate(&bytes)
    default: break
    }
    return bytes
  }

  private mutating func nextOuter() -> [UInt8] {
    switch random.number(below: 4) {
    case 0: mesh[random.number(below: mesh.count)]
    case 1: nextDatagram()
    default: outer[random.number(below: outer.count)]
    }
  }

  /// A datagram of sleeve from a neighbour, or from somebody who is none.
  private mutating func nextDatagram() -> [UInt8] {
    let count = random.number(below: 16) == 0 ? 70 : random.number(below: 4)
    var records = (0..<count).map { _ in nextRecord(isShort: count > 4) }
    // As long as chunks have room for.
    while records.reduce(0, { $0 + $1.count }) > 3000 { records.removeLast() }
    let sender = random.number(below: 8)
    let name = HostileFrames.names[sender < 2 ? sender * 3 : 1 + sender % 2]
    var datagram = sleeveDatagram(from: name, records)
    if sender % 2 == 1 && sender > 1 {
      number += 1
      // Now and then one that was there before.
      if random.number(below: 2) == 0 && number > 1 { return sealed }
      datagram = sealedDatagram(
        from: name, records, key: HostileFrames.key, number: number,
        isFragmentable: random.number(below: 2) == 0, isOutbound: false)
      sealed = sleeveOuter(fromPeer: 2, datagram)
    }
    return sleeveOuter(fromPeer: 1 + random.number(below: 3), datagram)
  }

  private mutating func nextRecord(isShort: Bool) -> [UInt8] {
    let names = HostileFrames.names
    let (source, destination) = (random.number(below: 5), random.number(below: 10) % 5)
    var frame = inner[random.number(below: inner.count)]
    switch random.number(below: 8) {
    case 0: frame = random.bytes(random.number(below: 20))
    case 1: frame = zeroFrame(14 + random.number(below: 20))
    case 2: frame = sleeveHeartbeat(UInt64(number))
    default: if isShort { frame = Array(frame.prefix(14 + random.number(below: 10))) }
    }
    return sleeveRecord(
      from: names[source], to: names[random.number(below: 2) * destination], frame)
  }

  /// Of the switch, its three peers, and of nobody.
  private static let names = MemorySwitch.peerNames + [PeerName(bits: 0x99)]

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
    return inner.enumerated().map { index, inner in
      let frame = index % 16 == 0 ? vxlanHeartbeat(UInt64(index), length: 14 + index) : inner
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
    frames += (20..<70).map {
      builder.ipv4(protocolNumber: 50, payload: random.bytes($0))
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
