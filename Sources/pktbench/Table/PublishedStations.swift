// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Forwarding
import Inet
import Tables

/// Our table of stations in a published snapshot, and somebody who reads it as a worker does.
struct PublishedStations: ~Copyable {
  let memory: SnapshotMemory
  private var writer: SnapshotWriter
  private let reader: SnapshotReader
  private let wanted: [UInt64]
  private let expected: UInt64

  /// Publishes everybody in `cast`, read by worker 0.
  init(_ cast: TableCast) throws {
    let count = cast.stations.count
    // A page of the table holds 256 entries when it is full; there is room for two sparse tables.
    let memory = try SnapshotMemory(pageCount: 1024 + count / 16, entryCountMax: count)
    var writer = try SnapshotWriter(memory: memory, seed: 1)
    for (number, mac) in cast.stations.enumerated() {
      guard writer.setStation(mac, PublishedStations.station(number)) else {
        throw ScenarioError(.failed, "the table took \(number) of \(count) entries; it is full")
      }
      // Nobody reads yet, so that each publication gives the pages of the one before back.
      if number % 1024 == 1023 {
        _ = writer.publish()
        writer.reclaim()
      }
    }
    guard writer.publish() else { throw ScenarioError(.failed, "the snapshot has no page left") }
    self.memory = memory
    self.writer = writer
    reader = SnapshotReader(memory: memory, worker: 0)
    wanted = cast.wanted.map { SnapshotKey.station(cast.stations[$0]) }
    expected = cast.wanted.reduce(0) { $0 &+ PublishedStations.station($1).value }
  }

  /// Looks every wanted station up, for this long in all; the pass in the middle counts.
  func lookUp(seconds: Double, in run: ScenarioRun) throws -> Sample {
    reader.goOnline()
    defer { reader.goOffline() }
    return try Passes.measure(seconds: seconds, items: wanted.count, in: run) {
      let sum = PublishedStations.lookUp(wanted.span, in: reader.refresh().stations)
      guard sum == expected else {
        throw ScenarioError(.failed, "the table lost a station; this is a mistake in it")
      }
    }
  }

  /// The sum of the values of all keys, with the calls that the stage makes for a batch.
  private static func lookUp(_ keys: Span<UInt64>, in stations: PagedTableReader) -> UInt64 {
    var homes = [64 of UInt64](repeating: 0)
    var sum: UInt64 = 0
    var first = 0
    while first &+ Batch.capacity <= keys.count {
      for index in 0..<Batch.capacity {
        homes[index] = stations.home(of: keys[first &+ index])
      }
      for index in 0..<Batch.capacity {
        sum &+= stations.probe(from: homes[index], for: keys[first &+ index])
      }
      first &+= Batch.capacity
    }
    return sum
  }

  /// Bytes of the pages that the snapshot is made of.
  var length: Int {
    let pages = memory.pages.length / MappedMemory.pageLength
    // The first page is nobody's.
    return (pages - 1 - writer.freePageCount - writer.retiredPageCount) * MappedMemory.pageLength
  }

  /// Moves a station with a publication of its own and takes back the pages nobody reads any more.
  mutating func move(_ number: Int, mac: MACAddress, round: Int) {
    let moved = PublishedStations.station(number, round: round)
    // A reader that has lost its core holds pages; there are enough for many changes.
    while !writer.setStation(mac, moved) { writer.reclaim() }
    while !writer.publish() { writer.reclaim() }
    writer.reclaim()
  }

  /// Where station `number` is.
  private static func station(_ number: Int, round: Int = 0) -> Station {
    Station(
      location: Location(EndpointIndex(UInt16((number + round) & 63))), entry: UInt32(number))
  }
}
