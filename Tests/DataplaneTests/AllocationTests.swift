// SPDX-License-Identifier: Apache-2.0

import CAllocationCounter
import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import TestSupport
import Testing

/// A breath allocates nothing.
///
/// Runs where the counter is compiled in: sanitizers bring an allocator of their own.
@Suite(.enabled(if: cac_is_available(), "a sanitizer replaces the allocator"))
struct AllocationTests {
  @Test func counterCountsAnAllocation() {
    cac_begin()
    let bytes = [UInt8](repeating: 1, count: Int.random(in: 1000...2000))
    let count = cac_end()
    #expect(count >= 1)
    #expect(bytes.count >= 1000)
  }

  @Test func counterCountsNothingWhereNothingIsAllocated() {
    cac_begin()
    #expect(cac_end() == 0)
  }

  @Test func breathAllocatesNothing() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    bridge.learn(3, at: behind(endpoint: 1))
    // What the runtime makes once, such as a type's description, is made by the first rounds.
    for _ in 0..<3 { _ = try countedBreath(bridge) }
    for _ in 0..<50 { #expect(try countedBreath(bridge) == 0) }
    let account = try bridge.account
    #expect(account.isBalanced && account.copied > 0 && account.ends > account.sent)
  }

  @Test func breathWithFramesOfSeveralPiecesAllocatesNothing() throws {
    let bridge = try longSwitch()
    bridge.learn(2, at: behind(port: 2))
    bridge.learn(3, at: behind(endpoint: 1))
    for isFaulty in [false, true] {
      if isFaulty {
        bridge.setFaults(
          FaultSettings(
            seed: 1, loss: 200_000, duplication: 200_000, corruption: 500_000, truncation: 500_000),
          port(0))
      }
      for _ in 0..<3 { _ = try countedLongBreath(bridge) }
      for _ in 0..<20 { #expect(try countedLongBreath(bridge) == 0) }
    }
    let account = try bridge.account
    #expect(account.isBalanced && account.copied > 0 && account.ends > account.sent)
  }

  /// Allocations of one breath that forwards, floods, encapsulates, opens and drops chains.
  private func countedLongBreath(_ bridge: MemorySwitch) throws -> UInt64 {
    let station = try #require(bridge.ports[port(0)])
    let underlay = try #require(bridge.ports[MemorySwitch.underlay])
    for destination in [2, 3, 4] {
      #expect(station.arrive(longFrame(from: 1, to: destination, length: 20_000)))
    }
    #expect(underlay.arrive(outer(from: 0, longFrame(from: 5, to: 2, length: 9000))))
    #expect(underlay.arrive(outer(from: 77, longFrame(from: 5, to: 2, length: 9000))))
    cac_begin()
    let drawn = bridge.worker.breathe()
    let count = cac_end()
    #expect(drawn == 5)
    _ = bridge.discard()
    bridge.worker.breathe(times: 2)
    _ = bridge.takeHints()
    return count
  }

  @Test func breathWithEveryFaultAllocatesNothing() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    for port in [port(0), MemorySwitch.underlay] {
      bridge.setFaults(
        FaultSettings(
          seed: 1, loss: 200_000, duplication: 500_000, reordering: 500_000, corruption: 200_000,
          truncation: 200_000), port)
    }
    for _ in 0..<3 { _ = try countedBreath(bridge) }
    for _ in 0..<50 { #expect(try countedBreath(bridge) == 0) }
    let account = try bridge.account
    #expect(account.isBalanced && account.copied > 0 && account.dropped(.faultInjected) > 0)
  }

  @Test func tracedBreathAllocatesNothing() throws {
    let bridge = try MemorySwitch()
    bridge.learn(2, at: behind(port: 2))
    bridge.learn(3, at: behind(endpoint: 1))
    bridge.startTrace(count: 10_000)
    for _ in 0..<3 { _ = try countedBreath(bridge) }
    #expect(bridge.takeTrace().count == 3 * 56)
    // The ring runs full on the way.
    for _ in 0..<50 { #expect(try countedBreath(bridge) == 0) }
    #expect(bridge.ends.trace.lostCount > 0)
  }

  @Test func breathOfAPeerAllocatesNothing() throws {
    let bench = try MeshBench()
    bench.bridge.learn(2, at: behind(port: 2))
    bench.bridge.learn(3, at: try bench.behind(3))
    for isTraced in [false, true] {
      if isTraced { bench.bridge.startTrace(count: 10_000) }
      for _ in 0..<3 { _ = try countedBreath(bench) }
      for _ in 0..<50 { #expect(try countedBreath(bench) == 0) }
    }
    let account = try bench.bridge.account
    #expect(account.isBalanced && account.copied > 0 && account.ends > account.sent)
  }

  @Test func breathThatPacksAndSealsAllocatesNothing() throws {
    var sleeve = SleeveOptions()
    sleeve.keys = [1: [UInt8](repeating: 1, count: 32)]
    let bench = try SleeveBench(sleeve) { $0.frameLengthMax = 1800 }
    for isTraced in [false, true] {
      if isTraced { bench.bridge.startTrace(count: 10_000) }
      for _ in 0..<3 { _ = try countedBreath(bench) }
      for _ in 0..<50 { #expect(try countedBreath(bench) == 0) }
    }
    let account = try bench.bridge.account
    #expect(account.isBalanced && account.merged > 0 && account.generated > 0)
  }

  @Test func breathThatUnpacksAllocatesNothing() throws {
    var options = MemorySwitch.Options()
    options.frameCount = 2048
    let bench = try UnpackBench(options)
    bench.bridge.learn(2, at: behind(port: 2))
    for isTraced in [false, true] {
      if isTraced { bench.bridge.startTrace(count: 10_000) }
      for _ in 0..<3 { _ = try countedBreath(bench) }
      for _ in 0..<50 { #expect(try countedBreath(bench) == 0) }
    }
    let account = try bench.bridge.account
    #expect(account.isBalanced && account.copied > 0 && account.punted > 0)
  }

  /// Allocations of one breath that takes frames out of datagrams, short and long, reports and
  /// refuses.
  private func countedBreath(_ bench: UnpackBench) throws -> UInt64 {
    let underlay = try #require(bench.bridge.ports[MemorySwitch.underlay])
    let inner = frame(from: 5, to: 2)
    let records = [(1, 0, inner), (1, 0, sleeveHeartbeat(1)), (9, 0, inner), (1, 0, inner)].map {
      sleeveRecord(
        from: PeerName(bits: UnpackBench.names[0].bits + UInt64($0.0)),
        to: UnpackBench.names[$0.1], $0.2)
    }
    let test = sleeveRecord(from: 1, to: 0, zeroFrame(9000))
    for records in [records, [test] + records, [test]] {
      #expect(underlay.arrive(sleeveOuter(fromPeer: 1, bench.datagram(from: 1, records))))
    }
    #expect(underlay.arrive(sleeveOuter(fromPeer: 1, zeroFrame(30))))
    let number = try bench.bridge.account.received
    for length in [20, 9000] {
      let record = sleeveRecord(from: 2, to: 0, frame(from: 5, to: 2, payloadLength: length))
      let datagram = bench.datagram(from: 2, [record], number: number + UInt64(length % 3))
      #expect(underlay.arrive(sleeveOuter(fromPeer: 2, datagram)))
    }
    cac_begin()
    let drawn = bench.bridge.worker.breathe()
    let count = cac_end()
    #expect(drawn == 6)
    _ = bench.bridge.drain()
    _ = bench.bridge.takeControlFrames()
    _ = bench.bridge.worker.breathe()
    _ = bench.bridge.takeHints()
    return count
  }

  /// Allocations of one breath that packs frames for three peers, floods and carries orders out.
  private func countedBreath(_ bench: SleeveBench) throws -> UInt64 {
    let station = try #require(bench.bridge.ports[port(0)])
    for length in [10, 400, 1700, 20] {
      for destination in [11, 12, 13, 99] {
        #expect(station.arrive(frame(from: 1, to: destination, payloadLength: length)))
      }
    }
    for length in [600, 9000] {
      bench.bridge.order(
        ControlOrder(name: MemorySwitch.peerNames[1], overlay: .sleeve, frameLength: length))
    }
    cac_begin()
    let drawn = bench.bridge.worker.breathe()
    let count = cac_end()
    #expect(drawn == 18)
    _ = bench.bridge.drain()
    _ = bench.bridge.worker.breathe()
    _ = bench.bridge.takeHints()
    return count
  }

  @Test func breathOfUDPSocketsAllocatesNothing() throws {
    let bench = try SocketBench()
    let plain = try PlainSocket()
    for round in 0..<20 {
      for length in [0, 100, 100, 9000] {
        #expect(plain.send([UInt8](repeating: 1, count: length), to: bench.udpPort))
        var outer = UnderlayFrame(from: bench.udpPort, to: plain.udpPort)
        outer.mayFragment = length == 0
        #expect(bench.put(outer.bytes([UInt8](repeating: 2, count: length))))
      }
      cac_begin()
      var drawn = 0
      while drawn < 4 { drawn += bench.breathe() }
      let count = cac_end()
      #expect(count == 0 || round < 3, "what the runtime makes once is made by the first rounds")
      #expect(plain.receive(count: 4).count == 4)
    }
    #expect(bench.isAtRest && bench.port.losses() == (0, 0))
  }

  /// Allocations of one breath that sends to peers, takes from them, relays, passes on and refuses.
  private func countedBreath(_ bench: MeshBench) throws -> UInt64 {
    let station = try #require(bench.bridge.ports[port(0)])
    let underlay = try #require(bench.bridge.ports[MemorySwitch.underlay])
    let own = MeshBench.own
    for _ in 0..<4 {
      for destination in [3, 4] { #expect(station.arrive(frame(from: 1, to: destination))) }
      for (source, destination) in [(0xB0B, own), (0xB0B, 0xD0D), (own, own), (1, own)] {
        let network = meshNetwork(from: source, to: destination)
        for station in [2, 4] {
          let inner = frame(from: 5, to: station)
          #expect(underlay.arrive(meshOuter(fromPeer: 1, inner, network: network)))
        }
      }
    }
    cac_begin()
    let drawn = bench.bridge.worker.breathe()
    let count = cac_end()
    #expect(drawn == 40)
    _ = bench.bridge.drain()
    _ = bench.bridge.worker.breathe()
    _ = bench.bridge.takeHints()
    return count
  }

  /// Allocations of one breath that forwards, floods, encapsulates, decapsulates and drops.
  private func countedBreath(_ bridge: MemorySwitch) throws -> UInt64 {
    let station = try #require(bridge.ports[port(0)])
    let underlay = try #require(bridge.ports[MemorySwitch.underlay])
    for _ in 0..<8 {
      for destination in [2, 3, 4] {
        #expect(station.arrive(frame(from: 1, to: destination)))
      }
      #expect(station.arrive([1, 2, 3]))
      #expect(underlay.arrive(outer(from: 0, frame(from: 5, to: 2))))
      #expect(underlay.arrive(outer(from: 0, frame(from: 5, to: 4))))
      #expect(underlay.arrive(outer(from: 77, frame(from: 5, to: 2))))
    }
    cac_begin()
    let drawn = bridge.worker.breathe()
    let count = cac_end()
    #expect(drawn == 56)
    _ = bridge.drain()
    _ = bridge.worker.breathe()
    _ = bridge.takeHints()
    return count
  }
}
