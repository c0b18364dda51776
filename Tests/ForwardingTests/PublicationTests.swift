// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Tables
import Testing

/// One writer, and readers that pick up what it publishes.
struct PublicationTests {
  private let mac = MACAddress(bits: 0x0200_0000_000A)
  private let station = Station(location: Location(PortIndex(3)), entry: 7)

  @Test func changesAreSeenAfterThePublicationAndNotBefore() throws {
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 16)
    var writer = try SnapshotWriter(memory: memory, seed: 1)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    let stored = writer.setStation(mac, station)
    #expect(stored)
    #expect(writer.station(mac) == station)
    #expect(lookUp(reader.refresh()) == nil)
    let published = writer.publish()
    #expect(published)
    #expect(lookUp(reader.refresh()) == station)
    #expect(reader.refresh().generation == writer.generation)
  }

  @Test func heldSnapshotStaysAsItWas() throws {
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 16)
    var writer = try SnapshotWriter(memory: memory, seed: 1)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    _ = writer.setStation(mac, station)
    _ = writer.publish()
    let held = reader.refresh()
    for _ in 0..<8 {
      _ = writer.removeStation(mac)
      _ = writer.publish()
      writer.reclaim()
      _ = writer.setStation(mac, Station(location: Location(PortIndex(4)), entry: 8))
      _ = writer.publish()
      writer.reclaim()
    }
    #expect(lookUp(held) == station)
    #expect(writer.retiredPageCount > 0)
    #expect(lookUp(reader.refresh())?.entry == 8)
    writer.reclaim()
    #expect(writer.retiredPageCount == 0)
  }

  @Test func floodListsAreReplacedAndMayShrink() throws {
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 16)
    var writer = try SnapshotWriter(memory: memory, seed: 1)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    for count in [3000, 2048, 1, 0, 2049] {
      let ports = (0..<count).map { PortIndex(UInt16($0)) }
      let stored = writer.setFlood(ports: ports, endpoints: [EndpointIndex(5)])
      #expect(stored)
      _ = writer.publish()
      let snapshot = reader.refresh()
      let numbers = snapshot.floodPorts
      #expect(numbers.count == count)
      #expect((0..<count).allSatisfy { numbers[$0] == UInt16($0) })
      #expect(snapshot.floodEndpoints.count == 1)
      #expect(snapshot.floodEndpoints[0] == 5)
      writer.reclaim()
    }
  }

  @Test func marksAreTakenOnce() throws {
    let memory = try SnapshotMemory(pageCount: 64, entryCountMax: 16)
    _ = try SnapshotWriter(memory: memory, seed: 1)
    let reader = SnapshotReader(memory: memory, worker: 0)
    let other = SnapshotReader(memory: memory, worker: 1)
    reader.mark(entry: 15)
    other.mark(entry: 15)
    #expect(memory.takeMark(entry: 15))
    #expect(!memory.takeMark(entry: 15))
    #expect(!memory.takeMark(entry: 14))
  }

  private func lookUp(_ snapshot: ForwardingSnapshot) -> Station? {
    let value = snapshot.stations.value(for: SnapshotKey.station(mac))
    return value == PagedTableReader.missing ? nil : Station(value: value)
  }
}
