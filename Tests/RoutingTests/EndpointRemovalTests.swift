// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Tables
import TestSupport
import Testing

/// Endpoints that go, and whoever gets their index afterwards.
struct EndpointRemovalTests {
  private static let network = VirtualNetwork(bits: 7)

  @Test func removedEndpointTakesItsStationsSourceAndFloodsAlong() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.setEndpoint(EndpointIndex(1), reached: path(to: 2))
    model.learn(1, at: endpoint(0))
    model.learn(2, at: endpoint(1))
    _ = model.commit()
    let before = reader.refresh()
    model.removeEndpoint(EndpointIndex(0))
    model.learn(3, at: endpoint(0))
    model.learn(2, at: endpoint(0))
    let published = model.commit()
    #expect(published)
    #expect(before.source(address(1), Self.network) == EndpointIndex(0))
    #expect(before.flood.endpoints == [0, 1])
    let snapshot = reader.refresh()
    #expect(snapshot.source(address(1), Self.network) == nil)
    #expect(snapshot.source(address(2), Self.network) == EndpointIndex(1))
    #expect(snapshot.flood.endpoints == [1])
    #expect(snapshot.station(1) == nil && snapshot.station(3) == nil)
    #expect(snapshot.station(2)?.location == endpoint(1))
    #expect(!snapshot.endpoints[0].isResolved && snapshot.endpoints[1].isResolved)
    #expect(model.counts.refused == 2)
  }

  @Test func unresolvedAndChangedEndpointsCanBeRemovedBeforeTheyWerePublished() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.setEndpoint(EndpointIndex(0), reached: path(to: 1))
    model.removeEndpoint(EndpointIndex(0))
    model.removeEndpoint(EndpointIndex(1))
    _ = model.commit()
    let snapshot = reader.refresh()
    #expect(snapshot.flood.endpoints == [])
    #expect(!snapshot.endpoints[0].isResolved)
    #expect(snapshot.source(address(1), Self.network) == nil)
  }

  @Test func indexIsUsedAgainOnlyAfterWorkersPassedAndHintsWereTaken() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    _ = model.commit()
    _ = reader.refresh()
    model.removeEndpoint(EndpointIndex(0))
    #expect(model.vanishedEndpoints == [])
    _ = model.commit()
    #expect(model.vanishedEndpoints == [], "the worker still reads the snapshot before")
    let index1 = add(3, to: &model)
    #expect(index1 == EndpointIndex(2))
    _ = reader.refresh()
    #expect(model.vanishedEndpoints == [EndpointIndex(0)])
    let index2 = add(4, to: &model)
    #expect(index2 == EndpointIndex(3), "hints may be on their way")
    model.reuseEndpoints(model.vanishedEndpoints)
    #expect(model.vanishedEndpoints == [])
    let index3 = add(5, to: &model)
    #expect(index3 == EndpointIndex(0))
    let index4 = add(6, to: &model)
    #expect(index4 == EndpointIndex(4))
    _ = model.commit()
    let snapshot = reader.refresh()
    #expect(snapshot.source(address(5), Self.network) == EndpointIndex(0))
    #expect(snapshot.flood.endpoints == [0, 1, 2, 3, 4])
    model.learn(1, at: endpoint(0))
    #expect(model.stationCount == 1)
  }

  @Test func workersThatSleepHoldNoIndexBack() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    reader.goOffline()
    model.removeEndpoint(EndpointIndex(1))
    _ = model.commit()
    #expect(model.vanishedEndpoints == [EndpointIndex(1)])
  }

  @Test func endpointThatComesBackIsAnotherOne() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.learn(1, at: endpoint(0))
    _ = model.commit()
    model.removeEndpoint(EndpointIndex(0))
    let index5 = add(1, to: &model)
    #expect(index5 == EndpointIndex(2))
    let index6 = add(1, to: &model)
    #expect(index6 == nil)
    let published = model.commit()
    #expect(published)
    let snapshot = reader.refresh()
    #expect(snapshot.source(address(1), Self.network) == EndpointIndex(2))
    #expect(snapshot.flood.endpoints == [1, 2])
    #expect(snapshot.station(1) == nil)
  }

  @Test func removalWaitsForAReaderThatHoldsAllPages() throws {
    let memory = try SnapshotMemory(pageCount: 24, entryCountMax: 1000)
    var model = try model(memory)
    for station in 0..<100 { model.learn(station, at: endpoint(station % 2)) }
    _ = model.commit()
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    let held = reader.refresh()
    for round in 0..<100 {
      model.learn(round, at: port(2 + round / 10 % 2))
      _ = model.commit()
    }
    // Flood lists may take the pages that are kept back from stations.
    for round in 0..<50 {
      model.addPort(PortIndex(20), receivesFloods: round % 2 == 0)
      _ = model.commit()
    }
    model.removeEndpoint(EndpointIndex(0))
    let publishedAtOnce = model.commit()
    #expect(!publishedAtOnce)
    #expect(model.vanishedEndpoints == [])
    #expect(held.source(address(1), Self.network) == EndpointIndex(0))
    var isPublished = false
    for _ in 0..<50 where !isPublished {
      _ = reader.refresh()
      isPublished = model.commit()
    }
    #expect(isPublished)
    let snapshot = reader.refresh()
    #expect(snapshot.source(address(1), Self.network) == nil)
    #expect(snapshot.flood.endpoints == [1])
    for station in 0..<100 { #expect(snapshot.station(station)?.location != endpoint(0)) }
    #expect(model.vanishedEndpoints == [EndpointIndex(0)])
  }

  @Test(arguments: fixedSeeds)
  func endpointsThatComeAndGoAgreeWithAListAfterEveryCommit(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let memory = try SnapshotMemory(pageCount: 256, entryCountMax: 1000)
    var model = try ForwardingModel(memory: memory, seed: seed, options: .init())
    model.addPort(PortIndex(9), receivesFloods: false)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    var there: [Int: EndpointIndex] = [:]
    var homes: [Int: Int] = [:]
    var indexCount = 0
    for _ in 0..<4000 {
      let host = generator.number(below: 60)
      switch generator.number(below: 10) {
      case 0..<3:
        let index = add(host, to: &model)
        #expect((index == nil) == (there[host] != nil), "\(generator)")
        if let index {
          #expect(!there.values.contains(index), "\(generator)")
          there[host] = index
          indexCount = max(indexCount, Int(index.number) + 1)
        }
      case 3..<5:
        guard let index = there.removeValue(forKey: host) else { continue }
        model.removeEndpoint(index)
        homes = homes.filter { $0.value != host }
      case 5..<7:
        let station = generator.number(below: 200)
        guard let index = there[host] else { continue }
        model.learn(station, at: Location(index))
        homes[station] = host
      default:
        let published = model.commit()
        #expect(published, "\(generator)")
        let snapshot = reader.refresh()
        for host in 0..<60 {
          #expect(snapshot.source(address(host), Self.network) == there[host], "\(generator)")
        }
        #expect(snapshot.flood.endpoints == there.values.map(\.number).sorted(), "\(generator)")
        for station in 0..<200 {
          let home = homes[station].flatMap { there[$0] }.map { Location($0) }
          #expect(snapshot.station(station)?.location == home, "\(generator)")
        }
        model.reuseEndpoints(model.vanishedEndpoints)
      }
    }
    #expect(indexCount < 120, "indices are used again: \(generator)")
  }

  private func address(_ host: Int) -> IPv4Address {
    IPv4Address(bits: 0xC000_0200 + UInt32(host))
  }

  private func add(_ host: Int, to model: inout ForwardingModel) -> EndpointIndex? {
    model.addEndpoint(
      address: address(host), network: Self.network, underlayPort: PortIndex(9))
  }

  private func path(to host: Int) -> EndpointPath {
    EndpointPath(
      sourceMAC: MACAddress(bits: 0x02_00_00_00_AA_01),
      destinationMAC: MACAddress(bits: 0x02_00_00_00_AA_02),
      source: IPv4Address(bits: 0xC000_02FE), destination: address(host),
      destinationPort: 4789, network: Self.network, innerLengthMax: 1464)
  }
}
