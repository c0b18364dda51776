// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Tables
import Testing
import Wire

/// What comes and goes with ports, and how endpoints are reached.
struct PortsAndEndpointsTests {
  private let path = EndpointPath(
    sourceMAC: MACAddress(bits: 0x02_00_00_00_AA_01),
    destinationMAC: MACAddress(bits: 0x02_00_00_00_AA_02),
    source: IPv4Address(bits: 0xC000_02FE), destination: IPv4Address(bits: 0xC000_0202),
    destinationPort: 4789, network: VirtualNetwork(bits: 7), innerLengthMax: 1464)

  @Test func removedPortTakesItsStationsAndItsFloodsAlong() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    for station in 0..<300 { model.learn(station, at: port(station % 4)) }
    _ = model.commit()
    #expect(reader.refresh().flood.ports == [0, 1, 2, 3])
    model.removePort(PortIndex(1))
    model.removePort(PortIndex(1))
    model.removePort(PortIndex(77))
    model.learn(1000, at: port(1))
    model.learn(0, at: port(1))
    let published = model.commit()
    #expect(published)
    #expect(model.counts.refused == 2)
    #expect(model.stationCount == 225)
    let snapshot = reader.refresh()
    #expect(snapshot.flood.ports == [0, 2, 3])
    for station in 0..<300 {
      #expect(snapshot.station(station)?.location == (station % 4 == 1 ? nil : port(station % 4)))
    }
    #expect(snapshot.station(1000) == nil)
  }

  @Test func portThatComesBackStartsWithoutStations() throws {
    var model = try model(roomySnapshotMemory())
    model.learn(1, at: port(1))
    model.removePort(PortIndex(1))
    model.addPort(port: 1)
    #expect(model.stationCount == 0)
    model.learn(1, at: port(1))
    #expect(model.counts.learned == 2)
    _ = model.commit()
    #expect(model.stationCount == 1)
  }

  @Test func floodsGoOnlyToPortsThatReceiveThem() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.addPort(PortIndex(2), receivesFloods: false)
    _ = model.commit()
    #expect(reader.refresh().flood.ports == [0, 1, 3])
    model.addPort(PortIndex(9), receivesFloods: true)
    _ = model.commit()
    #expect(reader.refresh().flood.ports == [0, 1, 3, 9])
    #expect(reader.refresh().flood.endpoints == [0, 1])
  }

  @Test func endpointIsFoundByItsSourceAndUnresolvedAtFirst() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    _ = model.commit()
    let snapshot = reader.refresh()
    let network = VirtualNetwork(bits: 7)
    #expect(snapshot.source(IPv4Address(bits: 0xC000_0201), network) == EndpointIndex(0))
    #expect(snapshot.source(IPv4Address(bits: 0xC000_0202), network) == EndpointIndex(1))
    #expect(snapshot.source(IPv4Address(bits: 0xC000_0203), network) == nil)
    #expect(snapshot.source(IPv4Address(bits: 0xC000_0201), VirtualNetwork(bits: 8)) == nil)
    #expect(snapshot.endpoints.count == 2)
    #expect(!snapshot.endpoints[0].isResolved)
    #expect(snapshot.endpoints[1].port == PortIndex(9))
    let again = model.addEndpoint(
      address: IPv4Address(bits: 0xC000_0201), network: network, underlayPort: PortIndex(9))
    #expect(again == nil)
  }

  @Test func resolvedEndpointHasTheTemplateOfItsPath() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.setEndpoint(EndpointIndex(1), reached: path)
    _ = model.commit()
    let record = reader.refresh().endpoints[1]
    let template = VXLANTemplate(
      sourceMAC: path.sourceMAC, destinationMAC: path.destinationMAC, source: path.source,
      destination: path.destination, destinationPort: 4789, network: path.network)
    #expect(record.isResolved)
    #expect(record.template == template)
    #expect(record.innerLengthMax == 1464)
    #expect(record.port == PortIndex(9))
    let generation = model.generation
    model.setEndpoint(EndpointIndex(1), reached: path)
    _ = model.commit()
    #expect(model.generation == generation)
    model.setEndpoint(EndpointIndex(1), reached: nil)
    _ = model.commit()
    #expect(!reader.refresh().endpoints[1].isResolved)
  }

  @Test(arguments: [(-1, 0), (0, 0), (65_499, 65_499), (65_500, 65_499), (Int.max, 65_499)])
  func innerLengthStaysWhatOnePacketCanHold(_ given: Int, _ stored: Int) throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    var path = path
    path.innerLengthMax = given
    model.setEndpoint(EndpointIndex(0), reached: path)
    _ = model.commit()
    #expect(reader.refresh().endpoints[0].innerLengthMax == UInt32(stored))
  }

  @Test func endpointsBehindARemovedUnderlayPortAreUnresolved() throws {
    let memory = try roomySnapshotMemory()
    var model = try model(memory)
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    model.setEndpoint(EndpointIndex(1), reached: path)
    model.learn(1, at: endpoint(1))
    _ = model.commit()
    model.removePort(PortIndex(9))
    _ = model.commit()
    let snapshot = reader.refresh()
    #expect(!snapshot.endpoints[1].isResolved)
    #expect(snapshot.station(1)?.location == endpoint(1))
  }

  @Test func thousandEndpointsAreAllFoundAndFlooded() throws {
    let memory = try roomySnapshotMemory()
    var model = try ForwardingModel(memory: memory, seed: 5, options: .init())
    let reader = SnapshotReader(memory: memory, worker: 0)
    reader.goOnline()
    for number in 0..<1000 {
      let index = model.addEndpoint(
        address: IPv4Address(bits: 0x0A00_0000 + UInt32(number)),
        network: VirtualNetwork(bits: UInt32(number % 3)), underlayPort: PortIndex(0))
      #expect(index == EndpointIndex(UInt16(number)))
    }
    _ = model.commit()
    let snapshot = reader.refresh()
    for number in 0..<1000 {
      let found = snapshot.source(
        IPv4Address(bits: 0x0A00_0000 + UInt32(number)),
        VirtualNetwork(bits: UInt32(number % 3)))
      #expect(found == EndpointIndex(UInt16(number)))
    }
    #expect(snapshot.flood.endpoints == (0..<1000).map { UInt16($0) })
  }
}
