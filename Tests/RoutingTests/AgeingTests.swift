// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Routing
import Testing

/// When stations are forgotten.
struct AgeingTests {
  @Test func stationIsForgottenAtExactlyTheLimit() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.learn(1, at: port(0), 1000)
    model.learn(2, at: port(0), 1001)
    model.sweep(nowSeconds: 1599)
    #expect(model.stationCount == 2)
    model.sweep(nowSeconds: 1600)
    #expect(model.stations(nowSeconds: 1600).map(\.mac) == [stationMAC(2)])
    #expect(model.counts.aged == 1)
    _ = model.commit()
    #expect(reader.refresh().station(1) == nil)
    #expect(reader.refresh().station(2)?.location == port(0))
  }

  @Test func seenMarkKeepsAStationForAnotherFullAge() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.learn(1, at: port(0), 0)
    _ = model.commit()
    let entry = try #require(reader.refresh().station(1)).entry
    reader.mark(entry: entry)
    model.sweep(nowSeconds: 700)
    #expect(model.stations(nowSeconds: 700).map(\.ageSeconds) == [0])
    model.sweep(nowSeconds: 1299)
    #expect(model.stationCount == 1)
    model.sweep(nowSeconds: 1300)
    #expect(model.stationCount == 0)
  }

  @Test func hintForTheSameLocationKeepsAStation() throws {
    var model = try model(roomySnapshotMemory())
    model.learn(1, at: endpoint(0), 0)
    model.learn(1, at: endpoint(0), 500)
    model.sweep(nowSeconds: 1099)
    #expect(model.stationCount == 1)
    model.sweep(nowSeconds: 1100)
    #expect(model.stationCount == 0)
  }

  @Test func timeThatGoesBackwardsForgetsNobody() throws {
    var model = try model(roomySnapshotMemory())
    model.learn(1, at: port(0), 10_000)
    model.learn(1, at: port(0), 5)
    model.sweep(nowSeconds: 5)
    model.sweep(nowSeconds: 0)
    #expect(model.stations(nowSeconds: 10_001).map(\.ageSeconds) == [1])
  }

  @Test func markOfAForgottenStationDoesNotKeepTheNextOneWithItsEntry() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.learn(1, at: port(0), 0)
    _ = model.commit()
    let entry = try #require(reader.refresh().station(1)).entry
    model.sweep(nowSeconds: 600)
    reader.mark(entry: entry)
    model.learn(2, at: port(0), 600)
    _ = model.commit()
    #expect(reader.refresh().station(2)?.entry == entry)
    model.sweep(nowSeconds: 1200)
    #expect(model.stationCount == 0)
  }
}
