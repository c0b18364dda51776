// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables

/// The snapshot as its writer publishes it.
enum ForwardingBenchmarks {
  static var all: [Benchmark] {
    Parameter.tables.map { stations in
      Benchmark("Forwarding.publish.\(stations)-stations", items: 1) {
        try Publishing(stations: stations)
      }
    }
  }
}

/// Moves one station and publishes that.
private struct Publishing: ~Copyable, Workload {
  private let memory: SnapshotMemory
  private var writer: SnapshotWriter
  private var move: UInt32 = 0
  private let stationCount: Int
  private var isPublished = false

  init(stations: Int) throws {
    let memory = try SnapshotMemory(pageCount: 16_384, entryCountMax: 131_072)
    var writer = try SnapshotWriter(memory: memory, seed: 1)
    for number in 0..<stations {
      let station = Station(location: Location(bits: 0), entry: UInt32(number))
      guard writer.setStation(FrameBytes.sender(number), station) else { throw Fabric.Refused() }
    }
    guard writer.publish() else { throw Fabric.Refused() }
    self.memory = memory
    self.writer = writer
    stationCount = stations
  }

  mutating func prepare() { move += 1 }

  mutating func run() {
    let number = Int(move) * 61 % stationCount
    let station = Station(location: Location(bits: move & 1), entry: UInt32(number))
    isPublished = writer.setStation(FrameBytes.sender(number), station) && writer.publish()
    writer.reclaim()
  }

  var isAsExpected: Bool {
    isPublished && writer.retiredPageCount == 0 && writer.stationCount == stationCount
  }
}
