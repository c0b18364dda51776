// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Tables
import TestSupport

/// Writes snapshots in which everything follows from the generation, so that a reader can tell
/// whether what it found belongs together.
///
/// In each publication two stations of a pair move to the same place, two endpoints on different
/// pages change in the same way, a visitor comes and another goes, and one station says which
/// generation this is. In every fourth, both flood lists are replaced by others of another length.
struct Author: ~Copyable {
  private var writer: SnapshotWriter
  private var random = SeededGenerator(seed: 99)
  /// Snapshots after the empty one.
  private(set) var publishedCount = 0

  static let pairCount = 300
  static let endpointCount = 130
  private static let clock = MACAddress(bits: 0x0200_0000_0001)

  /// Writes into `memory`; nothing of the above is there until the first `publish()`.
  init(memory: SnapshotMemory) throws {
    writer = try SnapshotWriter(memory: memory, seed: 1)
    for pair in 0..<Author.pairCount { move(pair) }
    for number in 0..<Author.endpointCount { change(endpoint: number) }
  }

  var generation: UInt64 { writer.generation }
  var retiredPageCount: Int { writer.retiredPageCount }

  mutating func reclaim() { writer.reclaim() }

  /// Changes everything a little and publishes it; waits while memory is short.
  mutating func publish() {
    let next = writer.generation + 1
    move(random.number(below: Author.pairCount))
    let endpoint = random.number(below: Author.endpointCount / 2)
    change(endpoint: endpoint)
    change(endpoint: endpoint + Author.endpointCount / 2)
    insist { $0.setStation(Author.clock, Author.station(in: next)) }
    insist { $0.setStation(Author.visitor(next), Author.station(in: next)) }
    // The table grows to some thousand visitors, and doubles meanwhile.
    if next > 4000 { _ = writer.removeStation(Author.visitor(next - 4000)) }
    if Author.floodNumber(next) != Author.floodNumber(next - 1) || publishedCount == 0 {
      writeFlood(Author.floodNumber(next))
    }
    insist { $0.publish() }
    publishedCount += 1
    writer.reclaim()
  }

  /// How many things in a snapshot do not fit together.
  static func problemCount(
    in snapshot: ForwardingSnapshot, random: inout SeededGenerator
  ) -> Int {
    let generation = snapshot.generation
    var count = snapshot.stations.value(for: key(clock)) == station(in: generation).value ? 0 : 1
    count += pairProblems(in: snapshot, random: &random)
    let endpoints = snapshot.endpoints
    let endpoint = random.number(below: endpointCount / 2)
    if endpoints.count == endpointCount {
      let first = endpoints[endpoint].innerLengthMax
      let second = endpoints[endpoint + endpointCount / 2].innerLengthMax
      if first != second || UInt64(first) > generation { count += 1 }
    } else {
      count += 1
    }
    let number = floodNumber(generation)
    for (list, length) in [
      (snapshot.floodPorts, floodCount(number)), (snapshot.floodEndpoints, floodCount(number) + 1),
    ] where list.count != length || !(0..<length).allSatisfy({ list[$0] == number }) {
      count += 1
    }
    return count
  }

  /// Looks pairs up as a stage does: all homes first, then all probes.
  private static func pairProblems(
    in snapshot: ForwardingSnapshot, random: inout SeededGenerator
  ) -> Int {
    let stations = snapshot.stations
    let pairs = (0..<16).map { _ in random.number(below: pairCount) }
    let keys = pairs.flatMap {
      [key(station($0, isSecond: false)), key(station($0, isSecond: true))]
    }
    let homes = keys.map { stations.home(of: $0) }
    let values = zip(homes, keys).map { stations.probe(from: $0, for: $1) }
    return pairs.indices.count { index in
      let (first, second) = (values[2 * index], values[2 * index + 1])
      return first != second || first == PagedTableReader.missing
        || UInt64(Station(value: first).entry) > snapshot.generation
    }
  }

  private mutating func move(_ pair: Int) {
    let place = Author.station(in: writer.generation + 1)
    insist { $0.setStation(Author.station(pair, isSecond: false), place) }
    insist { $0.setStation(Author.station(pair, isSecond: true), place) }
  }

  private mutating func change(endpoint: Int) {
    var record = EndpointRecord.unresolved(port: PortIndex(0))
    record.innerLengthMax = UInt32(writer.generation + 1)
    insist { $0.setEndpoint(record, at: EndpointIndex(UInt16(endpoint))) }
  }

  /// Tries until readers have given back the pages that it takes.
  private mutating func insist(_ change: (inout SnapshotWriter) -> Bool) {
    while !change(&writer) { writer.reclaim() }
  }

  private mutating func writeFlood(_ number: UInt16) {
    let count = Author.floodCount(number)
    insist {
      $0.setFlood(
        ports: Array(repeating: PortIndex(number), count: count),
        endpoints: Array(repeating: EndpointIndex(number), count: count + 1))
    }
  }

  /// What both flood lists are full of; another one with every fourth generation.
  private static func floodNumber(_ generation: UInt64) -> UInt16 {
    UInt16(truncatingIfNeeded: generation / 4)
  }

  private static func floodCount(_ number: UInt16) -> Int { Int(number % 40) }

  private static func station(in generation: UInt64) -> Station {
    Station(
      location: Location(EndpointIndex(UInt16(truncatingIfNeeded: generation))),
      entry: UInt32(truncatingIfNeeded: generation))
  }

  private static func station(_ pair: Int, isSecond: Bool) -> MACAddress {
    MACAddress(bits: (isSecond ? 0x0600_0000_0000 : 0x0200_0001_0000) + UInt64(pair))
  }

  private static func visitor(_ generation: UInt64) -> MACAddress {
    MACAddress(bits: 0x0A00_0000_0000 + generation)
  }

  private static func key(_ mac: MACAddress) -> UInt64 { SnapshotKey.station(mac) }
}
