// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Tables
import TestSupport
import Testing

/// The snapshot's pages: bounded, reused when nobody reads them, and not before.
struct PageReuseTests {
  @Test(arguments: [true, false])
  func tenThousandCommitsStayWithinAFewPages(readerIsOnline: Bool) throws {
    let memory = try SnapshotMemory(pageCount: 48, entryCountMax: 1000)
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 3)
    reader.goOnline()
    if !readerIsOnline { reader.goOffline() }
    var fewestFree = Int.max
    var unpublished = 0
    for round in 0..<10_000 {
      model.learn(round % 200, at: port(round / 200 % 4), UInt64(round))
      if !model.commit() { unpublished += 1 }
      if readerIsOnline { _ = reader.refresh() }
      if round >= 1000 { fewestFree = min(fewestFree, model.freePageCount) }
    }
    #expect(unpublished == 0)
    #expect(model.counts.refused == 0)
    #expect(model.generation == 10_001)
    #expect(fewestFree >= 30)
    #expect(model.retiredPageCount <= 4)
  }

  @Test func pagesAreNotReusedWhileAReaderHasNotRefreshed() throws {
    let memory = try SnapshotMemory(pageCount: 256, entryCountMax: 1000)
    var model = try model(memory)
    for station in 0..<200 { model.learn(station, at: port(0)) }
    _ = model.commit()
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    let held = reader.refresh()
    let free = model.freePageCount
    for round in 1...50 {
      for station in 0..<200 { model.learn(station, at: port(round % 3 + 1)) }
      _ = model.commit()
    }
    #expect(model.freePageCount < free - 100)
    #expect(model.retiredPageCount > 100)
    for station in 0..<200 { #expect(held.station(station)?.location == port(0)) }
    #expect(held.flood.ports == [0, 1, 2, 3])
    _ = reader.refresh()
    _ = model.commit()
    #expect(model.retiredPageCount == 0)
    #expect(model.freePageCount == free)
  }

  @Test func readerGoneOnlineButNotRefreshedHoldsEverything() throws {
    let memory = try SnapshotMemory(pageCount: 256, entryCountMax: 1000)
    var model = try model(memory)
    _ = model.commit()
    let retired = model.retiredPageCount
    let reader = SnapshotReader(memory: memory, worker: 62)
    reader.goOnline()
    for round in 1...10 {
      model.learn(1, at: port(round % 4))
      _ = model.commit()
    }
    #expect(model.retiredPageCount >= retired + 30)
    reader.goOffline()
    _ = model.commit()
    #expect(model.retiredPageCount == 0)
  }

  @Test func slowestOfSeveralReadersDecides() throws {
    let memory = try SnapshotMemory(pageCount: 256, entryCountMax: 1000)
    var model = try model(memory)
    _ = model.commit()
    let quick = SnapshotReader(memory: memory, worker: 0)
    let slow = SnapshotReader(memory: memory, worker: 1)
    quick.goOnline()
    slow.goOnline()
    let held = slow.refresh()
    for round in 1...10 {
      model.learn(1, at: port(round % 4))
      _ = model.commit()
      _ = quick.refresh()
    }
    #expect(model.retiredPageCount >= 30)
    #expect(held.station(1) == nil)
    #expect(quick.refresh().station(1)?.location == port(2))
    _ = slow.refresh()
    _ = model.commit()
    #expect(model.retiredPageCount == 0)
  }

  @Test(arguments: [2, 5, 6, 10])
  func tooLittleMemoryThrows(pageCount: Int) throws {
    let memory = try SnapshotMemory(pageCount: pageCount, entryCountMax: 8)
    #expect(throws: MemoryError.self) {
      _ = try ForwardingModel(memory: memory, seed: 1, options: .init())
    }
  }

  @Test(arguments: 11..<40)
  func fullArenaRefusesAndSnapshotStaysWhatTheModelSays(pageCount: Int) throws {
    let memory = try SnapshotMemory(pageCount: pageCount, entryCountMax: 100_000)
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    _ = model.commit()
    for station in 0..<4000 {
      model.learn(station, at: port(station % 4))
      if station % 7 == 0 {
        _ = model.commit()
        _ = reader.refresh()
      }
    }
    settle(&model, reader)
    #expect(model.counts.refused > 0)
    #expect(model.stationCount == Int(model.counts.learned))
    compare(model, reader.refresh())
    model.removePort(PortIndex(2))
    model.addPort(port: 12)
    model.sweep(nowSeconds: 0)
    settle(&model, reader)
    compare(model, reader.refresh())
    #expect(reader.refresh().flood.ports == [0, 1, 3, 12])
    model.sweep(nowSeconds: 600)
    settle(&model, reader)
    #expect(model.stationCount == 0)
    compare(model, reader.refresh())
  }

  @Test func removalWaitsForAReaderThatHoldsAllPages() throws {
    let memory = try SnapshotMemory(pageCount: 24, entryCountMax: 1000)
    var model = try model(memory)
    for station in 0..<100 { model.learn(station, at: port(station % 2)) }
    _ = model.commit()
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    let held = reader.refresh()
    for round in 0..<100 {
      model.learn(round, at: port(2 + round / 10 % 2))
      _ = model.commit()
    }
    #expect(model.counts.refused > 0)
    // Flood lists may take the pages that are kept back from stations.
    for round in 0..<50 {
      model.addPort(PortIndex(20), receivesFloods: round % 2 == 0)
      _ = model.commit()
    }
    model.removePort(PortIndex(0))
    model.removePort(PortIndex(1))
    let publishedAtOnce = model.commit()
    #expect(!publishedAtOnce)
    #expect(model.stations(nowSeconds: 0).allSatisfy { $0.location.port.number >= 2 })
    for station in 0..<100 { #expect(held.station(station)?.location == port(station % 2)) }
    model.addPort(port: 0)
    model.learn(0, at: port(0))
    settle(&model, reader)
    compare(model, reader.refresh())
  }

  /// Commits, with a reader that keeps up, until everything is published.
  private func settle(_ model: inout ForwardingModel, _ reader: borrowing SnapshotReader) {
    for _ in 0..<50 {
      let published = model.commit()
      _ = reader.refresh()
      if published { return }
    }
    Issue.record("changes stay pending though the reader keeps up")
  }

  private func compare(_ model: borrowing ForwardingModel, _ snapshot: ForwardingSnapshot) {
    let stations = model.stations(nowSeconds: 0)
    let found = stations.map { station -> Location? in
      let value = snapshot.stations.value(for: SnapshotKey.station(station.mac))
      return value == PagedTableReader.missing ? nil : Station(value: value).location
    }
    #expect(found == stations.map(\.location))
    #expect(snapshot.stations.count == stations.count)
    #expect(model.stationCount == stations.count)
  }
}
