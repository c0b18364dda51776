// SPDX-License-Identifier: Apache-2.0

import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Routing
import TestSupport
import Testing

/// Every reason for which a worker drops frames.
struct DropReasonTests {
  // Frames in pieces, and what is to be sealed, are in tests of their own.
  @Test(
    arguments: DropReason.allCases.filter {
      ![.piecesMissing, .keyMissing].contains($0)
    })
  func dropIsCountedUnderItsReasonAloneAndTheChunkComesBack(reason: DropReason) throws {
    let (bridge, count) = try provoked(reason)
    let account = try bridge.account
    for other in DropReason.allCases {
      #expect(account.dropped(other) == (other == reason ? count : 0), "\(other)")
    }
    #expect(account.isBalanced)
    _ = bridge.drain()
    bridge.worker.breathe(times: 1)
    #expect(bridge.knownChunkCount == bridge.options.frameCount)
  }

  /// A switch in which `reason` ended the returned number of frames, and nothing else any.
  private func provoked(_ reason: DropReason) throws -> (MemorySwitch, UInt64) {
    switch reason {
    case .frameTooShort, .sourceNotStation, .samePort, .splitHorizon: try refused(reason)
    case .nobodyToFloodTo, .nextHopUnresolved, .tooLongForUnderlay, .tooLongForPort, .portGone:
      try undeliverable(reason)
    case .transmitRingFull, .noFrameForCopy: try crowded(reason)
    case .handOverRingFull: try unwanted()
    case .faultInjected: try lost()
    case .outerNotUDP, .outerMalformed, .outerChecksumWrong, .outerFragment, .networkFlagMissing,
      .innerTooShort, .endpointUnknown:
      try unopened(reason)
    case .peerUnknown, .meshLoop: try strayed(reason)
    case .sleeveMalformed, .notAuthentic, .replayed, .specialMisplaced, .controlRingFull,
      .piecesMissing, .keyMissing:
      try unpacked(reason)
    case .notSealed, .securityUnknown: try unsealed(reason)
    }
  }

  /// Datagrams of sleeve that do not open, or have something in them that is not taken.
  private func unpacked(_ reason: DropReason) throws -> (MemorySwitch, UInt64) {
    let bench = try UnpackBench()
    let record = sleeveRecord(from: 2, to: 0, sleeveHeartbeat(1))
    let sealed = bench.datagram(from: 2, [record])
    switch reason {
    case .sleeveMalformed:
      let name = octets(UnpackBench.names[1].bits, 6)
      for length in [0, 5, 6, 19] {
        try bench.pass(Array((name + zeroFrame(30)).prefix(length)), via: 1)
      }
      return (bench.bridge, 4)
    case .notAuthentic:
      for length in [30, 40, sealed.count - 1] {
        try bench.pass(Array(sealed.prefix(length)), via: 2)
      }
      return (bench.bridge, 3)
    case .replayed:
      for _ in 0..<4 { try bench.pass(sealed, via: 2) }
      return (bench.bridge, 3)
    case .specialMisplaced:
      try bench.pass(bench.datagram(from: 1, [record]), via: 1)
      return (bench.bridge, 1)
    default:
      let beat = sleeveRecord(from: 1, to: 0, sleeveHeartbeat(1))
      let datagram = bench.datagram(from: 1, [[UInt8]](repeating: beat, count: 4))
      for _ in 0..<1028 { try bench.pass(datagram, via: 1) }
      return (bench.bridge, 16)
    }
  }

  /// Packets that should have been sealed, or are by a key that nobody has.
  private func unsealed(_ reason: DropReason) throws -> (MemorySwitch, UInt64) {
    let bench = try DecryptBench()
    let inner = frame(from: 1, to: 2)
    if reason == .notSealed {
      for neighbour in 1...2 {
        let network = DecryptBench.network(from: neighbour, to: 0)
        try bench.pass(meshOuter(fromPeer: neighbour, inner, network: network))
      }
    } else {
      try bench.pass(DecryptBench.outer([UInt8](repeating: 9, count: 80), from: 1))
      try bench.pass(DecryptBench.outer(bench.seal(inner, from: 1), from: 1))
    }
    return (bench.bridge, 2)
  }

