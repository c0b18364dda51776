// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Tables
import TestSupport
import Testing

/// The same stations in a dictionary: what the model must agree with.
private struct Mirror {
  struct Station {
    var location: Location
    var seenSeconds: UInt64
  }
  static let stationCountMax = 300
  static let stationCountPerLocationMax = 60
  static let ageSecondsMax: UInt64 = 200

  var stations: [Int: Station] = [:]
  var locations: Set<Location> = Set((0..<4).map(port) + [port(9), endpoint(0), endpoint(1)])
  var marked: Set<Int> = []
  var counts = ForwardingModel.Counts()

  mutating func learn(_ number: Int, at location: Location, _ nowSeconds: UInt64) {
    let known = stations[number]
    if let known, known.location == location {
      stations[number]?.seenSeconds = nowSeconds
      return
    }
    let isFull = known == nil && stations.count >= Mirror.stationCountMax
    let behind = stations.values.count { $0.location == location }
    guard locations.contains(location), behind < Mirror.stationCountPerLocationMax, !isFull else {
      counts.refused += 1
      return
    }
    if known == nil { counts.learned += 1 } else { counts.moved += 1 }
    stations[number] = Station(location: location, seenSeconds: nowSeconds)
  }

  mutating func remove(_ location: Location) {
    locations.remove(location)
    for (number, station) in stations where station.location == location { forget(number) }
  }

  mutating func sweep(_ nowSeconds: UInt64) {
    for (number, station) in stations {
      if marked.contains(number) {
        stations[number]?.seenSeconds = nowSeconds
      } else if nowSeconds - station.seenSeconds >= Mirror.ageSecondsMax {
        counts.aged += 1
        forget(number)
      }
    }
    marked = []
  }

  private mutating func forget(_ number: Int) {
    stations[number] = nil
    marked.remove(number)
  }
}

/// Random operations on model and mirror side by side.
struct ForwardingModelRandomTests {
  private static let numbers = 400

  @Test(arguments: fixedSeeds)
  func snapshotAgreesWithADictionaryAfterEveryCommit(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var options = ForwardingModel.Options()
    options.stationCountMax = Mirror.stationCountMax
    options.stationCountPerLocationMax = Mirror.stationCountPerLocationMax
    options.ageSecondsMax = Mirror.ageSecondsMax
    let memory = try SnapshotMemory(pageCount: 256, entryCountMax: 1000)
    var model = try model(memory, seed: seed, options: options)
    var mirror = Mirror()
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    var now: UInt64 = 0
    for _ in 0..<6000 {
      now += UInt64(generator.number(below: 2))
      step(&model, &mirror, &generator, now)
      if generator.number(below: 20) == 0 {
        let published = model.commit()
        #expect(published, "\(generator)")
        let snapshot = reader.refresh()
        compare(mirror, snapshot, generator)
        mark(&mirror, snapshot, reader, &generator)
      }
    }
    #expect(model.counts == mirror.counts, "\(generator)")
    #expect(mirror.counts.aged > 0 && mirror.counts.refused > 0, "\(generator)")
  }

  private func step(
    _ model: inout ForwardingModel, _ mirror: inout Mirror, _ generator: inout SeededGenerator,
    _ now: UInt64
  ) {
    switch generator.number(below: 200) {
    case 0:
      let number = generator.number(below: 4)
      model.removePort(PortIndex(UInt16(number)))
      mirror.remove(port(number))
    case 1...4:
      let number = generator.number(below: 4)
      model.addPort(port: number)
      mirror.locations.insert(port(number))
    case 5:
      model.sweep(nowSeconds: now)
      mirror.sweep(now)
    default:
      let station = generator.number(below: ForwardingModelRandomTests.numbers)
      let number = generator.number(below: 7)
      let location = number < 5 ? port(number) : endpoint(number - 5)
      model.learn(station, at: location, now)
      mirror.learn(station, at: location, now)
    }
  }

  /// Leaves marks as a worker would: under entries of the newest snapshot.
  private func mark(
    _ mirror: inout Mirror, _ snapshot: ForwardingSnapshot, _ reader: borrowing SnapshotReader,
    _ generator: inout SeededGenerator
  ) {
    for _ in 0..<generator.number(below: 8) {
      let number = generator.number(below: ForwardingModelRandomTests.numbers)
      guard let station = snapshot.station(number) else { continue }
      reader.mark(entry: station.entry)
      mirror.marked.insert(number)
    }
  }

  private func compare(
    _ mirror: Mirror, _ snapshot: ForwardingSnapshot, _ generator: SeededGenerator
  ) {
    let all = 0..<ForwardingModelRandomTests.numbers
    let found = all.map { snapshot.station($0) }
    #expect(found.map { $0?.location } == all.map { mirror.stations[$0]?.location }, "\(generator)")
    #expect(snapshot.stations.count == mirror.stations.count, "\(generator)")
    let entries = Set(found.compactMap { $0?.entry })
    #expect(entries.count == mirror.stations.count, "\(generator): entries are unique")
    let ports = mirror.locations.filter { !$0.isEndpoint && $0 != port(9) }
    #expect(snapshot.flood.ports == ports.map(\.port.number).sorted(), "\(generator)")
  }
}
