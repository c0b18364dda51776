// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Glibc
import Telemetry
import Testing
import XDP

@testable import Dataplane

/// Ports that the kernel watches while they are silent, and which of them are.
struct WatchedPortTests {
  @Test func portWithAFrameNowAndThenStaysPolled() throws {
    let bench = try WatchedPorts(count: 10)
    let table = bench.ends.ports
    // The worker looks by itself every 256 breaths, of which these are not as many.
    bench.breathe(times: 8)
    var now = PortTable.settleTicks
    table.settle(at: now)
    #expect(table.watchedCount == 2 && !bench.isPolled(9))
    for round in 1...3 {
      try bench.arrive(at: 9)
      bench.breathe(times: 8)
      #expect(bench.isPolled(9) && bench.receivedCount == UInt64(round))
      bench.clear(9)
      table.settle(at: now + 1)
      table.settle(at: now + PortTable.settleTicks - 1)
      #expect(table.watchedCount == (round == 1 ? 1 : 2), "it is too early")
      now += PortTable.settleTicks
      table.settle(at: now)
      #expect(table.watchedCount == 2 && bench.isPolled(9), "another one goes in its place")
    }
  }
}

/// A worker with ports whose rings are memory, and for which a pipe stands for the socket that the
/// kernel watches.
private final class WatchedPorts {
  let ends: WorkerEnds
  private let snapshots: SnapshotMemory
  private let ports: [WatchedPort]
  private var worker: Worker

  init(count: Int) throws {
    snapshots = try SnapshotMemory(pageCount: 64, entryCountMax: 64)
    let writer = try SnapshotWriter(memory: snapshots, seed: 1)
    #expect(writer.generation > 0)
    ends = try WorkerEnds(frameCount: 1024)
    ports = try (0..<count).map { _ in try WatchedPort() }
    worker = ends.makeWorker(snapshot: snapshots, index: 0, hintEvent: -1)
    for slot in 0..<UInt16(count) {
      let options = PortQueue.Options(
        port: PortIndex(slot), kind: .station, backing: .socket(ports[Int(slot)].readEnd),
        frameLengthMax: 1514, fillTarget: 8)
      let counters = ends.portCounters(slot: slot)
      ends.ports.fill(
        slot,
        with: PortQueue(options, rings: ports[Int(slot)].rings.socketHalf(), counters: counters))
      ends.ports.start(slot)
    }
  }

  var receivedCount: UInt64 { ends.counters.value(at: WorkerCounter.received.rawValue) }

  func breathe(times: Int) { for _ in 0..<times { _ = worker.breathe() } }

  func isPolled(_ slot: Int) -> Bool {
    (0..<ends.ports.polledCount).contains { Int(ends.ports.polledSlot($0)) == slot }
  }

  /// A frame too short for anybody arrives, and the kernel says so.
  func arrive(at slot: Int) throws {
    let bytes = [UInt8](repeating: 0, count: 10)
    let hasArrived = ports[slot].kernel.receive(bytes.span, in: ends.frames)
    try #require(hasArrived)
    #expect(unsafe write(ports[slot].writeEnd, bytes, 1) == 1)
  }

  /// The kernel has nothing more to tell.
  func clear(_ slot: Int) {
    var byte: UInt8 = 0
    #expect(unsafe read(ports[slot].readEnd, &byte, 1) == 1)
  }
}

private final class WatchedPort {
  let readEnd: CInt
  let writeEnd: CInt
  let rings: MemoryRings
  var kernel: KernelRings

  init() throws {
    var ends: [CInt] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    (readEnd, writeEnd) = (ends[0], ends[1])
    rings = try MemoryRings(capacity: 64)
    kernel = rings.kernelHalf()
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }
}
