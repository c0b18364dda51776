// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Routing
internal import Tables

/// The model that decides what is published.
enum RoutingBenchmarks {
  static var all: [Benchmark] {
    Parameter.tables.flatMap { stations in
      [
        Benchmark("Routing.move.\(stations)-stations", items: 1) { try Moving(stations: stations) },
        Benchmark("Routing.learn.\(stations)-stations", items: Learning.count) {
          try Learning(stations: stations)
        },
      ]
    }
  }
}

/// Hears that one station has moved, and publishes that.
private struct Moving: ~Copyable, Workload {
  private var fabric: Fabric
  private var move = 0
  private var isPublished = false

  init(stations: Int) throws {
    fabric = try Fabric(
      stations: stations, senders: Location(Fabric.firstPort), receivers: Fabric.endpoint)
  }

  mutating func prepare() { move += 1 }

  mutating func run() {
    let number = (move - 1) / 2 % fabric.pairCount
    let location = move & 1 == 1 ? Location(Fabric.secondPort) : Location(Fabric.firstPort)
    fabric.model.learn(FrameBytes.sender(number), at: location)
    isPublished = fabric.model.commit()
  }

  var isAsExpected: Bool { isPublished && fabric.model.counts.moved == UInt64(move) }
}

/// Hears of new stations, and publishes them together.
private struct Learning: ~Copyable, Workload {
  static var count: Int { 64 }

  private var fabric: Fabric
  private let stationCount: Int
  private var isPublished = false

  init(stations: Int) throws {
    fabric = try Fabric(
      stations: stations, senders: Location(Fabric.firstPort), receivers: Fabric.endpoint)
    stationCount = stations
  }

  mutating func prepare() {
    fabric.model.removePort(Fabric.secondPort)
    fabric.model.addPort(Fabric.secondPort, receivesFloods: true)
    _ = fabric.model.commit()
  }

  mutating func run() {
    for index in 0..<Self.count {
      fabric.model.learn(FrameBytes.sender(stationCount + index), at: Location(Fabric.secondPort))
    }
    isPublished = fabric.model.commit()
  }

  var isAsExpected: Bool {
    isPublished && fabric.model.stationCount == stationCount + Self.count
  }
}
