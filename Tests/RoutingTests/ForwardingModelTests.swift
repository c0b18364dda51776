// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Tables
import Testing
import TestSupport

/// Stations as they come and go one by one.
struct ForwardingModelTests {
  @Test func newModelPublishesAnEmptySnapshot() throws {
    let memory = try roomySnapshotMemory()
    var model = try ForwardingModel(memory: memory, seed: 1, options: .init())
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    #expect(model.generation == 1)
    #expect(reader.refresh().generation == 1)
    #expect(reader.refresh().station(1) == nil)
    let published = model.commit()
    #expect(published)
    #expect(model.generation == 1)
  }

  @Test func learnedStationIsSeenOnlyAfterTheCommit() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.learn(1, at: port(2))
    #expect(reader.refresh().station(1) == nil)
    let published = model.commit()
    #expect(published)
    #expect(reader.refresh().station(1)?.location == port(2))
    #expect(model.counts.learned == 1)
    #expect(model.generation == 2)
  }

  @Test func commitWithNothingChangedPublishesNothing() throws {
    var model = try model(roomySnapshotMemory())
    model.learn(1, at: port(2))
    _ = model.commit()
    let generation = model.generation
    model.learn(1, at: port(2), 5)
    model.addPort(port: 0)
    model.sweep(nowSeconds: 10)
    let published = model.commit()
    #expect(published)
    #expect(model.generation == generation)
  }

  @Test func stationMovesBetweenPortsAndEndpointsAndKeepsItsEntry() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.learn(1, at: port(0))
    _ = model.commit()
    let entry = reader.refresh().station(1)?.entry
    for (moves, location) in [port(3), endpoint(1), endpoint(0), port(0)].enumerated() {
      model.learn(1, at: location)
      _ = model.commit()
      #expect(reader.refresh().station(1)?.location == location)
      #expect(reader.refresh().station(1)?.entry == entry)
      #expect(model.counts.moved == UInt64(moves + 1))
    }
    #expect(model.stationCount == 1)
  }

  @Test func stationsAreListedByAddressWithTheirAge() throws {
    var model = try model(roomySnapshotMemory())
    model.learn(9, at: endpoint(1), 100)
    model.learn(3, at: port(1), 103)
    let stations = model.stations(nowSeconds: 110)
    #expect(stations.map(\.mac) == [stationMAC(3), stationMAC(9)])
    #expect(stations.map(\.location) == [port(1), endpoint(1)])
    #expect(stations.map(\.ageSeconds) == [7, 10])
    #expect(model.stations(nowSeconds: 0).map(\.ageSeconds) == [0, 0])
  }

  @Test func hintsThatNameNoStationOrNoLocationAreRefused() throws {
    var model = try model(roomySnapshotMemory())
    let hints = [
      Hint(mac: 0, location: port(0)),
      Hint(mac: MACAddress.broadcast.bits, location: port(0)),
      Hint(mac: 0x0100_5E00_0001, location: port(0)),
      Hint(mac: stationMAC(1).bits | 1 << 48, location: port(0)),
      Hint(mac: .max, location: port(0)),
      Hint(mac: stationMAC(1).bits, location: port(4)),
      Hint(mac: stationMAC(1).bits, location: endpoint(2)),
      Hint(mac: stationMAC(1).bits, location: Location(bits: 0x0001_0000)),
      Hint(mac: stationMAC(1).bits, location: Location(bits: .max)),
    ]
    for hint in hints { model.learn(hint, nowSeconds: 0) }
    #expect(model.counts.refused == UInt64(hints.count))
    #expect(model.stationCount == 0)
  }

  @Test func limitForOneLocationIsCountedAndHoldsForMovesToo() throws {
    var options = ForwardingModel.Options()
    options.stationCountPerLocationMax = 10
    var model = try model(roomySnapshotMemory(), options: options)
    for station in 0..<12 { model.learn(station, at: port(0)) }
    #expect(model.counts.learned == 10)
    #expect(model.counts.refused == 2)
    model.learn(20, at: port(1))
    model.learn(20, at: port(0))
    #expect(model.counts.refused == 3)
    #expect(model.stations(nowSeconds: 0).last?.location == port(1))
    model.learn(0, at: port(1))
    model.learn(20, at: port(0))
    #expect(model.counts.moved == 2)
    #expect(model.stationCount == 11)
  }

  @Test(arguments: [(20, 1000), (1000, 20), (20, 20)])
  func limitForAllStationsIsTheSmallerOfOptionsAndMemory(
    _ stationCountMax: Int, _ entryCountMax: Int
  ) throws {
    var options = ForwardingModel.Options()
    options.stationCountMax = stationCountMax
    options.ageSecondsMax = 60
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: entryCountMax)
    var model = try model(memory, options: options)
    for station in 0..<25 { model.learn(station, at: port(station % 4)) }
    #expect(model.stationCount == 20)
    #expect(model.counts.refused == 5)
    model.sweep(nowSeconds: 60)
    for station in 30..<60 { model.learn(station, at: endpoint(station % 2)) }
    #expect(model.stationCount == 20)
    let published = model.commit()
    #expect(published)
  }
}
