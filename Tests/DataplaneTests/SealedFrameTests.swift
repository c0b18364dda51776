// SPDX-License-Identifier: Apache-2.0

import CAllocationCounter
import Dataplane
import DataplaneTestSupport
import Forwarding
import Inet
import Sealing
import TestSupport
import Testing

/// Sealed packets that lie in several chunks, that are traced, and what they cost.
struct SealedFrameTests {
  private func longBench() throws -> DecryptBench {
    var options = MemorySwitch.Options()
    options.frameLengthMax = 60_100
    return try DecryptBench([1: .sealedVXLAN, 2: .sealedVXLAN], options)
  }

  /// Lengths at which padding and tag, or parts of them, have a chunk of their own.
  @Test func longFramesAreOpenedAndWhatIsBehindThemIsGivenBack() throws {
    let bench = try longBench()
    let lengths = [3700, 9000, 60_000] + Array(stride(from: 3760, to: 3860, by: 1))
    for length in lengths + lengths.map({ $0 + 3840 }) {
      let inner = opaqueFrame(from: 1, to: 2, length: min(length, 60_000))
      try #require(try bench.pass(inner, via: 1, from: 1) == [port(1): [inner]], "\(length)")
    }
    #expect(try bench.isInOrder())
  }

  @Test func longPacketsThatDoNotOpenAreRefusedForTheSameReasons() throws {
    let bench = try longBench()
    let inner = opaqueFrame(from: 1, to: 2, length: 9000)
    let outer = DecryptBench.outer(try bench.packet(inner, via: 1, from: 1), from: 1)
    for index in [34, 38, 44, 60, 5000, 9000, outer.count - 1] {
      var changed = outer
      changed[index] ^= 1
      #expect(try bench.pass(changed).isEmpty)
    }
    #expect(try bench.pass(Array(outer.prefix(8000))).isEmpty)
    #expect(try bench.pass(outer) == [port(1): [inner]])
    #expect(try bench.pass(outer).isEmpty)
    let garbage = DecryptBench.outer(try bench.seal(inner, from: 1), from: 1)
    #expect(try bench.pass(garbage).isEmpty)
    // What is longer than a chunk has no padding.
    #expect(try bench.pass(outer + [UInt8](repeating: 0, count: 5000)).isEmpty)
    let account = try bench.bridge.account
    #expect(account.dropped(.notAuthentic) == 6 && account.dropped(.replayed) == 1)
    #expect(account.dropped(.securityUnknown) == 2 && account.dropped(.outerMalformed) == 2)
    #expect(try bench.isInOrder())
  }

  // MARK: Traces

  @Test func traceShowsWhatWasInside() throws {
    let bench = try DecryptBench()
    let inner = frame(from: 1, to: 2, payloadLength: 300)
    let outer = DecryptBench.outer(try bench.packet(inner, via: 1, from: 1), from: 1)
    let record = try bench.bridge.traced(outer, into: MemorySwitch.underlay)
    #expect(record.isUnderlay && record.receivedLength == outer.count)
    #expect(record.innerOffset == 66 && record.innerLength == inner.count)
    let bytes = (0..<Int(record.byteCount)).map { record.bytes[$0] }
    #expect(Array(bytes.prefix(50)) == Array(outer.prefix(50)))
    #expect(Array(bytes.dropFirst(66)) == Array(inner.prefix(TraceRecord.byteCountMax - 66)))
    #expect(try record.origin == bench.behind(1) && record.acquaintance == .unknown)
    #expect(record.finding == .station && record.exit == port(1) && record.sentCount == 1)
    #expect(record.drop == nil)
  }

  @Test func traceSaysWhyNothingWasOpened() throws {
    let bench = try DecryptBench([1: .sealedVXLAN, 2: .sealedSleeve(.aes256gcm)])
    let inner = frame(from: 1, to: 2)
    var outer = DecryptBench.outer(try bench.packet(inner, via: 1, from: 1), from: 1)
    outer[80] ^= 1
    var datagram = sleeveOuter(
      fromPeer: 2, try bench.datagram([sleeveRecord(from: 2, to: 0, inner)], from: 2))
    datagram[80] ^= 1
    let clear = meshOuter(
      fromPeer: 1, inner, network: DecryptBench.network(from: 1, to: 0))
    for (bytes, reason) in [
      (outer, DropReason.notAuthentic), (datagram, .notAuthentic), (clear, .notSealed),
    ] {
      let record = try bench.bridge.traced(bytes, into: MemorySwitch.underlay)
      #expect(record.drop == reason && record.dropStage == .open && record.sentCount == 0)
      #expect((0..<Int(record.byteCount)).map { record.bytes[$0] } == Array(bytes.prefix(128)))
    }
    #expect(try bench.isInOrder())
  }

  @Test func tracedFramesEndAsUntracedOnesDo() throws {
    let benches = [try mixedBench(), try mixedBench()]
    benches[1].bridge.startTrace(count: 100)
    let sent = try benches.map { try $0.pass(all: Self.mixed($0)) }
    #expect(sent[0] == sent[1])
    #expect(try benches[0].bridge.account == benches[1].bridge.account)
    // The datagram has no record of its own, but the frame in it has one.
    #expect(benches[1].bridge.takeTrace().count == 6)
  }

  private func mixedBench() throws -> DecryptBench {
    try DecryptBench([1: .sealedVXLAN, 2: .sealedSleeve(.chacha20poly1305), 4: .plainVXLAN])
  }

  /// Two frames by ESP, one of them damaged, one by sleeve, a relay and what should be sealed.
  private static func mixed(_ bench: DecryptBench) throws -> [[UInt8]] {
    let inner = frame(from: 1, to: 2)
    var damaged = DecryptBench.outer(try bench.packet(inner, via: 1, from: 1), from: 1)
    damaged[70] ^= 1
    let record = sleeveRecord(from: 2, to: 0, inner)
    return [
      DecryptBench.outer(try bench.packet(inner, via: 1, from: 1), from: 1), damaged,
      sleeveOuter(fromPeer: 2, try bench.datagram([record], from: 2)),
      DecryptBench.outer(try bench.packet(inner, via: 1, from: 1, to: 4), from: 1),
      meshOuter(fromPeer: 1, inner, network: DecryptBench.network(from: 1, to: 0)),
      meshOuter(fromPeer: 4, inner, network: DecryptBench.network(from: 4, to: 0)),
    ]
  }

  // MARK: Allocations

  @Test(.enabled(if: cac_is_available(), "a sanitizer replaces the allocator"))
  func breathThatOpensAllocatesNothing() throws {
    let bench = try mixedBench()
    for isTraced in [false, true] {
      if isTraced { bench.bridge.startTrace(count: 10_000) }
      for _ in 0..<3 { _ = try countedBreath(bench) }
      for _ in 0..<20 { #expect(try countedBreath(bench) == 0) }
    }
    let account = try bench.bridge.account
    #expect(account.isBalanced && account.dropped(.notAuthentic) > 0)
  }

  /// Allocations of one breath that opens what may be opened.
  private func countedBreath(_ bench: DecryptBench) throws -> UInt64 {
    let memory = try #require(bench.bridge.ports[MemorySwitch.underlay])
    for outer in try Self.mixed(bench) { #expect(memory.arrive(outer)) }
    cac_begin()
    let drawn = bench.bridge.worker.breathe()
    let count = cac_end()
    #expect(drawn == 6)
    _ = bench.bridge.discard()
    bench.bridge.worker.breathe(times: 2)
    _ = bench.bridge.takeHints()
    return count
  }
}
