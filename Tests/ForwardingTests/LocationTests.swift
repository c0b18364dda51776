// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Tables
import Testing

/// Locations, stations and keys as words.
struct LocationTests {
  @Test(arguments: [0, 1, 255, 256, 0x7FFF, 0x8000, 0xFFFF] as [UInt16])
  func portsAndEndpointsSurviveTheWord(number: UInt16) {
    let port = Location(PortIndex(number))
    let endpoint = Location(EndpointIndex(number))
    #expect(!port.isEndpoint)
    #expect(port.port == PortIndex(number))
    #expect(endpoint.isEndpoint)
    #expect(endpoint.endpoint == EndpointIndex(number))
    #expect(port != endpoint)
    #expect(Location(bits: port.bits) == port)
    #expect(Location(bits: endpoint.bits) == endpoint)
    let peer = Location(peer: EndpointIndex(number))
    #expect(peer.isEndpoint && peer.isPeer && !endpoint.isPeer && !port.isPeer)
    #expect(peer.endpoint == EndpointIndex(number))
    #expect(peer != endpoint && Location(bits: peer.bits) == peer)
  }

  @Test(arguments: [0, 1, 0x1_0000, 0xFFFF_FFFF] as [UInt32])
  func stationSurvivesTheTablesValue(entry: UInt32) {
    for location in [
      Location(PortIndex(.max)), Location(EndpointIndex(3)), Location(peer: EndpointIndex(.max)),
    ] {
      let station = Station(location: location, entry: entry)
      #expect(Station(value: station.value) == station)
      #expect(station.value != PagedTableReader.missing)
    }
  }

  @Test func keysAreNeverZeroAndDiffer() {
    let addresses: [UInt64] = [0, 1, 0x0200_0000_000A, 0xFFFF_FFFF_FFFF]
    let keys = addresses.map { SnapshotKey.station(MACAddress(bits: $0)) }
    #expect(Set(keys).count == addresses.count)
    #expect(keys.allSatisfy { $0 != 0 })
    let sources = [(0, 0), (0, 1), (1, 0), (.max, 0xFF_FFFF)] as [(UInt32, UInt32)]
    let sourceKeys = sources.map {
      SnapshotKey.source(IPv4Address(bits: $0.0), VirtualNetwork(bits: $0.1))
    }
    #expect(Set(sourceKeys).count == sources.count)
    #expect(sourceKeys.allSatisfy { $0 != 0 })
    let neighbours = ([0, 1, .max] as [UInt32]).map {
      SnapshotKey.neighbour(IPv4Address(bits: $0))
    }
    #expect(Set(sourceKeys + neighbours).count == sources.count + neighbours.count)
    #expect(neighbours.allSatisfy { $0 != 0 })
  }
}