  private func refused(_ reason: DropReason) throws -> (MemorySwitch, UInt64) {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 0))
    bridge.learn(3, at: behind(endpoint: 1))
    switch reason {
    case .frameTooShort:
      for length in [0, 1, 6, 13] {
        try bridge.pass([UInt8](repeating: 2, count: length), into: port(0))
      }
      return (bridge, 4)
    case .sourceNotStation:
      for source: UInt64 in [0, 0x01_00_5E_00_00_01, 0xFFFF_FFFF_FFFF] {
        let builder = FrameBuilder(
          sourceMAC: MACAddress(bits: source), destinationMAC: stationMAC(2))
        try bridge.pass(builder.arpRequest(), into: port(1))
      }
      return (bridge, 3)
    case .samePort:
      try bridge.pass(frame(from: 1, to: 2), into: port(0))
      try bridge.pass(outer(from: 1, frame(from: 1, to: 3)), into: MemorySwitch.underlay)
      return (bridge, 2)
    default:
      try bridge.pass(outer(from: 0, frame(from: 1, to: 3)), into: MemorySwitch.underlay)
      return (bridge, 1)
    }
  }

  private func undeliverable(_ reason: DropReason) throws -> (MemorySwitch, UInt64) {
    var options = MemorySwitch.Options()
    if reason == .nobodyToFloodTo {
      options.stationPortCount = 1
      options.endpointCount = 0
    }
    if reason == .nextHopUnresolved { options.areEndpointsResolved = false }
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 0))
    bridge.learn(3, at: behind(endpoint: 1))
    switch reason {
    case .nobodyToFloodTo: try bridge.pass(frame(from: 1, to: 5), into: port(0))
    case .nextHopUnresolved: try bridge.pass(frame(from: 1, to: 3), into: port(1))
    case .tooLongForUnderlay:
      try bridge.pass(opaqueFrame(from: 1, to: 3, length: 1515), into: port(1))
    case .tooLongForPort:
      try bridge.pass(opaqueFrame(from: 1, to: 2, length: 1515), into: port(1))
    default:
      try bridge.stop(port(0))
      try bridge.pass(frame(from: 1, to: 2), into: port(1))
    }
    return (bridge, 1)
  }

  /// Another worker that never takes what it is handed.
  private func unwanted() throws -> (MemorySwitch, UInt64) {
    var options = MemorySwitch.Options()
    options.handOver = try HandOverMemory(workerCount: 2)
    let bridge = try MemorySwitch(options)
    bridge.model.addPort(port(7), receivesFloods: false)
    bridge.learn(2, at: behind(port: 7))
    bridge.command(WorkerCommand(.startHandingOver, slot: 1, port: port(7)))
    for _ in 0..<(HandOverMemory.capacity + 5) {
      #expect(try bridge.pass(frame(from: 1, to: 2), into: port(0)).isEmpty)
    }
    return (bridge, 5)
  }

  /// Packets of a mesh that come from nobody, or in a circle.
  private func strayed(_ reason: DropReason) throws -> (MemorySwitch, UInt64) {
    let bench = try MeshBench()
    let inner = frame(from: 1, to: 2)
    if reason == .meshLoop {
      try bench.pass(inner, via: 1, from: 0)
      try bench.pass(inner, via: 2, from: 1, to: 3)
    } else {
      for network: UInt32 in [0x0A_0A00, 0xFF_FB0B] {
        try bench.bridge.pass(
          meshOuter(fromPeer: 1, inner, network: network), into: MemorySwitch.underlay)
      }
    }
    return (bench.bridge, 2)
  }

  /// A port that loses everything.
  private func lost() throws -> (MemorySwitch, UInt64) {
    let bridge = try MemorySwitch()
    bridge.setFaults(FaultSettings(seed: 1, loss: FaultSettings.scale), port(0))
    for _ in 0..<3 { #expect(try bridge.pass(frame(from: 1, to: 2), into: port(0)).isEmpty) }
    return (bridge, 3)
  }

  /// Rings without room, memory without frames.
  private func crowded(_ reason: DropReason) throws -> (MemorySwitch, UInt64) {
    var options = MemorySwitch.Options()
    if reason == .noFrameForCopy {
      options.frameCount = 16
      let bridge = try MemorySwitch(options)
      // Every chunk is on port 0's fill ring. Only the flood's last receiver gets its frame.
      let sent = try bridge.pass(frame(from: 1, to: 2), into: port(0))
      #expect(Array(sent.keys) == [MemorySwitch.underlay])
      return (bridge, 3)
    }
    options.ringCapacity = 8
    let bridge = try MemorySwitch(options)
    bridge.learn(2, at: behind(port: 2))
    let memory = try #require(bridge.ports[port(0)])
    for _ in 0..<11 {
      #expect(memory.arrive(frame(from: 1, to: 2)))
      _ = bridge.worker.breathe()
    }
    return (bridge, 3)
  }

  private func unopened(_ reason: DropReason) throws -> (MemorySwitch, UInt64) {
    let bridge = try MemorySwitch()
    let good = outer(from: 0, frame(from: 1, to: 2))
    let frames = unopenable(good, reason)
    for bytes in frames { try bridge.pass(bytes, into: MemorySwitch.underlay) }
    return (bridge, UInt64(frames.count))
  }

  private func unopenable(_ good: [UInt8], _ reason: DropReason) -> [[UInt8]] {
    let sender = FrameBuilder(
      source: endpointAddress(0), destination: MemorySwitch.ownAddress)
    switch reason {
    case .outerNotUDP:
      return [
        sender.arpRequest(), sender.tcp(sourcePort: 1, destinationPort: 4789),
        sender.ipv6(nextHeader: 17, payload: []),
      ]
    case .outerMalformed:
      var short = good
      short.replaceSubrange(38..<40, with: octets(UInt16(7)))
      return [[], Array(good.prefix(13)), Array(good.prefix(33)), good.dropLast(), short]
    case .outerChecksumWrong:
      var wrong = good
      wrong[24] ^= 1
      return [wrong]
    case .outerFragment:
      return sender.fragments(
        size: 64, sourcePort: 1, destinationPort: 4789, payload: [UInt8](repeating: 8, count: 100))
    case .networkFlagMissing:
      var unflagged = good
      unflagged[42] = 0
      return [unflagged]
    case .innerTooShort: return [outer(from: 0, []), outer(from: 0, Array(good.prefix(13)))]
    default:
      let inner = frame(from: 1, to: 2)
      return [outer(from: 0, inner, network: 8), outer(from: 77, inner)]
    }
  }
}
